"""Workers that die, freeze or are told to go in the middle of an import."""

import signal
import time
from functools import partial

import pytest

from db.unit import Database
from kit.settings import Settings
from tests.faults.conftest import admit
from tests.faults.model import Model
from tests.faults.processes import LEASE_SECONDS, RUNS, Processes, chance_of, until
from tests.snapshot import snapshot

ROWS = 3_000

pytestmark = pytest.mark.fault


@pytest.mark.parametrize("run", range(RUNS))
async def test_a_killed_worker_loses_and_doubles_nothing(
    database: Database, settings: Settings, processes: Processes, run: int
) -> None:
    """F1: killed two times at random moments, also inside a transaction; another worker goes on."""
    seed, chance = chance_of(run)
    patient = await admit(database, settings, Model(seed, ROWS))
    highest = 0
    for _ in range(2):
        worker, least = processes.start("worker"), chance.randrange(ROWS)
        pause = chance.uniform(0, 0.1)
        await until(partial(patient.has_written, least), f"{least} rows written")
        time.sleep(pause)  # noqa: ASYNC251  the kill is to hit anywhere, also inside a transaction
        processes.kill(worker)
        written = (await patient.row()).processed
        assert written >= highest
        highest = written
    killed = time.monotonic()
    processes.start("worker")
    await until(patient.is_done, "completed")
    assert time.monotonic() - killed < LEASE_SECONDS + 15
    await patient.model.check(database)
    assert await progress_is_monotone(database)


@pytest.mark.parametrize("run", range(RUNS))
async def test_a_frozen_worker_that_wakes_up_writes_nothing(
    database: Database, settings: Settings, processes: Processes, run: int
) -> None:
    """F9: stopped for longer than its lease; the next worker goes on; the zombie's late write changes no row."""
    seed, chance = chance_of(run)
    patient = await admit(database, settings, Model(seed, ROWS))
    zombie, least = processes.start("worker"), chance.randrange(1, ROWS // 2)
    await until(partial(patient.has_written, least), f"{least} rows written")
    zombie.send_signal(signal.SIGSTOP)
    fence = await database.fetchval("SELECT fence FROM a2a_tasks")
    processes.start("worker")
    await until(patient.is_done, "completed by the other worker")
    assert await database.fetchval("SELECT fence FROM a2a_tasks") > fence
    before = await snapshot(database)
    zombie.send_signal(signal.SIGCONT)
    zombie.send_signal(signal.SIGTERM)
    assert zombie.wait(20) == 0
    assert await snapshot(database) == before
    await patient.model.check(database)
    assert await progress_is_monotone(database)


async def test_a_worker_that_is_told_to_go_hands_back(
    database: Database, settings: Settings, processes: Processes
) -> None:
    """F2: SIGTERM; the lease is free within 20 s, the exit code 0, and nothing counts as a failure."""
    patient = await admit(database, settings, Model(1, ROWS))
    worker = processes.start("worker")
    await until(partial(patient.has_written, 1), "begun")
    worker.terminate()
    assert worker.wait(20) == 0
    task = await database.fetchrow("SELECT status, lease_owner, attempt FROM a2a_tasks")
    assert task is not None
    assert (task["status"], task["lease_owner"]) in {("PENDING", None), ("COMPLETED", None)}
    processes.start("worker")
    await until(patient.is_done, "completed")
    await patient.model.check(database)


async def test_rings_that_come_often_or_for_nothing_do_no_harm(
    database: Database, settings: Settings, processes: Processes
) -> None:
    """F7: every ring ten times, two workers: one of them imports, once."""
    patient = await admit(database, settings, Model(2, ROWS))
    for _ in range(2):
        processes.start("worker")

    async def ring() -> bool:
        for _ in range(10):
            await database.execute("NOTIFY graphmark_work")
        return await patient.is_done()

    await until(ring, "completed")
    await patient.model.check(database)
    assert await database.fetchval("SELECT fence FROM a2a_tasks") == 1


async def progress_is_monotone(database: Database) -> bool:
    """Tell whether the events of the import never took anything back."""
    found = await database.fetch("SELECT payload FROM events WHERE topic = 'import.progress' ORDER BY seq")
    states = [row["payload"] for row in found]
    written = [sum(state[name] for name in ("created", "merged", "skipped", "errors")) for state in states]
    shares = [state["progress"] for state in states]
    return written == sorted(written) and shares == sorted(shares) and states[-1]["status"] == "COMPLETED"
