"""A claimed task in the hands of its handler: steps, each one transaction that stands only if the lease does.

A step ends with the fence: the task's row still names this worker, or nothing of the step happened.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

import structlog

from db import agents as tasks
from db.agents import Lease, TaskRow, lease_of
from db.unit import RETRYABLE, Database, Unit
from kit.settings import Settings
from services import agents
from services.agents import TaskStatus
from services.events import EventDraft

log = structlog.get_logger(__name__)
_STEP_TRIES = 5


class LeaseLost(Exception):  # noqa: N818  a condition, not a mistake
    """The task is no longer ours: paused, cancelled, or taken over. Whatever was not committed is gone."""


class HandBack(Exception):  # noqa: N818  a condition, not a mistake
    """The task is to be given back in good order, to go on later: at once, or after `delay_seconds`."""

    def __init__(self, *, delay_seconds: float = 0) -> None:
        super().__init__()
        self.delay_seconds = delay_seconds


class Stalled(Exception):  # noqa: N818  a condition, not a mistake
    """The task made no step for too long."""


@dataclass(slots=True)
class Job:
    """A claimed task in the hands of its handler.

    `should_yield` is asked between steps: whether the process is to end, or others wait for the slot.
    """

    task: TaskRow
    database: Database
    settings: Settings
    should_yield: "Callable[[Job], Awaitable[bool]]"
    started: float = field(default_factory=time.monotonic)
    last_step: float = field(default_factory=time.monotonic)
    ended_by: "type[LeaseLost | Stalled] | None" = None
    back_in_seconds: float | None = None
    """After which pause the task was given back; None when it was not."""
    ends: "Ends | None" = None
    """Where brief ends are written together; None when each is written alone."""
    leave: Callable[[], None] = lambda: None
    """To be called when nothing is left to do but to wait for such an end: the slot may go to another task."""

    @property
    def lease(self) -> Lease:
        """The right to write."""
        return lease_of(self.task)

    async def step(self, work: "Work", *, again_on: tuple[type[Exception], ...] = (), gives_way: bool = True) -> None:
        """Run `work` in one transaction that stands only if the lease does.

        The events that `work` returns are written last. A deadlock or a serialisation failure is nobody's fault: all
        of `work` runs again, at most five times, and so it does on the errors in `again_on`. Raises `LeaseLost`, and
        `HandBack` when it is time to give way after the step, unless it is not to be (`gives_way`).
        """
        await self._repeat(lambda: self._transact(work, self._advance), again_on)
        self.alive()
        if gives_way:
            await self.checkpoint()

    async def park(self, work: "Work") -> None:
        """Run `work` like a step and let go of the task until it is woken. The handler returns behind it."""
        await self._repeat(lambda: self._transact(work, self._park), ())

    async def complete(
        self,
        work: "Work",
        *,
        again_on: tuple[type[Exception], ...] = (),
        error: str | None = None,
        is_brief: bool = False,
    ) -> None:
        """Run a last `work` and end the task, in one transaction, otherwise like `step`. Raises `LeaseLost`.

        With `error` the task ends as failed, for this reason; what `work` did stands all the same. `is_brief` work is a
        few statements on rows that no other task writes: it may share its transaction with the ends of other tasks.
        """
        status = TaskStatus.COMPLETED if error is None else TaskStatus.FAILED

        async def finish(unit: Unit, _done: "Step") -> TaskRow | None:
            return await tasks.finish(unit, self.lease, status=status, error=error)

        if is_brief and self.ends is not None:
            self.leave()
            if await self.ends.write(End(self.lease, work, status, error)):
                return
        await self._repeat(lambda: self._transact(work, finish), again_on)

    def alive(self) -> None:
        """Say that the work got on, or waits for something that ends by itself: it has not stalled."""
        self.last_step = time.monotonic()

    async def checkpoint(self) -> None:
        """Raise `HandBack` when it is time to give way. Steps do it by themselves."""
        if await self.should_yield(self):
            raise HandBack

    async def _repeat(self, write: Callable[[], Awaitable[None]], again_on: tuple[type[Exception], ...]) -> None:
        for attempt in range(1, _STEP_TRIES + 1):
            try:
                return await write()
            except (*RETRYABLE, *again_on) as error:
                if attempt == _STEP_TRIES:
                    raise
                log.info("task.step_repeated", task_id=str(self.task.id), reason=type(error).__name__, attempt=attempt)
                await asyncio.sleep(random.uniform(0, 0.05 * 2**attempt))  # noqa: S311  jitter, not a secret
        return None

    async def _transact(self, work: "Work", close: "Callable[[Unit, Step], Awaitable[TaskRow | None]]") -> None:
        async with self.database.unit() as unit:
            done = await work(unit)
            changed = await close(unit, done)
            if changed is None:
                raise LeaseLost
            shared = () if done.shared is None else await done.shared(unit)
            await agents.announce(unit, changed, [*done.events, *shared], others=done.others)

    async def _advance(self, unit: Unit, done: "Step") -> TaskRow | None:
        seconds = self.settings.task_lease_seconds
        return await tasks.step(
            unit,
            self.lease,
            lease_seconds=seconds,
            progress=done.progress,
            current_step=done.name,
            open_items=done.open_items,
        )

    async def _park(self, unit: Unit, done: "Step") -> TaskRow | None:
        return await tasks.park(unit, self.lease, progress=done.progress, current_step=done.name)


@dataclass(frozen=True, slots=True)
class Step:
    """What a step achieved: overall `progress` 0 to 1, the `name` shown for it, the events that tell of it.

    `shared` runs behind the fence, for rows that many tasks write: they are locked last. It returns further events.
    `others` are events of other owners than the task's, each with its owner.
    """

    progress: float
    name: str | None = None
    events: Sequence[EventDraft] = ()
    open_items: int | None = None
    shared: "Callable[[Unit], Awaitable[Sequence[EventDraft]]] | None" = None
    others: Sequence[tuple[UUID, EventDraft]] = ()


Work = Callable[[Unit], Awaitable[Step]]
"""What a handler does in one transaction."""


@dataclass(frozen=True, slots=True)
class End:
    """How a task is to end: with which last work, status and error."""

    lease: Lease
    work: Work
    status: TaskStatus
    error: str | None


class Ends(Protocol):
    """Writes the ends of several tasks in one transaction (tasks.together)."""

    async def write(self, end: End) -> bool:
        """Write an end, maybe with others; False when it was not written and is to be tried alone."""
        ...
