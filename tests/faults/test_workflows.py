"""Workflows whose workers die, hang, freeze, lose their doorbell or are told to go: each bookmark is done once."""

import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from db.agents import TaskRow
from db.unit import Database
from services import bookmarks
from services.agents import Workflow
from services.permissions import Viewer
from tests.faults.processes import RUNS, Processes, chance_of, until
from tests.make import Maker
from tests.needs import missing
from tests.snapshot import snapshot
from tests.tasks.toys import counts, fates, start, state

TOYS = "tests.faults.toys"
SLOW = 300
FEW = {"TASK_RETRY_SECONDS": "0.05", "TASK_RETRY_MAX_SECONDS": "0.1", "TASK_MAX_ATTEMPTS": "2"}

pytestmark = pytest.mark.fault


async def library(database: Database, make: Maker, *words: str, many: int = 0) -> tuple[Viewer, list[UUID]]:
    """Make bookmarks whose addresses hold these words, and `many` more that are slow."""
    viewer = await make.viewer()
    ids = []
    for number, word in enumerate([*words, *["slow"] * many]):
        ids.append((await make.bookmark(viewer, {"url": f"https://example.org/{word}/{number}"})).id)
    del database
    return viewer, ids


async def done(database: Database, task: TaskRow) -> bool:
    """Tell whether a task has ended."""
    return (await state(database, task)).status in {"COMPLETED", "FAILED"}


async def settled(database: Database, task: TaskRow) -> int:
    """Count the bookmarks of all steps that have met their fate."""
    found = "SELECT coalesce(sum(done + failed + skipped), 0) FROM a2a_task_steps WHERE task_id = $1"
    return int(await database.fetchval(found, task.id))


async def assert_done_once(
    database: Database, task: TaskRow, ids: Sequence[UUID], steps: int, *, counted: int | None = None
) -> None:
    """Assert that every bookmark was done exactly once in each step, and that all numbers say so.

    `counted` is how often all tasks together did each, where there are several.
    """
    found = await database.fetch("SELECT DISTINCT word_count FROM bookmarks WHERE id = ANY($1)", list(ids))
    assert [row["word_count"] for row in found] == [counted or steps]
    assert [one[1:] for one in await counts(database, task)] == [("COMPLETED", len(ids), len(ids), 0, 0)] * steps
    told = await database.fetchval("SELECT sum(done) FROM a2a_task_results WHERE task_id = $1", task.id)
    assert told == steps * len(ids)
    shares = await database.fetch("SELECT payload FROM events WHERE subject_id = $1 ORDER BY seq", task.id)
    progress = [row["payload"]["progress"] for row in shares]
    assert progress == sorted(progress)
    assert progress[-1] == 1


@pytest.mark.parametrize("run", range(RUNS))
async def test_killed_workers_lose_and_double_nothing(
    database: Database, processes: Processes, make: Maker, run: int
) -> None:
    """F1: two of three workers are killed at random moments; the third, which joins late, ends the work."""
    _, chance = chance_of(run)
    viewer, ids = await library(database, make, many=SLOW)
    task = await start(database, viewer, ids, Workflow.QUICK)
    for _ in range(2):
        worker, least = processes.start(module=TOYS), chance.randrange(SLOW)
        await until(partial(reached, database, task, least), f"{least} settled")
        processes.kill(worker)
    processes.start(module=TOYS)
    await until(lambda: done(database, task), "ended")
    await assert_done_once(database, task, ids, 2)


async def reached(database: Database, task: TaskRow, least: int) -> bool:
    """Tell whether so many bookmarks have met their fate."""
    return await settled(database, task) >= least


async def test_a_worker_that_is_told_to_go_hands_its_units_back(
    database: Database, processes: Processes, make: Maker
) -> None:
    """F2: SIGTERM; leases are free within 20 s, the exit code is 0, no attempt is lost, and another goes on."""
    viewer, ids = await library(database, make, many=SLOW)
    task = await start(database, viewer, ids)
    worker = processes.start(module=TOYS)
    await until(lambda: reached(database, task, 20), "begun")
    worker.terminate()
    assert worker.wait(20) == 0
    assert await database.fetchval("SELECT count(*) FROM a2a_tasks WHERE lease_owner IS NOT NULL") == 0
    processes.start(module=TOYS)
    await until(lambda: done(database, task), "ended")
    await assert_done_once(database, task, ids, 1)
    assert {attempt for _, _, attempt in (await fates(database, task)).values()} == {1}


