"""Workers that stop, stall or hold on."""

import asyncio
from dataclasses import replace
from typing import Any

import asyncpg
import pytest

from db import agents as tasks
from db.unit import Database, Unit
from kit.settings import Settings
from tasks.job import Job, Step
from tests.make import Maker
from tests.tasks.test_orchestrator import enqueue, finish, handlers, state
from tests.working import worker_on


async def test_stopping_hands_back_at_the_next_step(
    database: Database, quick: Settings, make: Maker, rung: Any
) -> None:
    started = asyncio.Event()

    async def run(job: Job) -> None:
        while True:
            await job.step(half)
            started.set()

    async def half(_unit: Unit) -> Step:
        return Step(0.5)

    task = await enqueue(database, await make.viewer())
    async with worker_on(database, quick, handlers(run)):
        await asyncio.wait_for(started.wait(), 10)
        rung.bells.clear()
    back = await state(database, task)
    assert (back.status, back.attempt, back.lease_owner, back.progress) == ("PENDING", 0, None, 0.5)
    assert rung.bells == ["work"]


async def test_a_worker_that_does_not_stop_is_cut_off(database: Database, quick: Settings, make: Maker) -> None:
    started = asyncio.Event()

    async def run(_job: Job) -> None:
        started.set()
        await asyncio.Event().wait()

    task = await enqueue(database, await make.viewer())
    async with worker_on(database, replace(quick, task_shutdown_seconds=0.2), handlers(run)):
        await asyncio.wait_for(started.wait(), 10)
    assert (await state(database, task)).status == "PENDING"


async def test_a_task_without_progress_is_ended(database: Database, quick: Settings, make: Maker) -> None:
    async def run(_job: Job) -> None:
        await asyncio.Event().wait()

    task = await enqueue(database, await make.viewer(), max_attempts=1)
    settings = replace(quick, task_heartbeat_seconds=0.02, task_stall_seconds=0.05)
    async with worker_on(database, settings, handlers(run)) as worker:
        await worker.until_idle()
    assert (await state(database, task)).error == "Given up after 1 attempts: it made no progress for too long"


async def test_the_heartbeat_keeps_a_long_step(database: Database, quick: Settings, make: Maker) -> None:
    async def run(job: Job) -> None:
        await asyncio.sleep(0.6)
        await finish(job)

    task = await enqueue(database, await make.viewer())
    settings = replace(quick, task_lease_seconds=0.25, task_heartbeat_seconds=0.05)
    async with worker_on(database, settings, handlers(run)) as one, worker_on(database, settings, handlers(run)) as two:
        await asyncio.gather(one.until_idle(), two.until_idle())
    done = await state(database, task)
    assert (done.status, done.fence) == ("COMPLETED", 1)


@pytest.mark.parametrize(
    "told", [asyncpg.CannotConnectNowError, asyncpg.AdminShutdownError, asyncpg.TooManyConnectionsError]
)
async def test_the_heartbeat_outlives_a_database_that_is_away(
    database: Database, quick: Settings, make: Maker, monkeypatch: pytest.MonkeyPatch, told: type[Exception]
) -> None:
    """It misses a beat and keeps the lease all the same with the next: nobody else takes the task."""
    renew, missed = tasks.renew, 0

    async def away(*arguments: Any, **more: Any) -> bool:
        nonlocal missed
        missed += 1
        if missed <= 2:
            raise told("the database system is shutting down")
        return await renew(*arguments, **more)

    async def run(job: Job) -> None:
        await asyncio.sleep(0.8)
        await finish(job)

    monkeypatch.setattr(tasks, "renew", away)
    task = await enqueue(database, await make.viewer())
    settings = replace(quick, task_lease_seconds=0.4, task_heartbeat_seconds=0.05)
    async with worker_on(database, settings, handlers(run)) as one, worker_on(database, settings, handlers(run)) as two:
        await asyncio.gather(one.until_idle(), two.until_idle())
    done = await state(database, task)
    assert (done.status, done.fence, missed > 2) == ("COMPLETED", 1, True)
