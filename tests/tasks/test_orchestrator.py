"""The engine: who gets which task, what a lease protects, how tasks end."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from db import agents as rows
from db.agents import TaskRow, lease_of
from db.unit import Database, Unit
from kit.errors import BadInput, Conflict, Unavailable
from kit.settings import Settings
from services import agents, events
from services.agents import TaskStatus
from services.events import EventDraft, Topic
from services.permissions import Viewer
from tasks.envelope import Handler, retry_delay
from tasks.job import Job, LeaseLost, Step
from tests.faults.processes import until
from tests.make import Maker
from tests.working import worker_on

KINDS = {"work": 1}
Run = Callable[[Job], Awaitable[None]]


def handlers(run: Run, kind: str = "work", version: int = 1) -> dict[str, Handler]:
    return {kind: Handler(kind, version, run)}


async def nothing(_unit: Unit) -> Step:
    return Step(1)


async def finish(job: Job) -> None:
    await job.complete(nothing)


async def enqueue(database: Database, viewer: Viewer, **options: Any) -> TaskRow:
    values: dict[str, Any] = {"workflow": "TEST", "kind": "work", "payload": {}, "max_attempts": 3} | options
    async with database.unit() as unit:
        task = await agents.enqueue(unit, viewer, **values)
        await agents.announce(unit, task)
    return task


async def claim(database: Database, seconds: float = 60, kinds: Mapping[str, int] = KINDS) -> TaskRow | None:
    async with database.unit() as unit:
        found = await rows.claim(unit, uuid4(), lease_seconds=seconds, kinds=kinds)
    return found[0] if found else None


async def claimed(database: Database, seconds: float = 60) -> TaskRow:
    task = await claim(database, seconds)
    assert task is not None
    return task


async def state(database: Database, task: TaskRow) -> TaskRow:
    row = await rows.by_id(database, task.owner_id, task.id)
    assert row is not None
    return row


async def test_work_rings_after_its_commit_and_is_done_once(
    database: Database, quick: Settings, make: Maker, rung: Any
) -> None:
    ran: list[UUID] = []

    async def run(job: Job) -> None:
        ran.append(job.task.id)
        await finish(job)

    task = await enqueue(database, await make.viewer())
    assert rung.bells == ["work"]
    async with worker_on(database, quick, handlers(run)) as one, worker_on(database, quick, handlers(run)) as two:
        await asyncio.gather(one.until_idle(), two.until_idle())
    assert ran == [task.id]
    done = await state(database, task)
    assert (done.status, done.progress, done.fence, done.attempt, done.lease_owner) == ("COMPLETED", 1, 1, 1, None)
    told = await event_statuses(database, task)
    assert told == ["PENDING", "RUNNING", "COMPLETED"]


async def event_statuses(database: Database, task: TaskRow) -> list[str]:
    found = await database.fetch(
        "SELECT payload FROM events WHERE topic = $1 AND subject_id = $2 ORDER BY seq", Topic.TASK.value, task.id
    )
    return [row["payload"]["status"] for row in found]


async def test_higher_priority_first_then_the_owner_who_runs_least(database: Database, make: Maker) -> None:
    greedy, modest = await make.viewer(), await make.viewer()
    many = [await enqueue(database, greedy) for _ in range(20)]
    small = await enqueue(database, modest)
    urgent = await enqueue(database, greedy, priority=5)
    order = [(await claimed(database)).id for _ in range(4)]
    assert order == [urgent.id, small.id, many[0].id, many[1].id]


async def test_a_giant_task_gives_way_to_somebody_elses_small_one(
    database: Database, quick: Settings, make: Maker
) -> None:
    settings = replace(quick, worker_slots=1, task_slice_seconds=0.05)
    order: list[str] = []

    async def run(job: Job) -> None:
        if job.task.payload["size"] == "small":
            order.append("small")
            await finish(job)
            return
        while True:
            await job.step(half)
            await asyncio.sleep(0.01)
            if "small" in order:
                break
        order.append("giant")
        await finish(job)

    async def half(_unit: Unit) -> Step:
        return Step(0.5)

    giant = await enqueue(database, await make.viewer(), payload={"size": "giant"})
    async with worker_on(database, settings, handlers(run)) as worker:
        async with asyncio.timeout(10):
            while (await state(database, giant)).progress < 0.4:  # noqa: ASYNC110  the row is the only sign
                await asyncio.sleep(0.01)
            await enqueue(database, await make.viewer(), payload={"size": "small"})
        await worker.until_idle()
    assert order == ["small", "giant"]
    assert (await state(database, giant)).attempt == 1


async def test_work_that_never_gives_way_leaves_a_slot_to_others(
    database: Database, quick: Settings, make: Maker
) -> None:
    greedy, modest = await make.viewer(), await make.viewer()
    release, running = asyncio.Event(), 0

    async def run(job: Job) -> None:
        nonlocal running
        if job.task.owner_id == greedy.id:
            running += 1
            await release.wait()
        await finish(job)

    for _ in range(5):
        await enqueue(database, greedy)
    async with worker_on(database, replace(quick, worker_slots=3), handlers(run)) as worker, asyncio.timeout(20):
        await until(lambda: running == 2, "two of three slots taken")
        small = await enqueue(database, modest)
        worker.wake()
        await until(lambda: is_done(database, small), "the other owner's task is done")
        assert running == 2
        release.set()
        await worker.until_idle()
    assert running == 5


async def is_done(database: Database, task: TaskRow) -> bool:
    return (await state(database, task)).status == "COMPLETED"


async def test_two_workers_never_claim_the_same_task(database: Database, make: Maker) -> None:
    viewer = await make.viewer()
    for _ in range(30):
        await enqueue(database, viewer)
    found = await asyncio.gather(*(claim(database) for _ in range(8)))
    keys = [task.id for task in found if task is not None]
    assert len(keys) == len(set(keys)) == 8


async def test_a_lost_lease_writes_nothing(database: Database, quick: Settings, make: Maker) -> None:
    await enqueue(database, await make.viewer())
    zombie = await claimed(database, seconds=0)
    heir = await claimed(database)
    assert (heir.id, heir.fence, heir.attempt) == (zombie.id, zombie.fence + 1, 2)
    job = Job(zombie, database, quick, _never)
    written: list[int] = []

    async def write(unit: Unit) -> Step:
        written.append(await unit.execute("UPDATE users SET name = 'zombie'"))
        return Step(0.9, "late", [EventDraft(Topic.TASK, zombie.id, {"status": "ZOMBIE"})])

    with pytest.raises(LeaseLost):
        await job.step(write)
    with pytest.raises(LeaseLost):
        await job.complete(write)
    assert written == [1, 1]
    assert await database.fetchval("SELECT count(*) FROM users WHERE name = 'zombie'") == 0
    assert (await state(database, heir)).progress == 0
    assert "ZOMBIE" not in await event_statuses(database, heir)
    assert not await rows.renew(database, lease_of(zombie), lease_seconds=60)
    assert await rows.renew(database, lease_of(heir), lease_seconds=60)


async def _never(_job: Job) -> bool:
    return False


async def test_pausing_stops_the_running_worker_and_resuming_goes_on(
    database: Database, quick: Settings, make: Maker
) -> None:
    viewer = await make.viewer()
    running, steps, ended = asyncio.Event(), 0, asyncio.Event()

    async def run(job: Job) -> None:
        nonlocal steps
        try:
            while steps < 1000 and not go_on.is_set():
                await job.step(half)
                steps += 1
                running.set()
        finally:
            ended.set()
        await finish(job)

    async def half(_unit: Unit) -> Step:
        return Step(0.5)

    go_on = asyncio.Event()
    task = await enqueue(database, viewer)
    async with worker_on(database, quick, handlers(run)) as worker:
        await asyncio.wait_for(running.wait(), 10)
        async with database.unit() as unit:
            await agents.pause(unit, await agents.get(unit, viewer, task.id))
        await asyncio.wait_for(ended.wait(), 10)
        assert (await state(database, task)).status == TaskStatus.PAUSED
        go_on.set()
        async with database.unit() as unit:
            await agents.resume(unit, await agents.get(unit, viewer, task.id))
        await worker.until_idle()
    assert (await state(database, task)).status == TaskStatus.COMPLETED


async def test_an_error_of_the_domain_ends_a_task_with_its_message(
    database: Database, quick: Settings, make: Maker
) -> None:
    async def run(_job: Job) -> None:
        raise BadInput("The file is no longer there.")

    task = await enqueue(database, await make.viewer())
    async with worker_on(database, quick, handlers(run)) as worker:
        await worker.until_idle()
    failed = await state(database, task)
    assert (failed.status, failed.error, failed.attempt) == ("FAILED", "The file is no longer there.", 1)


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (RuntimeError("SELECT secret"), "internal error (RuntimeError)"),
        (Unavailable("The model sleeps."), "The model sleeps."),
    ],
)
async def test_what_always_fails_ends_as_a_dead_letter_and_can_be_replayed(
    database: Database, quick: Settings, make: Maker, error: Exception, shown: str
) -> None:
    viewer, healthy, runs = await make.viewer(), asyncio.Event(), 0

    async def run(job: Job) -> None:
        nonlocal runs
        runs += 1
        if not healthy.is_set():
            raise error
        await finish(job)

    task = await enqueue(database, viewer)
    async with worker_on(database, quick, handlers(run)) as worker:
        await worker.until_idle()
        dead = await rows.dead(database, limit=10)
        assert [(one.id, one.error) for one in dead] == [(task.id, f"Given up after 3 attempts: {shown}")]
        assert runs == 3
        healthy.set()
        async with database.unit() as unit:
            await agents.retry(unit, await agents.get(unit, viewer, task.id))
        await worker.until_idle()
    done = await state(database, task)
    assert (done.status, done.error, runs) == ("COMPLETED", None, 4)


async def test_a_task_that_kills_its_worker_counts_each_time(database: Database, quick: Settings, make: Maker) -> None:
    task = await enqueue(database, await make.viewer())
    for attempt in (1, 2, 3):
        assert (await claimed(database, seconds=0)).attempt == attempt  # and its worker is gone
    async with worker_on(database, quick, handlers(finish)) as worker:
        await worker.until_idle()
    failed = await state(database, task)
    assert failed.status == "FAILED"
    assert failed.error == "Given up after 3 attempts: its worker ended each time"


async def test_progress_starts_the_count_of_attempts_anew(database: Database, quick: Settings, make: Maker) -> None:
    await enqueue(database, await make.viewer())
    for _ in range(2):
        task = await claimed(database, seconds=0)
    task = await claimed(database)
    assert task.attempt == 3

    async def half(_unit: Unit) -> Step:
        return Step(0.5)

    await Job(task, database, quick, _never).step(half)
    assert (await state(database, task)).attempt == 1


async def test_what_no_worker_knows_waits(database: Database, quick: Settings, make: Maker) -> None:
    viewer = await make.viewer()
    strange = await enqueue(database, viewer, kind="from.the.future")
    newer = await enqueue(database, viewer, payload_version=2)
    known = await enqueue(database, viewer)
    async with worker_on(database, quick, handlers(finish)) as worker:
        async with asyncio.timeout(10):
            while (await state(database, known)).status != "COMPLETED":
                worker.wake()
                await asyncio.sleep(0.01)
    for task in (strange, newer):
        waiting = await state(database, task)
        assert (waiting.status, waiting.attempt) == ("PENDING", 0)
    assert (await claim(database, kinds={"work": 2})) is not None
    assert (await claim(database, kinds={"from.the.future": 1})) is not None


async def test_tasks_that_have_ended_stay_ended(database: Database, quick: Settings, make: Maker) -> None:
    viewer = await make.viewer()
    task = await enqueue(database, viewer)
    async with worker_on(database, quick, handlers(finish)) as worker:
        await worker.until_idle()
    for verb in (agents.pause, agents.resume, agents.cancel, agents.retry):
        async with database.unit() as unit:
            owned = await agents.get(unit, viewer, task.id)
            with pytest.raises(Conflict):
                await verb(unit, owned)


def test_pauses_grow_and_are_bounded(settings: Settings) -> None:
    for attempt, longest in ((1, 2), (2, 4), (5, 32), (30, 300)):
        for _ in range(20):
            assert longest / 2 <= retry_delay(attempt, settings) <= longest


async def test_seq_of_is_the_number_behind_a_cursor() -> None:
    assert events.seq_of(events.cursor_of(7)) == 7
