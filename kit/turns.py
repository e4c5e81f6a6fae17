"""Fairness inside one process: nobody gets more than a share of what all need."""

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary


class Turns:
    """Lets at most `limit` pieces of work of one key run at once; more of them wait in line, holding nothing.

    Keys that nobody uses are forgotten.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lines: WeakValueDictionary[Hashable, asyncio.Semaphore] = WeakValueDictionary()

    @asynccontextmanager
    async def taken(self, key: Hashable) -> AsyncIterator[None]:
        """Wait for a turn and keep it while the block runs. First come, first served."""
        line = self._lines.get(key)
        if line is None:
            line = self._lines[key] = asyncio.Semaphore(self._limit)
        async with line:
            yield

    def __len__(self) -> int:
        """Return how many keys have work that runs or waits."""
        return len(self._lines)
