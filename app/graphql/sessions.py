"""Remembers for a few seconds whom a token speaks for, so that a busy client does not ask the database each time.

Nobody keeps a right for longer than the bus needs to say that it is gone: while it listens, an ended session is called
out within milliseconds; while it does not listen, nothing is remembered. A mutation makes its own caller unknown
before it is answered, so whoever signs out is signed out at once. Five seconds bound everything else.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from app.graphql.callers import Authenticate
from app.graphql.tasks import cancelled
from kit.bus import Bus, Ring
from kit.crypto import fingerprint
from services.permissions import Viewer

REMEMBERED_SECONDS = 5.0
MAX_REMEMBERED = 10_000
_LOOK_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class _Known:
    viewer: Viewer
    until: float


class Sessions:
    """An `Authenticate` that remembers. Use `listening` around its life; outside of it nothing is remembered."""

    def __init__(self, authenticate: Authenticate, bus: Bus, *, channel: str) -> None:
        self._authenticate = authenticate
        self._bus = bus
        self._channel = channel
        self._known: OrderedDict[bytes, _Known] = OrderedDict()
        self._tokens_of: dict[UUID, set[bytes]] = {}
        self._generation = 0
        self._is_listening = False

    async def __call__(self, token: str) -> Viewer | None:
        """Return whom `token` speaks for, or None. Only who is known is remembered."""
        if not (self._is_listening and self._bus.ready.is_set()):
            return await self._authenticate(token)
        key = fingerprint(token)
        known = self._known.get(key)
        if known is not None and known.until > time.monotonic():
            return known.viewer
        generation = self._generation
        viewer = await self._authenticate(token)
        if viewer is not None and generation == self._generation and self._bus.ready.is_set():
            self._remember(key, viewer)
        return viewer

    def forget(self, viewer: Viewer | None) -> None:
        """Ask the database again for the next request of this account, and for every answer that is under way."""
        self._generation += 1
        for key in self._tokens_of.pop(viewer.id, ()) if viewer is not None else ():
            self._known.pop(key, None)

    def forget_everybody(self) -> None:
        """Ask the database again for everybody."""
        self._generation += 1
        self._known.clear()
        self._tokens_of.clear()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Remember while the block runs, and forget everybody whenever some session ends."""
        async with self._bus.reader(self._channel) as ring:
            task = asyncio.create_task(self._forget_on(ring), name="sessions")
            self._is_listening = True
            try:
                yield
            finally:
                self._is_listening = False
                self.forget_everybody()
                await cancelled(task)

    async def _forget_on(self, ring: Ring) -> None:
        while True:
            await ring.wait(_LOOK_SECONDS)
            self.forget_everybody()

    def _remember(self, key: bytes, viewer: Viewer) -> None:
        self._known[key] = _Known(viewer, time.monotonic() + REMEMBERED_SECONDS)
        self._known.move_to_end(key)
        self._tokens_of.setdefault(viewer.id, set()).add(key)
        while len(self._known) > MAX_REMEMBERED:
            oldest, known = self._known.popitem(last=False)
            tokens = self._tokens_of.get(known.viewer.id, set())
            tokens.discard(oldest)
            if not tokens:
                self._tokens_of.pop(known.viewer.id, None)
