"""Lends the connections of asyncpg's pool to one statement after the other.

The pool opens connections, prepares them and closes them. But it also wraps, shields, resets and times each loan, which
takes three times as long as a small statement itself. So a connection whose statement went well stays here and is lent
again at once; whatever went wrong or was cancelled sends it back to the pool, which puts it in order.
"""

import asyncio
from collections import deque
from typing import Any

import asyncpg

UNUSED_SECONDS = 300.0
"""After so long without use a connection goes back to the pool, and after as long again the pool closes it."""


class Connections:
    """At most `size` connections of `pool`, the latest used first. Whoever finds none free waits for their turn."""

    def __init__(self, pool: asyncpg.Pool, *, size: int) -> None:
        self._pool = pool
        self._size = size
        self._taken = 0
        self._free: list[Any] = []
        self._waiting: deque[asyncio.Future[Any]] = deque()
        self._unused = 0  # how many were free all the time since the last look
        self._timer: asyncio.TimerHandle | None = None
        self._returns: set[asyncio.Task[None]] = set()
        self._is_closing = False

    async def borrow(self) -> Any:
        """Return a connection. Give it to `give_back` when all went well, to `take_back` in any other case."""
        while True:
            if self._free:
                connection = self._free.pop()
                self._unused = min(self._unused, len(self._free))
                if _is_usable(connection):
                    return connection
                await self.send_back(connection)
            elif self._taken < self._size:
                return await self._take()
            else:
                connection = await self._turn()
                if connection is not None:
                    return connection

    def give_back(self, connection: Any) -> None:
        """Lend the connection to whoever waits, or keep it for the next."""
        if self._is_closing:
            self.send_back_later(connection)
        elif not self._hand_on(connection):
            self._free.append(connection)
            if self._timer is None:
                self._timer = asyncio.get_running_loop().call_later(UNUSED_SECONDS, self._look)

    async def take_back(self, connection: Any, error: BaseException) -> None:
        """Have a connection put in order on which `error` ended what was run.

        Whoever was cancelled is late already, and does not wait for it.
        """
        if isinstance(error, asyncio.CancelledError):
            self.send_back_later(connection)
        else:
            await self.send_back(connection)

    async def send_back(self, connection: Any) -> None:
        """Let the pool put the connection in order or replace it; somebody else may ask for one meanwhile."""
        try:
            await self._pool.release(connection)
        finally:
            self._taken -= 1
            self._hand_on(None)

    async def close(self) -> None:
        """Send back everything that is not lent. What is lent follows by itself."""
        self._is_closing = True
        if self._timer is not None:
            self._timer.cancel()
        free, self._free = self._free, []
        for connection in free:
            await self.send_back(connection)

    async def _take(self) -> Any:
        self._taken += 1
        try:
            return await self._pool.acquire()
        except BaseException:
            self._taken -= 1
            self._hand_on(None)
            raise

    async def _turn(self) -> Any:
        """Wait for a connection; None tells to look again."""
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            return await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # else `_hand_on` passes over it
                connection = turn.result()
                if connection is None:
                    self._hand_on(None)
                else:
                    self.give_back(connection)
            raise

    def _hand_on(self, connection: Any) -> bool:
        """Give the connection, or the word to look again, to the first who waits; False when nobody does."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(connection)
                return True
        return False

    def _look(self) -> None:
        """Send back what nobody needed since the last look: the pool closes it in time."""
        unused, self._timer = self._unused, None
        for connection in self._free[:unused]:
            self.send_back_later(connection)
        self._free = self._free[unused:]
        self._unused = len(self._free)
        if self._free:
            self._timer = asyncio.get_running_loop().call_later(UNUSED_SECONDS, self._look)

    def send_back_later(self, connection: Any) -> None:
        """Do as `send_back`, without waiting for it."""
        task = asyncio.create_task(self.send_back(connection), name="connection-return")
        self._returns.add(task)
        task.add_done_callback(self._returns.discard)


def _is_usable(connection: Any) -> bool:
    try:
        return not connection.is_closed()
    except asyncpg.InterfaceError:  # the pool took it back by itself when the server hung up
        return False
