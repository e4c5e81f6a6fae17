"""Workflows: every bookmark of every step has one fate, whatever happens on the way."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import orjson
import pytest

from db.agents import TaskRow
from db.unit import Database, Unit
from kit.errors import BadInput, NotFound, Unavailable
from kit.settings import Settings
from services import agents, bookmarks
from services.agents import AgentName, Workflow
from services.events import BookmarkChange, EventDraft, Topic
from tasks.agent import Batch, Deferred, Done, Failed, Outcome, Process, Skipped, Write
from tasks.agents import present
from tasks.agents.conductor import conductor
from tests.faults.processes import until
from tests.make import Maker
from tests.snapshot import snapshot
from tests.tasks.toys import all_done, counts, fates, start, state, steps, toy, toys_at_work
from tests.working import worker_on

STANDARD = (AgentName.VALIDATION, AgentName.ENRICHMENT, AgentName.CATEGORIZATION, AgentName.EMBEDDING)


async def test_each_agent_sees_each_bookmark_once_and_what_was_said_before(
    database: Database, quick: Settings, make: Maker
) -> None:
    viewer = await make.viewer()
    ids = [(await make.bookmark(viewer)).id for _ in range(25)]
    seen: dict[AgentName, list[UUID]] = {name: [] for name in STANDARD}
    earlier: dict[UUID, set[tuple[AgentName, str]]] = {}

    def seeing(name: AgentName) -> Process:
        async def process(batch: Batch) -> Sequence[Outcome]:
            seen[name].extend(item.bookmark_id for item in batch.items)
            for (agent, key), data in batch.earlier.items():
                if key in {item.bookmark_id for item in batch.items}:
                    earlier.setdefault(key, set()).add((agent, data["by"]))
            assert batch.options == {"depth": 2}
            return [Done({"by": name.value}) for _ in batch.items]

        return process

    made = [toy(name, seeing(name), batch_items=3, parallel=2) for name in STANDARD]
    task = await start(database, viewer, ids, Workflow.STANDARD, options={"depth": 2})
    async with toys_at_work(database, quick, *made) as worker:
        await worker.until_idle()
    done = await state(database, task)
    assert (done.status, done.progress, done.step, done.error) == ("COMPLETED", 1, 3, None)
    assert await counts(database, task) == [(name.value, "COMPLETED", 25, 25, 0, 0) for name in STANDARD]
    assert all(sorted(keys) == sorted(ids) for keys in seen.values())
    assert earlier == {key: {(name, name.value) for name in STANDARD[:3]} for key in ids}
    assert await database.fetchval("SELECT count(*) FROM a2a_tasks WHERE parent_id = $1", task.id) == 12
    assert await database.fetchval("SELECT count(*) FROM a2a_task_items WHERE data IS NOT NULL") == 0


async def test_artifacts_tell_all_and_never_change(database: Database, quick: Settings, make: Maker) -> None:
    viewer = await make.viewer()
    ids = [(await make.bookmark(viewer)).id for _ in range(12)]
    task = await start(database, viewer, ids)
    async with toys_at_work(database, quick, toy()) as worker:
        await worker.until_idle()
    found = await database.fetch("SELECT * FROM a2a_task_results WHERE task_id = $1 ORDER BY first_item", task.id)
    assert [(row["first_item"], row["last_item"], row["done"]) for row in found] == [(1, 10, 10), (11, 12, 2)]
    told = []
    for row in found:
        assert row["size_bytes"] == len(row["content"])
        assert row["sha256"] == hashlib.sha256(row["content"]).digest()
        told += orjson.loads(row["content"])["results"]
    assert [(one["bookmarkId"], one["outcome"], one["data"]) for one in told] == [
        (str(key), "DONE", {"seen": str(key)}) for key in ids
    ]
    with pytest.raises(Exception, match="never changed"):
        await database.execute("UPDATE a2a_task_results SET done = 0")


async def test_what_an_agent_writes_stands_with_the_fate(database: Database, quick: Settings, make: Maker) -> None:
    viewer = await make.viewer()
    good, bad, vanished = [(await make.bookmark(viewer)).id for _ in range(3)]

    def write(key: UUID) -> Write:
        async def work(unit: Unit) -> list[EventDraft]:
            await unit.execute("UPDATE bookmarks SET summary = 'read' WHERE id = $1", key)
            if key == bad:
                await unit.execute("SELECT 1 / 0")
            return [EventDraft(Topic.BOOKMARK, key, {"change": BookmarkChange.UPDATED, "ids": [str(key)]})]

        return work

    async def process(batch: Batch) -> list[Outcome]:
        async with database.unit() as unit:
            await bookmarks.delete(unit, viewer, [vanished], permanently=True)
        return [Done(write=write(item.bookmark_id)) for item in batch.items]

    task = await start(database, viewer, [good, bad, vanished])
    async with toys_at_work(database, quick, toy(process=process, batch_items=10)) as worker:
        await worker.until_idle()
    assert await fates(database, task) == {
        good: ("DONE", None, 1),
        bad: ("FAILED", "Given up after 3 attempts: internal error (DivisionByZeroError)", 3),
        vanished: ("SKIPPED", "The bookmark is gone.", 1),
    }
    found = await database.fetch("SELECT id FROM bookmarks WHERE summary = 'read'")
    assert [row["id"] for row in found] == [good]
    told = await database.fetch(
        "SELECT payload FROM events WHERE topic = 'bookmark.changed' AND payload->>'change' = 'UPDATED'"
    )
    assert [row["payload"]["ids"] for row in told] == [[str(good)]]


async def test_outcomes_become_fates_and_failures_go_no_further(
    database: Database, quick: Settings, make: Maker
) -> None:
    viewer = await make.viewer()
    done, failed, skipped, late, refused = [(await make.bookmark(viewer)).id for _ in range(5)]
    deferred = False

    async def process(batch: Batch) -> list[Outcome]:
        nonlocal deferred
        [item] = batch.items
        if item.bookmark_id == late and not deferred:
            deferred = True
            return [Deferred(0.05, "Patience.")]
        if item.bookmark_id == refused:
            raise BadInput("It is no page.")
        told: dict[UUID, Outcome] = {failed: Failed("Gone for good."), skipped: Skipped("Nothing to do.")}
        return [told.get(item.bookmark_id, Done())]

    task = await start(database, viewer, [done, failed, skipped, late, refused], Workflow.QUICK)
    async with toys_at_work(database, quick, toy(process=process), toy(AgentName.CATEGORIZATION)) as worker:
        await worker.until_idle()
    assert await fates(database, task) == {
        done: ("DONE", None, 1),
        failed: ("FAILED", "Gone for good.", 1),
        skipped: ("SKIPPED", "Nothing to do.", 1),
        late: ("DONE", None, 1),
        refused: ("FAILED", "It is no page.", 1),
    }
    assert set(await fates(database, task, 1)) == {done, skipped, late}
    assert await counts(database, task) == [
        ("VALIDATION", "COMPLETED", 5, 2, 2, 1),
        ("CATEGORIZATION", "COMPLETED", 3, 3, 0, 0),
    ]
    assert (await state(database, task)).status == "COMPLETED"


async def test_a_failure_is_tried_again_alone_and_the_rest_goes_on(
    database: Database, quick: Settings, make: Maker
) -> None:
    viewer = await make.viewer()
    ids = [(await make.bookmark(viewer)).id for _ in range(6)]
    calls: list[int] = []

    async def process(batch: Batch) -> list[Outcome]:
        calls.append(len(batch.items))
        if ids[3] in {item.bookmark_id for item in batch.items}:
            raise Unavailable("The model sleeps.")
        return await all_done(batch)

    task = await start(database, viewer, ids)
    async with toys_at_work(database, quick, toy(process=process, batch_items=6)) as worker:
        await worker.until_idle()
    found = await fates(database, task)
    assert found.pop(ids[3]) == ("FAILED", "Given up after 3 attempts: The model sleeps.", 3)
    assert set(found.values()) == {("DONE", None, 2)}
    assert calls[0] == 6
    assert set(calls[1:]) == {1}


async def test_a_batch_that_takes_too_long_is_ended(database: Database, quick: Settings, make: Maker) -> None:
    viewer = await make.viewer()
    key = (await make.bookmark(viewer)).id

    async def process(_batch: Batch) -> list[Outcome]:
        await asyncio.Event().wait()
        raise AssertionError

    task = await start(database, viewer, [key])
    async with toys_at_work(database, quick, toy(process=process, deadline_seconds=0.05)) as worker:
        await worker.until_idle()
    assert await fates(database, task) == {key: ("FAILED", "Given up after 3 attempts: It took longer than 0.05 s.", 3)}
    failed = await state(database, task)
    assert (failed.status, failed.error) == ("FAILED", "No bookmark got through; 1 failed. Their items tell why.")


async def test_who_was_in_hand_when_a_worker_died_is_run_alone(
    database: Database, quick: Settings, make: Maker
) -> None:
    viewer = await make.viewer()
    ids = [(await make.bookmark(viewer)).id for _ in range(8)]
    task = await start(database, viewer, ids)
    async with worker_on(database, quick, {"WORKFLOW": conductor({AgentName.VALIDATION: toy()})}):
        await until(lambda: units_of(database, task), "planned")
    await database.execute("UPDATE a2a_tasks SET attempt = 1 WHERE parent_id IS NOT NULL")  # somebody had it
    await database.execute(
        "UPDATE a2a_task_items SET in_hand = true, attempt = CASE position WHEN 3 THEN 3 ELSE 1 END WHERE position < 5"
    )
    calls: list[list[UUID]] = []

    async def process(batch: Batch) -> list[Outcome]:
        calls.append([item.bookmark_id for item in batch.items])
        return await all_done(batch)

    async with toys_at_work(database, quick, toy(process=process, batch_items=10)) as worker:
        await worker.until_idle()
    assert calls == [[ids[0]], [ids[1]], [ids[3]], ids[4:]]
    found = await fates(database, task)
    assert found[ids[2]] == ("FAILED", "Given up after 3 attempts: its worker ended each time", 3)
    assert [status for status, _, _ in found.values()].count("DONE") == 7


async def units_of(database: Database, task: TaskRow) -> int:
    return int(await database.fetchval("SELECT count(*) FROM a2a_tasks WHERE parent_id = $1", task.id))


async def test_a_query_takes_all_that_it_finds(
    database: Database, quick: Settings, make: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.agents.planning.PLAN_ITEMS", 7)
    viewer, other = await make.viewer(), await make.viewer()
    wanted = [(await make.bookmark(viewer, {"title": f"graph {n}"})).id for n in range(40)]
    await make.bookmark(viewer, {"title": "something else"})
    await make.trashed(viewer, {"title": "graph in the trash"})
    await make.bookmark(other, {"title": "graph of another"})
    task = await start(database, viewer, query="graph")
    everything = await start(database, viewer)
    async with toys_at_work(database, quick, toy()) as worker:
        await worker.until_idle()
    assert set(await fates(database, task)) == set(wanted)
    assert await counts(database, task) == [("VALIDATION", "COMPLETED", 40, 40, 0, 0)]
    assert await counts(database, everything) == [("VALIDATION", "COMPLETED", 41, 41, 0, 0)]
    assert await database.fetchval("SELECT count(*) FROM a2a_tasks WHERE parent_id = $1", task.id) == 4


async def test_nothing_is_started_on_what_is_not_ones_own(database: Database, make: Maker) -> None:
    viewer, other = await make.viewer(), await make.viewer()
    mine, foreign = (await make.bookmark(viewer)).id, (await make.bookmark(other)).id
    before = await snapshot(database)
    with pytest.raises(NotFound) as caught:
        await start(database, viewer, [mine, foreign])
    assert caught.value.field == ("input", "bookmarkIds", "1")
    for wrong in ([], [mine] * 1001):
        with pytest.raises(BadInput):
            await start(database, viewer, wrong)
    with pytest.raises(BadInput):
        await start(database, viewer, query="(")
    assert await snapshot(database) == before


async def test_the_second_click_starts_nothing(database: Database, make: Maker) -> None:
    viewer = await make.viewer()
    key = (await make.bookmark(viewer)).id
    first = await start(database, viewer, [key], idempotency_key="once")
    assert (await start(database, viewer, [key], idempotency_key="once")).id == first.id
    assert await database.fetchval("SELECT count(*) FROM a2a_tasks") == 1


async def test_pausing_a_workflow_stops_its_units_and_resuming_goes_on(
    database: Database, quick: Settings, make: Maker
) -> None:
    viewer = await make.viewer()
    ids = [(await make.bookmark(viewer)).id for _ in range(30)]
    go_on, began = asyncio.Event(), asyncio.Event()

    async def process(batch: Batch) -> list[Outcome]:
        began.set()
        await go_on.wait()
        return await all_done(batch)

    task = await start(database, viewer, ids)
    async with toys_at_work(database, replace(quick, task_heartbeat_seconds=0.05), toy(process=process)) as worker:
        await asyncio.wait_for(began.wait(), 10)
        async with database.unit() as unit:
            await agents.pause(unit, await agents.get(unit, viewer, task.id))
        statuses = await database.fetch("SELECT DISTINCT status FROM a2a_tasks")
        assert [row["status"] for row in statuses] == ["PAUSED"]
        go_on.set()
        async with database.unit() as unit:
            await agents.resume(unit, await agents.get(unit, viewer, task.id))
        await worker.until_idle()
    assert await counts(database, task) == [("VALIDATION", "COMPLETED", 30, 30, 0, 0)]
    assert set((await fates(database, task)).values()) == {("DONE", None, 1)}


async def test_cancelling_a_workflow_ends_its_units(database: Database, quick: Settings, make: Maker) -> None:
    viewer = await make.viewer()
    ids = [(await make.bookmark(viewer)).id for _ in range(30)]
    began = asyncio.Event()

    async def process(_batch: Batch) -> list[Outcome]:
        began.set()
        await asyncio.Event().wait()
        raise AssertionError

    task = await start(database, viewer, ids)
    async with toys_at_work(database, replace(quick, task_heartbeat_seconds=0.05), toy(process=process)) as worker:
        await asyncio.wait_for(began.wait(), 10)
        async with database.unit() as unit:
            await agents.cancel(unit, await agents.get(unit, viewer, task.id))
        await worker.until_idle()
    found = await database.fetch("SELECT DISTINCT status FROM a2a_tasks")
    assert [row["status"] for row in found] == ["CANCELLED"]
    assert [one.status for one in await steps(database, task)] == ["CANCELLED"]


async def test_retrying_redoes_only_what_failed_and_what_follows(
    database: Database, quick: Settings, make: Maker
) -> None:
    viewer = await make.viewer()
    ids = [(await make.bookmark(viewer)).id for _ in range(22)]
    broken = set(ids[5:8])
    seen: list[UUID] = []

    async def process(batch: Batch) -> list[Outcome]:
        seen.extend(item.bookmark_id for item in batch.items)
        return [Failed("Broken.") if item.bookmark_id in broken else Done() for item in batch.items]

    made = toy(process=process), toy(AgentName.CATEGORIZATION)
    task = await start(database, viewer, ids, Workflow.QUICK)
    async with toys_at_work(database, quick, *made) as worker:
        await worker.until_idle()
        assert await counts(database, task) == [
            ("VALIDATION", "COMPLETED", 22, 19, 3, 0),
            ("CATEGORIZATION", "COMPLETED", 19, 19, 0, 0),
        ]
        redone = set(broken)
        seen.clear()
        broken.clear()
        async with database.unit() as unit:
            await agents.retry(unit, await agents.get(unit, viewer, task.id))
        await worker.until_idle()
    assert set(seen) == redone
    assert len(seen) == 3
    assert await counts(database, task) == [
        ("VALIDATION", "COMPLETED", 22, 22, 0, 0),
        ("CATEGORIZATION", "COMPLETED", 22, 22, 0, 0),
    ]
    assert (await state(database, task)).status == "COMPLETED"


async def test_a_step_whose_agent_is_not_there_is_passed_over(database: Database, quick: Settings, make: Maker) -> None:
    viewer = await make.viewer()
    ids = [(await make.bookmark(viewer)).id for _ in range(3)]
    task = await start(database, viewer, ids, Workflow.QUICK)
    async with toys_at_work(database, quick, toy(AgentName.CATEGORIZATION)) as worker:
        await worker.until_idle()
    assert await counts(database, task) == [
        ("VALIDATION", "SKIPPED", 3, 0, 0, 3),
        ("CATEGORIZATION", "COMPLETED", 3, 3, 0, 0),
    ]


async def test_a_step_whose_agent_another_worker_has_is_left_to_it(
    database: Database, quick: Settings, make: Maker
) -> None:
    """As while a new version takes over from an old one. Nothing is passed over, and no attempt is counted."""
    viewer = await make.viewer()
    ids = [(await make.bookmark(viewer)).id for _ in range(3)]
    task = await start(database, viewer, ids, Workflow.QUICK)
    validation, categorization = toy(), toy(AgentName.CATEGORIZATION)

    async def is_there() -> bool:
        return bool(
            await database.fetchval("SELECT EXISTS (SELECT FROM agent_registrations WHERE name = 'VALIDATION')")
        )

    async def is_put_back() -> bool:
        row = await state(database, task)
        return (row.status, row.attempt, row.fence > 0) == ("PENDING", 0, True)

    async with present(database, quick, {AgentName.VALIDATION: validation}):
        await until(is_there, "announced")
        async with toys_at_work(database, quick, categorization):
            await until(is_put_back, "put back")
    async with toys_at_work(database, replace(quick, task_sweep_seconds=0.1), validation, categorization) as worker:
        await database.execute("UPDATE a2a_tasks SET run_after = now()")
        await worker.until_idle()
    assert await counts(database, task) == [
        ("VALIDATION", "COMPLETED", 3, 3, 0, 0),
        ("CATEGORIZATION", "COMPLETED", 3, 3, 0, 0),
    ]


async def test_a_workflow_on_nothing_completes(database: Database, quick: Settings, make: Maker) -> None:
    task = await start(database, await make.viewer(), workflow=Workflow.STANDARD)
    async with toys_at_work(database, quick, toy()) as worker:
        await worker.until_idle()
    assert (await state(database, task)).status == "COMPLETED"


async def test_progress_never_goes_back(database: Database, quick: Settings, make: Maker) -> None:
    viewer = await make.viewer()
    ids = [(await make.bookmark(viewer)).id for _ in range(60)]
    task = await start(database, viewer, ids, Workflow.QUICK)
    async with toys_at_work(
        database, quick, toy(chunk_items=2), toy(AgentName.CATEGORIZATION, chunk_items=7)
    ) as worker:
        await worker.until_idle()
    found = await database.fetch("SELECT payload FROM events WHERE topic = 'task.updated' ORDER BY seq")
    shares = [row["payload"]["progress"] for row in found]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1], found[-1]["payload"]["status"]) == (0, 1, "COMPLETED")
    assert await database.fetchval("SELECT count(DISTINCT subject_id) FROM events WHERE topic = 'task.updated'") == 1
    assert (await state(database, task)).progress == 1
