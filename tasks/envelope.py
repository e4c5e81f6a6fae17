"""Running one claimed task: its lease kept alive, its end written down.

This is one of the two places where the errors of the domain are translated (the other is resolvers.mutation): an error
that the owner can understand ends the task with its message, any other is tried again after a growing pause.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import structlog

from db import agents as tasks
from db.agents import TaskRow
from db.unit import LOST_CONNECTION, Unit
from kit.errors import GraphmarkError, RateLimited, Unavailable
from kit.settings import Settings
from services import agents
from services.agents import TaskStatus
from tasks.job import HandBack, Job, LeaseLost, Stalled

log = structlog.get_logger(__name__)
TRANSIENT = (Unavailable, RateLimited)


@dataclass(frozen=True, slots=True)
class Handler:
    """What runs tasks of one kind, written in payloads up to `version`."""

    kind: str
    version: int
    run: Callable[[Job], Awaitable[None]]


Handlers = Mapping[str, Handler]


def versions(handlers: Handlers) -> dict[str, int]:
    """Return the newest payload version that is understood, by kind."""
    return {handler.kind: handler.version for handler in handlers.values()}


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


async def return_unbegun(job: Job) -> None:
    """Give a claimed task back whose handler has not been called."""
    context = {"task_id": str(job.task.id), "kind": job.task.kind, "attempt": job.task.attempt}
    await _settle(job, context, lambda unit: _give_back(unit, job))


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
