"""Password hashes."""

import asyncio
import contextlib
import os
import secrets
import sys
import threading
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import argon2

from kit.errors import RateLimited

R = TypeVar("R")
_NICE = 10

MIN_PASSWORD_CHARS = 8
MAX_PASSWORD_CHARS = 1_024
# OWASP Password Storage Cheat Sheet: argon2id with m=19 MiB, t=2, p=1 is the recommended minimum.
_TIME_COST, _MEMORY_KIB, _LANES = 2, 19_456, 1


class PasswordHasher:
    """argon2id in a bounded pool of threads, so that logins never hold up other requests.

    Each hash takes 19 MiB and tens of milliseconds; `threads` bounds the memory, `queue` how many may wait. The threads
    yield to all others of the machine, so that somebody's query does not wait for somebody else's password.
    """

    def __init__(self, *, threads: int, queue: int) -> None:
        self._hasher = argon2.PasswordHasher(time_cost=_TIME_COST, memory_cost=_MEMORY_KIB, parallelism=_LANES)
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="password", initializer=_let_others_first)
        self._room = threads + queue
        self._waiting = 0
        self._dummy = self._hasher.hash(secrets.token_urlsafe())

    async def hash(self, password: str) -> str:
        """Return the encoded hash of `password` (NFKC). Raises `RateLimited` when too many wait."""
        return await self._run(self._hasher.hash, _normal(password))

    async def verify(self, encoded: str | None, password: str) -> bool:
        """Tell whether `password` fits. An account without a hash costs the same time as one with a wrong password."""
        fits = await self._run(self._verify, encoded or self._dummy, _normal(password))
        return fits and encoded is not None

    def is_outdated(self, encoded: str) -> bool:
        """Tell whether the hash was made with other parameters than today's and should be made anew."""
        return self._hasher.check_needs_rehash(encoded)

    def close(self) -> None:
        """Let the threads end."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _verify(self, encoded: str, password: str) -> bool:
        try:
            return self._hasher.verify(encoded, password)
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            return False

    async def _run(self, work: Callable[..., R], *arguments: str) -> R:
        if self._waiting >= self._room:
            raise RateLimited("Too many people are signing in at this moment; try again.", retry_after_seconds=2)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)
        finally:
            self._waiting -= 1


def _let_others_first() -> None:
    """Make the running thread a patient one. Only Linux knows such a thing for a thread."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)


def _normal(password: str) -> str:
    """NFKC, so that the same password typed on two keyboards is the same (NIST SP 800-63B-4 §3.1.1.2)."""
    return unicodedata.normalize("NFKC", password)
