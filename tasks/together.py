"""Ends of tasks that are ready at the same time, written in one transaction.

A commit waits for the disk, however little it writes. So while one is under way the ends of further tasks collect, and
the next transaction writes all of them: each behind its own fence, and all of it or nothing. If that does not work out,
because one of them has lost its lease or its last work fails, each is tried alone, as if it had never been together.
"""

import asyncio
from collections import deque
from typing import Final

import structlog

from db import agents as tasks
from db.unit import Database, Unit
from services import agents
from services.events import EventDraft
from tasks.job import End, Step

log = structlog.get_logger(__name__)
_MOST: Final = 32
"""Ends that share a transaction."""


class Together:
    """The ends that one worker has to write."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: deque[tuple[End, asyncio.Future[bool]]] = deque()
        self._writing: asyncio.Task[None] | None = None

    async def write(self, end: End) -> bool:
        """Write an end, maybe with others; False when it was not written and is to be tried alone."""
        written: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((end, written))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_all(), name="ends")
        return await written

    async def _write_all(self) -> None:
        try:
            while self._waiting:
                await self._write_some()
        finally:
            self._writing = None

    async def _write_some(self) -> None:
        taken: list[tuple[End, asyncio.Future[bool]]] = []
        is_written = False
        try:
            async with self._database.unit() as unit:
                taken = self._take()  # not before: meanwhile more have come
                await _write(unit, [end for end, _ in taken])
            is_written = True
        except Exception as error:  # noqa: BLE001  whose fault it is shows when each is tried alone
            taken = taken or self._take()
            log.info("task.ends_apart", ends=len(taken), reason=type(error).__name__)
        for _, written in taken:
            if not written.done():
                written.set_result(is_written)

    def _take(self) -> list[tuple[End, asyncio.Future[bool]]]:
        """Take the next that are still waited for: others were cancelled."""
        some = [self._waiting.popleft() for _ in range(min(_MOST, len(self._waiting)))]
        return [(end, written) for end, written in some if not written.done()]


class _NotAllError(Exception):
    """One of the tasks has lost its lease."""


async def _write(unit: Unit, ends: list[End]) -> None:
    done = {end.lease.task_id: await end.work(unit) for end in ends}
    changed = await tasks.finish_together(
        unit, [end.lease for end in ends], [end.status for end in ends], [end.error for end in ends]
    )
    if len(changed) < len(ends):
        raise _NotAllError
    await agents.announce_all(unit, [(task, await _events(unit, done[task.id])) for task in changed])


async def _events(unit: Unit, done: Step) -> list[EventDraft]:
    return [*done.events, *(() if done.shared is None else await done.shared(unit))]
