"""Running one claimed task: its lease kept alive, its writes fenced, its end written down.

A handler works in steps. Each step is one transaction that ends with the fence: the task's row still names this
worker, or nothing of the step happened. This is one of the two places where the errors of the domain are translated
(the other is resolvers.mutation): an error that the owner can understand ends the task with its message, any other is
tried again after a growing pause.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import structlog

from db import agents as tasks
from db.agents import Lease, TaskRow, lease_of
from db.unit import LOST_CONNECTION, RETRYABLE, Database, Unit
from kit.errors import GraphmarkError, RateLimited, Unavailable
from kit.settings import Settings
from services import agents
from services.agents import TaskStatus
from services.events import EventDraft

log = structlog.get_logger(__name__)
_STEP_TRIES = 5
TRANSIENT = (Unavailable, RateLimited)


class LeaseLost(Exception):  # noqa: N818  a condition, not a mistake
    """The task is no longer ours: paused, cancelled, or taken over. Whatever was not committed is gone."""


class HandBack(Exception):  # noqa: N818  a condition, not a mistake
    """The task is to be given back in good order, to go on later: at once, or after `delay_seconds`."""

    def __init__(self, *, delay_seconds: float = 0) -> None:
        super().__init__()
        self.delay_seconds = delay_seconds


class Stalled(Exception):  # noqa: N818  a condition, not a mistake
    """The task made no step for too long."""


@dataclass(frozen=True, slots=True)
class Handler:
    """What runs tasks of one kind, written in payloads up to `version`."""

    kind: str
    version: int
    run: "Callable[[Job], Awaitable[None]]"


Handlers = Mapping[str, Handler]


def versions(handlers: Handlers) -> dict[str, int]:
    """Return the newest payload version that is understood, by kind."""
    return {handler.kind: handler.version for handler in handlers.values()}


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
        self, work: "Work", *, again_on: tuple[type[Exception], ...] = (), error: str | None = None
    ) -> None:
        """Run a last `work` and end the task, in one transaction, otherwise like `step`. Raises `LeaseLost`.

        With `error` the task ends as failed, for this reason; what `work` did stands all the same.
        """

        async def finish(unit: Unit, _done: "Step") -> TaskRow | None:
            status = TaskStatus.COMPLETED if error is None else TaskStatus.FAILED
            return await tasks.finish(unit, self.lease, status=status, error=error)

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
        async with self._unit() as unit:
            done = await work(unit)
            changed = await close(unit, done)
            if changed is None:
                raise LeaseLost
            shared = () if done.shared is None else await done.shared(unit)
            await agents.announce(unit, changed, [*done.events, *shared])

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

    @asynccontextmanager
    async def _unit(self) -> AsyncIterator[Unit]:
        """Open a transaction that PostgreSQL ends if this process freezes in it for longer than its lease."""
        async with self.database.unit() as unit:
            milliseconds = int(self.settings.task_lease_seconds * 1000)
            await unit.execute(f"SET LOCAL idle_in_transaction_session_timeout = {milliseconds}")
            yield unit


@dataclass(frozen=True, slots=True)
class Step:
    """What a step achieved: overall `progress` 0 to 1, the `name` shown for it, the events that tell of it.

    `shared` runs behind the fence, for rows that many tasks write: they are locked last. It returns further events.
    """

    progress: float
    name: str | None = None
    events: Sequence[EventDraft] = ()
    open_items: int | None = None
    shared: "Callable[[Unit], Awaitable[Sequence[EventDraft]]] | None" = None


Work = Callable[[Unit], Awaitable[Step]]
"""What a handler does in one transaction."""


async def run(job: Job, handler: Handler) -> None:
    """Run a claimed task to its end, or to where it is given back. Raises nothing but cancellation."""
    context = {"task_id": str(job.task.id), "kind": job.task.kind, "attempt": job.task.attempt}
    if job.task.attempt > job.task.max_attempts:
        reason = job.task.error or "its worker ended each time"
        await _settle(
            job, context, lambda unit: _fail(unit, job, f"Given up after {job.task.max_attempts} attempts: {reason}")
        )
        return
    work = asyncio.create_task(_work(job, handler))
    keeper = asyncio.create_task(_keep_lease(job, work))
    try:
        await work
    except LeaseLost:
        log.info("task.lost", **context)
    except HandBack as back:
        delay = back.delay_seconds
        await _settle(job, context, lambda unit: _give_back(unit, job, delay))
        job.back_in_seconds = delay
    except asyncio.CancelledError:
        work.cancel()
        with contextlib.suppress(Exception, asyncio.CancelledError):
            await work
        await _settle(job, context, lambda unit: _give_back(unit, job))
        raise
    except Exception as error:  # noqa: BLE001  whatever a handler raises ends up in its row
        await _settle(job, context, _verdict(job, error, context))
    else:
        log.info("task.done", seconds=round(time.monotonic() - job.started, 3), **context)
    finally:
        keeper.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await keeper


async def _work(job: Job, handler: Handler) -> None:
    """Run the handler; a cancellation that the lease keeper caused is told by its cause."""
    try:
        await handler.run(job)
    except asyncio.CancelledError:
        if job.ended_by is not None:
            raise job.ended_by from None
        raise


async def _keep_lease(job: Job, work: asyncio.Task[None]) -> None:
    """Prolong the lease until the work ends; end the work when the lease is lost or no step was made for too long."""
    settings = job.settings
    while True:
        await asyncio.sleep(settings.task_heartbeat_seconds)
        if time.monotonic() - job.last_step > settings.task_stall_seconds:
            job.ended_by = Stalled
            work.cancel()
            return
        try:
            kept = await tasks.renew(job.database, job.lease, lease_seconds=settings.task_lease_seconds)
        except LOST_CONNECTION as error:
            log.warning("task.heartbeat_missed", task_id=str(job.task.id), error=repr(error))
            continue
        if not kept:
            job.ended_by = LeaseLost
            work.cancel()
            return


def _verdict(job: Job, error: Exception, context: Mapping[str, object]) -> Callable[[Unit], Awaitable[TaskRow | None]]:
    """Decide what an error means for the task."""
    if isinstance(error, GraphmarkError) and not isinstance(error, TRANSIENT):
        log.info("task.refused", error=error.message, **context)
        message = error.message
        return lambda unit: _fail(unit, job, message)
    reason = reason_of(error)
    if job.task.attempt >= job.task.max_attempts:
        log.error("task.dead", exc_info=error, **context)
        return lambda unit: _fail(unit, job, f"Given up after {job.task.attempt} attempts: {reason}")
    delay = job.back_in_seconds = retry_delay(job.task.attempt, job.settings)
    log.warning("task.failed", exc_info=error, retry_in_seconds=round(delay, 1), **context)
    return lambda unit: tasks.give_back(unit, job.lease, delay_seconds=delay, error=reason, uncount=False)


def retry_delay(attempt: int, settings: Settings) -> float:
    """Return the pause in seconds after `attempt` failures: doubled each time, bounded, half of it by chance."""
    longest: float = min(settings.task_retry_max_seconds, settings.task_retry_seconds * 2.0 ** (attempt - 1))
    return longest * random.uniform(0.5, 1.0)  # noqa: S311  jitter, not a secret


def reason_of(error: Exception) -> str:
    """Say what went wrong without showing the owner the inside of the server; the log has the rest."""
    if isinstance(error, GraphmarkError):
        return error.message
    if isinstance(error, Stalled):
        return "it made no progress for too long"
    if isinstance(error, LOST_CONNECTION):
        return "the database could not be reached"
    return f"internal error ({type(error).__name__})"


async def _fail(unit: Unit, job: Job, error: str) -> TaskRow | None:
    return await tasks.finish(unit, job.lease, status=TaskStatus.FAILED, error=error)


async def _give_back(unit: Unit, job: Job, delay_seconds: float = 0) -> TaskRow | None:
    if not delay_seconds:
        unit.ring(agents.BELL)
    return await tasks.give_back(unit, job.lease, delay_seconds=delay_seconds, error=job.task.error, uncount=True)


async def _settle(job: Job, context: Mapping[str, object], change: Callable[[Unit], Awaitable[TaskRow | None]]) -> None:
    """Write down how a run ended. If that fails the lease runs out and the task is taken up again: nothing is lost."""
    try:
        async with job.database.unit() as unit:
            changed = await change(unit)
            if changed is None:
                log.info("task.lost", **context)
                return
            await agents.announce(unit, changed)
    except Exception as error:  # noqa: BLE001  see above
        log.warning("task.unsettled", error=repr(error), **context)
