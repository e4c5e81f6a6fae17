"""Connections that wait for another request to the same place."""

import asyncio
from collections import deque
from typing import Final

from kit.fetch.connection import Connection
from kit.fetch.gate import Origin

MAX_IDLE: Final = 200
"""Most connections that wait, to all places together."""
MAX_IDLE_PER_PLACE: Final = 100
IDLE_SECONDS: Final = 10.0
"""How long a connection waits. Most servers close theirs after 5 to 75 seconds."""

Place = tuple[Origin, bool]
"""An origin, and whether it is dialled because the operator trusts it: such connections serve nobody else."""


class IdleConnections:
    """Keeps what is idle, newest first, and closes what waits for too long. Belongs to one event loop."""

    def __init__(self) -> None:
        self._idle: dict[Place, deque[Connection]] = {}
        self._count = 0
        self._sweep: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return self._count

    def take(self, place: Place) -> Connection | None:
        """Return a connection that is still open, or None."""
        waiting = self._idle.get(place)
        while waiting:
            connection = self._drop(place, waiting, newest=True)
            if connection.is_open:
                return connection
        return None

    def give(self, place: Place, connection: Connection) -> None:
        """Keep a connection, or close it where there is no room."""
        if not connection.is_open:
            return
        waiting = self._idle.setdefault(place, deque())
        if len(waiting) >= MAX_IDLE_PER_PLACE or self._count >= MAX_IDLE:
            if not waiting:
                del self._idle[place]
            connection.abort()
            return
        loop = asyncio.get_running_loop()
        connection.idle_since = loop.time()
        waiting.append(connection)
        self._count += 1
        if self._sweep is None:
            self._sweep = loop.call_later(IDLE_SECONDS, self._close_old)

    def close(self) -> None:
        """Close everything that waits."""
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None
        for waiting in self._idle.values():
            for connection in waiting:
                connection.abort()
        self._idle.clear()
        self._count = 0

    def _drop(self, place: Place, waiting: deque[Connection], *, newest: bool) -> Connection:
        connection = waiting.pop() if newest else waiting.popleft()
        self._count -= 1
        if not waiting:
            del self._idle[place]
        return connection

    def _close_old(self) -> None:
        loop = asyncio.get_running_loop()
        oldest = loop.time() - IDLE_SECONDS
        for place, waiting in list(self._idle.items()):
            while waiting and (waiting[0].idle_since <= oldest or not waiting[0].is_open):
                self._drop(place, waiting, newest=False).abort()
        self._sweep = loop.call_later(IDLE_SECONDS / 2, self._close_old) if self._idle else None
