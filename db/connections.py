"""Lends the connections of asyncpg's pool to one statement after the other.

The pool opens connections, prepares them and closes them. But it also wraps, shields, resets and times each loan, which
takes three times as long as a small statement itself. So a connection whose statement went well stays here and is lent
again at once; whatever went wrong or was cancelled sends it back to the pool, which puts it in order.

A connection acts for one account or for the system (db.wall). It remembers for whom, and is lent to the same again when
it can be, so that hardly ever anything is to be said to PostgreSQL before a statement.
"""

import asyncio
from collections import deque
from typing import Any, Final
from uuid import UUID

import asyncpg

from db import wall

UNUSED_SECONDS = 300.0
"""After so long without use a connection goes back to the pool, and after as long again the pool closes it."""


_UNKNOWN: Final = object()


class Line:
    """A connection of the pool and for whom it acts: an account, None for the system, or nobody knows."""

    __slots__ = ("acting", "connection")

    def __init__(self, connection: Any, acting: object) -> None:
        self.connection = connection
        self.acting = acting


class Connections:
    """At most `size` connections of `pool`, the latest used first. Whoever finds none free waits for their turn.

    With `is_walled` they act for whom they are borrowed; else all of them act for the system.
    """

    def __init__(self, pool: asyncpg.Pool, *, size: int, is_walled: bool = False) -> None:
        self._pool = pool
        self._size = size
        self._is_walled = is_walled
        self._taken = 0
        self._free: list[Line] = []
        self._waiting: deque[asyncio.Future[Line | None]] = deque()
        self._unused = 0  # how many were free all the time since the last look
        self._timer: asyncio.TimerHandle | None = None
        self._returns: set[asyncio.Task[None]] = set()
        self._is_closing = False

    async def borrow(self, owner_id: UUID | None = None) -> Line:
        """Return a connection that acts for an account, or for the system.

        Give it to `give_back` when all went well, to `take_back` in any other case.
        """
        while True:
            line = self._chosen(owner_id)
            if line is not None:
                self._unused = min(self._unused, len(self._free))
            elif self._taken < self._size:
                line = await self._take()
            else:
                line = await self._turn()
                if line is None:
                    continue
            if not _is_usable(line.connection):
                await self.send_back(line)
                continue
            if line.acting != owner_id:
                await self._act(line, owner_id)
            return line

    def _chosen(self, owner_id: UUID | None) -> Line | None:
        """Take one that is free: the latest that acts for the same, else the one that an account needed longest ago.

        One of the other kind, system or account, only when no more can be opened: PostgreSQL plans its statements anew
        when it changes its role.
        """
        free = self._free
        for place in range(len(free) - 1, -1, -1):
            if free[place].acting == owner_id:
                return free.pop(place)
        if owner_id is not None:
            for place, line in enumerate(free):
                if line.acting is not None:
                    return free.pop(place)
        return free.pop(0) if free and self._taken >= self._size else None

    async def _act(self, line: Line, owner_id: UUID | None) -> None:
        """Have a connection act for somebody else. Outside a transaction, so that no rollback undoes it."""
        said = wall.statement(owner_id, is_tenant=isinstance(line.acting, UUID))
        line.acting = _UNKNOWN
        try:
            await line.connection.execute(said)
        except BaseException as error:
            await self.take_back(line, error)
            raise
        line.acting = owner_id

    def give_back(self, line: Line) -> None:
        """Lend the connection to whoever waits, or keep it for the next."""
        if self._is_closing:
            self.send_back_later(line)
        elif not self._hand_on(line):
            self._free.append(line)
            if self._timer is None:
                self._timer = asyncio.get_running_loop().call_later(UNUSED_SECONDS, self._look)

    async def take_back(self, line: Line, error: BaseException) -> None:
        """Have a connection put in order on which `error` ended what was run.

        Whoever was cancelled is late already, and does not wait for it.
        """
        if isinstance(error, asyncio.CancelledError):
            self.send_back_later(line)
        else:
            await self.send_back(line)

    async def send_back(self, line: Line) -> None:
        """Let the pool put the connection in order or replace it; somebody else may ask for one meanwhile."""
        try:
            await self._pool.release(line.connection)
        finally:
            self._taken -= 1
            self._hand_on(None)

    async def close(self) -> None:
        """Send back everything that is not lent. What is lent follows by itself."""
        self._is_closing = True
        if self._timer is not None:
            self._timer.cancel()
        free, self._free = self._free, []
        for line in free:
            await self.send_back(line)

    async def _take(self) -> Line:
        self._taken += 1
        try:
            connection = await self._pool.acquire()
        except BaseException:
            self._taken -= 1
            self._hand_on(None)
            raise
        # The pool's reset leaves the role as it was, so where there is a wall nothing is known of the connection.
        return Line(connection, _UNKNOWN if self._is_walled else None)

    async def _turn(self) -> Line | None:
        """Wait for a connection; None tells to look again."""
        turn: asyncio.Future[Line | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            return await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # else `_hand_on` passes over it
                line = turn.result()
                if line is None:
                    self._hand_on(None)
                else:
                    self.give_back(line)
            raise

    def _hand_on(self, line: Line | None) -> bool:
        """Give the connection, or the word to look again, to the first who waits; False when nobody does."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(line)
                return True
        return False

    def _look(self) -> None:
        """Send back what nobody needed since the last look: the pool closes it in time."""
        unused, self._timer = self._unused, None
        for line in self._free[:unused]:
            self.send_back_later(line)
        self._free = self._free[unused:]
        self._unused = len(self._free)
        if self._free:
            self._timer = asyncio.get_running_loop().call_later(UNUSED_SECONDS, self._look)

    def send_back_later(self, line: Line) -> None:
        """Do as `send_back`, without waiting for it."""
        task = asyncio.create_task(self.send_back(line), name="connection-return")
        self._returns.add(task)
        task.add_done_callback(self._returns.discard)


def _is_usable(connection: Any) -> bool:
    try:
        return not connection.is_closed()
    except asyncpg.InterfaceError:  # the pool took it back by itself when the server hung up
        return False