async def test_poison_costs_itself_and_nothing_else(database: Database, processes: Processes, make: Maker) -> None:
    """F8: what kills its worker, and what always raises, become dead letters with a reason; the rest is done."""
    viewer, ids = await library(database, make, "good", "kill", "good", "raise", *["good"] * 20)
    task = await start(database, viewer, ids)
    strange = await database.fetchval(
        """
        INSERT INTO a2a_tasks (id, owner_id, workflow, kind, max_attempts) VALUES
            (gen_random_uuid(), $1, 'X', 'from.the.future', 3) RETURNING id
        """,
        viewer.id,
    )
    running = processes.start(module=TOYS, **FEW)

    async def ended() -> bool:
        nonlocal running
        if running.poll() is not None:  # the supervisor would do it
            running = processes.start(module=TOYS, **FEW)
        return await done(database, task)

    await until(ended, "ended")
    found = await fates(database, task)
    assert found.pop(ids[1]) == ("FAILED", "Given up after 2 attempts: its worker ended each time", 2)
    assert found.pop(ids[3]) == ("FAILED", "Given up after 2 attempts: internal error (RuntimeError)", 2)
    assert {status for status, _, _ in found.values()} == {"DONE"}
    assert await counts(database, task) == [("VALIDATION", "COMPLETED", 24, 22, 2, 0)]
    waiting = await database.fetchrow("SELECT status, attempt FROM a2a_tasks WHERE id = $1", strange)
    assert waiting is not None
    assert tuple(waiting) == ("PENDING", 0)


async def test_a_hung_worker_is_ended_and_its_work_taken_over(
    database: Database, processes: Processes, make: Maker
) -> None:
    """F9: a parser that never comes back blocks its whole process; that ends by itself, the rest is done elsewhere."""
    viewer, ids = await library(database, make, "hang", *["good"] * 10)
    task = await start(database, viewer, ids)
    running = [processes.start(module=TOYS, **FEW)]

    async def ended() -> bool:
        if running[-1].poll() is not None:
            running.append(processes.start(module=TOYS, **FEW))
        return await done(database, task)

    await until(ended, "ended")
    assert running[0].wait(1) == 70
    found = await fates(database, task)
    assert found.pop(ids[0]) == ("FAILED", "Given up after 2 attempts: its worker ended each time", 2)
    assert {status for status, _, _ in found.values()} == {"DONE"}


async def test_a_frozen_worker_that_wakes_up_changes_nothing(
    database: Database, processes: Processes, make: Maker
) -> None:
    """F9: stopped beyond its lease; another ends the work; what the zombie still wants to write changes no row."""
    viewer, ids = await library(database, make, many=SLOW)
    task = await start(database, viewer, ids)
    zombie = processes.start(module=TOYS)
    await until(lambda: reached(database, task, 20), "begun")
    zombie.send_signal(signal.SIGSTOP)
    processes.start(module=TOYS)
    await until(lambda: done(database, task), "ended by the other worker")
    await database.execute("UPDATE agent_registrations SET heartbeat_at = 'epoch'")
    before = await snapshot(database)
    zombie.send_signal(signal.SIGCONT)
    zombie.send_signal(signal.SIGTERM)
    assert zombie.wait(20) == 0
    after = await snapshot(database)
    assert {name: rows for name, rows in after.items() if name != "agent_registrations"} == {
        name: rows for name, rows in before.items() if name != "agent_registrations"
    }
    await assert_done_once(database, task, ids, 1)


