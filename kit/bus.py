"""Wakes readers up, across processes, by PostgreSQL's LISTEN and NOTIFY.

A ring carries a channel and a short text and nothing else that matters: what happened is a row, and a reader that
missed a ring finds the row at its next look. So the bus may lose rings (a broken connection) but never events.
"""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import structlog

log = structlog.get_logger(__name__)
_RECONNECT_SECONDS = 1.0


class Ring:
    """One reader's doorbell. Any number of rings before it looks count as one, so it is bounded by construction."""

    __slots__ = ("_event",)

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def ring(self) -> None:
        """Wake the reader."""
        self._event.set()

    async def wait(self, timeout_seconds: float) -> bool:
        """Wait for a ring, at most `timeout_seconds`; return whether one came. Clears the bell before returning."""
        with contextlib.suppress(TimeoutError):
            # Not `wait_for`: before Python 3.12 it loses a cancellation that comes with the ring, and its task goes on.
            async with asyncio.timeout(timeout_seconds):
                await self._event.wait()
        rang = self._event.is_set()
        self._event.clear()
        return rang


class Bus:
    """Listens on a set of channels with one connection per process and hands rings to this process's readers.

    `connect` opens a dedicated asyncpg connection (it must be able to hold a session, so no transaction pooler).
    """

    def __init__(self, connect: Callable[[], Awaitable[Any]], channels: tuple[str, ...]) -> None:
        self._connect = connect
        self._channels = channels
        self._readers: dict[tuple[str, str], set[Ring]] = defaultdict(set)
        self._task: asyncio.Task[None] | None = None
        self._lost = asyncio.Event()
        self.ready = asyncio.Event()

    async def start(self) -> None:
        """Begin listening; returns once the first connection listens or the first try failed."""
        first_try = asyncio.Event()
        self._task = asyncio.create_task(self._keep_listening(first_try), name="bus")
        await first_try.wait()

    async def stop(self) -> None:
        """Stop listening and close the connection."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    @contextlib.asynccontextmanager
    async def reader(self, channel: str, key: str = "") -> AsyncIterator[Ring]:
        """Register a bell for rings of `channel` whose text is `key` (any text when `key` is empty)."""
        ring = Ring()
        self._readers[channel, key].add(ring)
        try:
            yield ring
        finally:
            readers = self._readers[channel, key]
            readers.discard(ring)
            if not readers:
                del self._readers[channel, key]

    def _heard(self, _connection: Any, _pid: int, channel: str, payload: str) -> None:
        for key in {payload, ""}:
            for ring in self._readers.get((channel, key), ()):
                ring.ring()

    def _wake_everybody(self) -> None:
        """After a reconnect: rings may have been missed, so every reader looks once."""
        for readers in self._readers.values():
            for ring in readers:
                ring.ring()

    async def _keep_listening(self, first_try: asyncio.Event) -> None:
        while True:
            connection: Any = None
            try:
                connection = await self._connect()
                self._lost.clear()
                connection.add_termination_listener(lambda _connection: self._lost.set())
                for channel in self._channels:
                    await connection.add_listener(channel, self._heard)
                self.ready.set()
                first_try.set()
                self._wake_everybody()
                await self._lost.wait()
                log.warning("bus.lost", detail="the listening connection ended; reconnecting")
            except Exception as error:  # noqa: BLE001  whatever broke the connection, the cure is a new one
                log.warning("bus.unreachable", error=repr(error))
            finally:
                self.ready.clear()
                first_try.set()
                if connection is not None:
                    with contextlib.suppress(Exception):
                        await asyncio.wait_for(connection.close(), 2)
            await asyncio.sleep(_RECONNECT_SECONDS)
