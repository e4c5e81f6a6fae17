"""Brief tasks: ends written together, each behind its own fence; claims ahead, and what they leave to others."""

import asyncio
from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from db import agents as rows
from db.agents import TaskRow, lease_of
from db.unit import Database, Unit
from kit.settings import Settings
from services.agents import TaskStatus
from services.events import EventDraft, Topic
from tasks import pace
from tasks.job import End, Job, LeaseLost, Step
from tasks.pace import BRIEF_SECONDS, Pace
from tasks.together import Together
from tests.faults.processes import until
from tests.make import Maker
from tests.tasks.test_limits import announce
from tests.tasks.test_orchestrator import KINDS, enqueue, event_statuses, handlers, is_done, nothing, state
from tests.working import worker_on


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine makes every task slow: let all be brief that end within a minute."""
    monkeypatch.setattr(pace, "BRIEF_SECONDS", 60.0)


async def take(
    database: Database,
    limit: int = 1,
    *,
    reserved: int = 0,
    ahead: int = 0,
    kinds: dict[str, int] | None = None,
    seconds: float = 60,
) -> list[TaskRow]:
    async with database.unit() as unit:
        return await rows.claim(
            unit,
            uuid4(),
            lease_seconds=seconds,
            kinds=kinds or KINDS,
            limit=limit,
            reserved=reserved,
            brief=list(kinds or KINDS),
            ahead=ahead,
        )


async def brief(job: Job) -> None:
    await job.complete(nothing, is_brief=True)


async def test_ends_that_come_together_share_one_transaction(database: Database, make: Maker) -> None:
    owners = [await make.viewer(), await make.viewer()]
    wanted = [await enqueue(database, owners[number % 2]) for number in range(6)]
    held = await take(database, 6)
    together = Together(database)
    written = await asyncio.gather(
        *(together.write(End(lease_of(task), nothing, TaskStatus.COMPLETED, None)) for task in held)
    )
    assert written == [True] * 6
    ended = [await state(database, task) for task in wanted]
    assert {(task.status, task.progress, task.lease_owner, task.error) for task in ended} == {
        ("COMPLETED", 1, None, None)
    }
    assert len({task.finished_at for task in ended}) == 1  # now() is the time of a transaction
    for owner in owners:
        numbers = await database.fetch("SELECT seq FROM events WHERE owner_id = $1 ORDER BY seq", owner.id)
        assert [row["seq"] for row in numbers] == [1, 2, 3, 4, 5, 6]  # three begun by `enqueue`, three ended
    for task in wanted:
        assert await event_statuses(database, task) == ["PENDING", "COMPLETED"]


async def test_one_lost_lease_keeps_nothing_of_its_own_and_nothing_from_others(
    database: Database, quick: Settings, make: Maker
) -> None:
    viewer = await make.viewer()
    for _ in range(3):
        await enqueue(database, viewer)
    lost, *held = await take(database, 3)
    await database.execute("UPDATE a2a_tasks SET fence = fence + 1 WHERE id = $1", lost.id)
    together = Together(database)

    def work(task: TaskRow) -> Step:
        return Step(1, events=[EventDraft(Topic.TASK, task.id, {"status": f"work of {task.id}"})])

    async def complete(task: TaskRow) -> None:
        async def write(unit: Unit) -> Step:
            await unit.execute("UPDATE a2a_tasks SET workflow = 'WRITTEN' WHERE id = $1", task.id)
            return work(task)

        await Job(task, database, quick, _never, ends=together).complete(write, is_brief=True)

    outcomes = await asyncio.gather(*(complete(task) for task in (lost, *held)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [LeaseLost, type(None), type(None)]
    assert [(one.status, one.workflow) for one in [await state(database, task) for task in (lost, *held)]] == [
        ("RUNNING", "TEST"),
        ("COMPLETED", "WRITTEN"),
        ("COMPLETED", "WRITTEN"),
    ]
    assert await event_statuses(database, lost) == ["PENDING"]
    for task in held:
        assert await event_statuses(database, task) == ["PENDING", "COMPLETED", f"work of {task.id}"]


async def _never(_job: Job) -> bool:
    return False


async def test_work_that_fails_fails_alone(database: Database, quick: Settings, make: Maker) -> None:
    viewer = await make.viewer()
    tasks = [await enqueue(database, viewer, payload={"breaks": number == 2}) for number in range(5)]

    async def run(job: Job) -> None:
        async def work(unit: Unit) -> Step:
            if job.task.payload["breaks"]:
                await unit.execute("SELECT 1 / 0")
            return Step(1)

        await job.complete(work, is_brief=True)

    async with worker_on(database, quick, handlers(run)) as worker:
        await worker.until_idle()
    ended = [await state(database, task) for task in tasks]
    assert [task.status for task in ended] == ["COMPLETED", "COMPLETED", "FAILED", "COMPLETED", "COMPLETED"]
    assert ended[2].error == "Given up after 3 attempts: internal error (DivisionByZeroError)"
    assert [task.attempt for task in ended] == [1, 1, 3, 1, 1]


async def test_an_end_that_nobody_waits_for_is_not_written(database: Database, make: Maker) -> None:
    await enqueue(database, await make.viewer())
    (task,) = await take(database)
    together = Together(database)
    waiting = asyncio.create_task(together.write(End(lease_of(task), nothing, TaskStatus.COMPLETED, None)))
    await asyncio.sleep(0)  # it has asked
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    other = await enqueue(database, await make.viewer())
    (held,) = await take(database)
    assert await together.write(End(lease_of(held), nothing, TaskStatus.COMPLETED, None))
    assert await is_done(database, other)
    assert (await state(database, task)).status == "RUNNING"


@pytest.mark.usefixtures("patient")
async def test_brief_tasks_are_claimed_ahead_and_each_runs_once(
    database: Database, quick: Settings, make: Maker
) -> None:
    owners = [await make.viewer() for _ in range(3)]
    tasks = [await enqueue(database, owners[number % 3]) for number in range(90)]
    ran: list[UUID] = []

    async def run(job: Job) -> None:
        ran.append(job.task.id)
        await brief(job)

    async with worker_on(database, quick, handlers(run)) as one, worker_on(database, quick, handlers(run)) as two:
        await asyncio.gather(one.until_idle(), two.until_idle())
    assert sorted(ran) == sorted(task.id for task in tasks)
    for task in tasks:
        assert await event_statuses(database, task) == ["PENDING", "RUNNING", "COMPLETED"]
    claims = await database.fetchval("SELECT count(DISTINCT started_at) FROM a2a_tasks")
    assert claims < 45  # now() is the time of a transaction: one claim served several


@pytest.mark.usefixtures("patient")
async def test_what_waits_behind_a_slow_one_is_given_back_without_an_attempt(
    database: Database, quick: Settings, make: Maker
) -> None:
    viewer = await make.viewer()
    release, slow = asyncio.Event(), 0

    async def run(job: Job) -> None:
        nonlocal slow
        if job.task.payload.get("slow"):
            slow += 1
            await release.wait()
        await brief(job)

    settings = replace(quick, worker_slots=2, task_lease_seconds=2)  # given back after half a second
    async with worker_on(database, settings, handlers(run)) as worker, asyncio.timeout(30):
        for _ in range(6):
            await enqueue(database, viewer)
        await worker.until_idle()  # now it takes them for brief
        late = [await enqueue(database, viewer, payload={"slow": True}) for _ in range(8)]
        worker.wake()
        await until(lambda: slow == 2, "both slots are taken")
        await until(lambda: given_back(database, 6), "the others are given back")
        waiting = [task for task in [await state(database, task) for task in late] if task.status == "PENDING"]
        assert [task.attempt for task in waiting] == [0] * 6
        release.set()
        await worker.until_idle()
    assert [(await state(database, task)).attempt for task in late] == [1] * 8


async def given_back(database: Database, number: int) -> bool:
    return bool(
        await database.fetchval("SELECT count(*) = $1 FROM a2a_tasks WHERE status = 'PENDING' AND fence > 0", number)
    )


@pytest.mark.usefixtures("patient")
async def test_a_stopped_worker_gives_back_what_it_took_ahead(database: Database, quick: Settings, make: Maker) -> None:
    viewer = await make.viewer()
    stuck, release = asyncio.Event(), asyncio.Event()

    async def run(job: Job) -> None:
        if job.task.payload.get("slow"):
            stuck.set()
            await release.wait()
        await brief(job)

    async with worker_on(database, replace(quick, worker_slots=1), handlers(run)) as worker:
        for _ in range(6):
            await enqueue(database, viewer)
        await worker.until_idle()
        for _ in range(8):
            await enqueue(database, viewer, payload={"slow": True})
        worker.wake()
        await asyncio.wait_for(stuck.wait(), 10)
        worker.stop()
        release.set()
    found = await database.fetch("SELECT status, attempt, lease_owner FROM a2a_tasks WHERE payload->>'slow' = 'true'")
    assert sorted(row["status"] for row in found) == ["COMPLETED"] + ["PENDING"] * 7
    assert {(row["attempt"], row["lease_owner"]) for row in found if row["status"] == "PENDING"} == {(0, None)}


async def test_what_killed_workers_had_taken_ahead_costs_each_task_one_attempt(
    database: Database, quick: Settings, make: Maker
) -> None:
    viewer = await make.viewer()
    tasks = [await enqueue(database, viewer, max_attempts=3) for _ in range(12)]
    assert len(await take(database, 2, ahead=10, seconds=0)) == 12  # and their worker is gone
    assert len(await take(database, 2, ahead=10, seconds=0)) == 2  # what was tried once takes a slot
    async with worker_on(database, quick, handlers(brief)) as worker:
        await worker.until_idle()
    ended = [await state(database, task) for task in tasks]
    assert [task.status for task in ended] == ["COMPLETED"] * 12
    assert sorted(task.attempt for task in ended) == [2] * 10 + [3] * 2


async def test_only_brief_and_untried_tasks_without_limits_go_beyond_the_slots(database: Database, make: Maker) -> None:
    await announce(database)
    viewer = await make.viewer()
    tried = [await enqueue(database, viewer, priority=5) for _ in range(3)]
    await database.execute("UPDATE a2a_tasks SET attempt = 1")
    limited = [await enqueue(database, viewer, kind="VALIDATION", priority=3) for _ in range(3)]
    fresh = [await enqueue(database, viewer) for _ in range(30)]
    kinds = {"work": 1, "VALIDATION": 1}
    found = await take(database, 2, ahead=5, kinds=kinds)
    assert [task.id for task in found] == [tried[0].id, tried[1].id, *(task.id for task in fresh[:5])]
    assert [task.id for task in await take(database, 2, kinds=kinds)] == [tried[2].id, limited[0].id]
    assert len(await take(database, 0, ahead=50, kinds=kinds)) == 16  # a list gives no more to one claim


async def test_reserved_slots_are_for_owners_of_whom_nothing_runs(database: Database, make: Maker) -> None:
    greedy, modest, late = await make.viewer(), await make.viewer(), await make.viewer()
    many = [await enqueue(database, greedy, priority=5) for _ in range(6)]
    small = [await enqueue(database, modest) for _ in range(2)]
    assert [task.id for task in await take(database, 4, reserved=1)] == [*(one.id for one in many[:3]), small[0].id]
    assert await take(database, 1, reserved=1) == []
    last = await enqueue(database, late)
    assert [task.id for task in await take(database, 1, reserved=1)] == [last.id]


def test_a_kind_is_brief_once_it_is_known_to_be() -> None:
    seen = Pace()
    for _ in range(3):
        seen.note("work", 0.001)
    assert seen.brief() == []
    seen.note("work", 0.001)
    assert seen.brief() == ["work"]
    seen.note("work", 4 * BRIEF_SECONDS)
    assert seen.brief() == []
    for _ in range(20):
        seen.note("work", 0.001)
    assert seen.brief() == ["work"]
    seen.forget("work")
    assert seen.brief() == []