async def test_bookmarks_and_accounts_that_go_end_their_work(
    database: Database, processes: Processes, make: Maker
) -> None:
    """F20: purged bookmarks are skipped and do not come back; the tasks of a removed account go with it."""
    viewer, ids = await library(database, make, many=SLOW)
    other, theirs = await library(database, make, many=SLOW)
    task, lost = await start(database, viewer, ids), await start(database, other, theirs)
    worker = processes.start(module=TOYS)
    await until(lambda: reached(database, task, 20), "begun")
    await until(lambda: reached(database, lost, 20), "the other's begun")
    gone = ids[-100:]
    async with database.unit() as unit:
        await bookmarks.delete(unit, viewer, gone, permanently=True)
        await unit.execute("DELETE FROM users WHERE id = $1", other.id)
    await until(lambda: done(database, task), "ended")
    assert worker.poll() is None
    found = await fates(database, task)
    assert {found[key][:2] for key in gone} <= {("SKIPPED", "The bookmark is gone."), ("DONE", None)}
    assert {found[key][0] for key in ids[:-100]} == {"DONE"}
    assert await database.fetchval("SELECT count(*) FROM bookmarks") == len(ids) - len(gone)
    for table in ("a2a_tasks", "events", "event_counters"):
        assert await database.fetchval(f"SELECT count(*) FROM {table} WHERE owner_id = $1", other.id) == 0


@contextmanager
def redis(folder: Path) -> Iterator[Any]:
    """Give what starts a private Redis on a socket, and its URL; end the last one started."""
    server = shutil.which("redis-server") or missing("redis", "there is no redis-server on PATH")
    socket = folder / "redis.sock"
    command = [server, "--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(folder)]
    started: list[subprocess.Popen[bytes]] = []

    def begin() -> "subprocess.Popen[bytes]":
        started.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))  # noqa: S603  our own words
        return started[-1]

    try:
        yield begin, f"unix://{socket}"
    finally:
        for one in started:
            if one.poll() is None:
                one.send_signal(signal.SIGCONT)
                one.kill()
            one.wait()


@pytest.mark.parametrize("fault", ["flushed", "killed", "stopped"])
async def test_redis_may_go_and_come(
    database: Database, processes: Processes, make: Maker, tmp_path: Path, fault: str
) -> None:
    """F5: the doorbell is emptied, killed and started anew, or frozen: the rows are the truth, and work goes on."""
    viewer, ids = await library(database, make, many=SLOW)
    with redis(tmp_path) as (begin, url):
        server = begin()
        for _ in range(2):
            processes.start(module=TOYS, REDIS_URL=url)
        task = await start(database, viewer, ids, Workflow.QUICK)  # nobody rings for it: the sweep must find it
        await until(lambda: reached(database, task, 20), "begun")
        if fault == "flushed":
            cli = shutil.which("redis-cli") or missing("redis", "there is no redis-cli on PATH")
            socket = url.removeprefix("unix://")
            subprocess.run([cli, "-s", socket, "FLUSHALL"], check=True, capture_output=True)  # noqa: ASYNC221, S603  a moment
        elif fault == "killed":
            server.kill()
            server.wait()
            begin()
        else:
            server.send_signal(signal.SIGSTOP)
        await until(lambda: done(database, task), "ended")
    await assert_done_once(database, task, ids, 2)


@pytest.mark.parametrize("doorbell", ["postgres", "redis"])
async def test_rings_come_tripled_late_out_of_order_and_as_nonsense(
    database: Database, processes: Processes, make: Maker, tmp_path: Path, doorbell: str
) -> None:
    """F7, F8: whatever comes out of the doorbell, and however often; each unit is done by one worker, once."""
    viewer, ids = await library(database, make, many=SLOW)
    with redis(tmp_path) as (begin, url):
        if doorbell == "redis":
            begin()
        workers = [
            processes.start(module="tests.faults.bells", **({"REDIS_URL": url} if doorbell == "redis" else {}))
            for _ in range(2)
        ]
        task = await start(database, viewer, ids)

        async def ring() -> bool:
            for text in ("", "{", "from.the.future"):
                await database.execute("SELECT pg_notify('graphmark_work', $1)", text)
            return await done(database, task)

        await until(ring, "ended")
        assert [worker.poll() for worker in workers] == [None, None]
    assert b"unexpected keyword argument" in processes.log.read_bytes()  # the nonsense has been heard
    await assert_done_once(database, task, ids, 1)
    assert await database.fetchval("SELECT max(fence) FROM a2a_tasks WHERE parent_id = $1", task.id) == 1
