"""Looking names up without letting slow name servers hold everything up.

getaddrinfo blocks a thread, for half a minute when name servers are silent, and cannot be stopped. So there is a pool
of its own: its threads end with the process, one domain has few of them at once, and whoever waits longer than the
limit is told so while the thread goes on.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from queue import SimpleQueue
from threading import Thread
from typing import Final
from weakref import WeakValueDictionary

Resolver = Callable[[str], Awaitable[Sequence[str]]]
"""Returns the addresses of a host name as text. Raises `socket.gaierror` or `TimeoutError`."""

MAX_THREADS: Final = 32
"""Most names looked up at once."""
MAX_THREADS_PER_DOMAIN: Final = 4
"""Most names of one domain (its last two labels) looked up at once."""
LOOKUP_SECONDS: Final = 5.0
"""Longest wait for the addresses of a name, with waiting for a thread."""

_Job = Callable[[], None]


class SystemResolver:
    """Asks the operating system, as any program does: hosts file, then name servers. Belongs to one event loop."""

    def __init__(self, *, lookup: Callable[[str], Sequence[str]] | None = None) -> None:
        self._lookup = lookup or _addresses
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._threads = 0
        self._busy = 0
        self._free = asyncio.Semaphore(MAX_THREADS)
        self._domains: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    async def __call__(self, host: str) -> Sequence[str]:
        """Return the addresses of `host`, in the order of preference of the system."""
        domain = ".".join(host.removesuffix(".").rsplit(".", 2)[-2:])
        turns = self._domains.setdefault(domain, asyncio.Semaphore(MAX_THREADS_PER_DOMAIN))
        async with asyncio.timeout(LOOKUP_SECONDS):
            await turns.acquire()
            try:
                await self._free.acquire()
            except BaseException:
                turns.release()
                raise
            return await self._ask(host, turns)

    def _ask(self, host: str, turns: asyncio.Semaphore) -> asyncio.Future[Sequence[str]]:
        """Have a thread look `host` up. The places are given back when it has ended, whoever still waits."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Sequence[str]] = loop.create_future()

        def tell(found: Sequence[str] | OSError | ValueError) -> None:
            self._busy -= 1
            turns.release()
            self._free.release()
            if answer.done():
                return
            if isinstance(found, Exception):
                answer.set_exception(found)
            else:
                answer.set_result(found)

        def job() -> None:
            found: Sequence[str] | OSError | ValueError
            try:
                found = self._lookup(host)
            except (OSError, ValueError) as error:
                found = error
            if not loop.is_closed():
                loop.call_soon_threadsafe(tell, found)

        self._busy += 1
        if self._busy > self._threads:
            self._threads += 1
            Thread(target=self._work, name="names", daemon=True).start()
        self._jobs.put(job)
        return answer

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                job()
            except RuntimeError:
                return  # the loop was closed meanwhile: nobody waits for anything

    def close(self) -> None:
        """Let the threads go; those that still look something up end with it."""
        for _ in range(self._threads):
            self._jobs.put(None)
        self._threads = 0


def _addresses(host: str) -> Sequence[str]:
    # As bytes: what WHATWG has made of a name must not be translated a second time by Python's older rules.
    found = socket.getaddrinfo(host.encode("ascii"), None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))
