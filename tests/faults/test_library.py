"""Workers killed while agents check, read, sort and embed a library of the local web."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest
import pytest_asyncio

from db.unit import Database
from kit.settings import Settings
from services.agents import Workflow, start_workflow
from tests.conftest import empty
from tests.fakes.openai import models_process
from tests.fakes.openai.server import KEY
from tests.fakes.web.library import SLOW, Library
from tests.fakes.web.process import RemoteWeb, web_process
from tests.fakes.web.table import SITES
from tests.faults.conftest import start_import
from tests.faults.processes import RUNS, Processes, chance_of, until
from tests.make import Maker
from tests.needs import redis_on
from tests.stories import outcomes
from tests.stories.stage import environment_of

BOOKMARKS = 200
STEPS = 4
KILLS = 4
FAULT_EVERY = 7
IN_HAND = 64
"""So many questions at most a worker has asked and not settled: four slots, each with sixteen pages at once."""

JOINING_SECONDS = 10.0
PATIENCE_SECONDS = 150.0
NAMES = frozenset(site.name for site in SITES if site.share and site.name not in SLOW)

pytestmark = [pytest.mark.fault, pytest.mark.timeout(400)]


@dataclass
class Work:
    """A library under work: the workflow and how it is doing."""

    database: Database
    web: RemoteWeb
    library: Library
    task_id: UUID

    async def has_settled(self, fates: int) -> bool:
        """Tell whether so many items of any step have met their fate."""
        return await self.settled() >= fates

    async def settled(self) -> int:
        """Return how many items have met their fate."""
        query = "SELECT coalesce(sum(done + failed + skipped), 0) FROM a2a_task_steps WHERE task_id = $1"
        return int(await self.database.fetchval(query, self.task_id))

    async def workers(self) -> int:
        """Return how many workers have a unit of it in hand."""
        query = "SELECT count(DISTINCT lease_owner) FROM a2a_tasks WHERE parent_id = $1"
        return int(await self.database.fetchval(query, self.task_id))

    async def is_shared(self) -> bool:
        """Tell whether two workers work on it; fail when it ends before."""
        assert not await self.is_done()
        return await self.workers() == 2

    async def is_done(self) -> bool:
        """Tell whether the workflow is complete; fail when it ended otherwise."""
        row = await self.database.fetchrow("SELECT status, error FROM a2a_tasks WHERE id = $1", self.task_id)
        assert row is not None
        assert row["status"] not in {"FAILED", "CANCELLED"}, row["error"]
        return bool(row["status"] == "COMPLETED")

    async def check(self) -> None:
        """Assert everything that must be true at the end, however it was reached."""
        await outcomes.check_bookmarks(self.database, self.library, self.web)
        await outcomes.check_links(self.database, self.library, self.web)
        await outcomes.check_enrichment(self.database, self.library, self.web)
        await outcomes.check_work(self.database, self.task_id, len(self.library))
        await outcomes.check_vectors(self.database, len(self.library))
        await outcomes.check_events(self.database)


@pytest_asyncio.fixture(loop_scope="session")
async def web(tmp_path: Path) -> AsyncIterator[RemoteWeb]:
    """A local web."""
    async with web_process(tmp_path) as running:
        yield running


async def begin(database: Database, settings: Settings, web: RemoteWeb, processes: Processes, library: Library) -> Work:
    """Import a library with one worker, and ask for everything that agents do; nobody works on that yet."""
    await empty(database)
    viewer = await Maker(database).viewer()
    await start_import(database, settings, viewer, library.file(web))
    worker = processes.start("worker")
    await until(lambda: imported(database), "the library imported")
    processes.kill(worker)
    async with database.unit() as unit:
        task = await start_workflow(unit, viewer, workflow=Workflow.REPROCESS)
    return Work(database, web, library, task.id)


async def imported(database: Database) -> bool:
    """Tell whether the import is complete."""
    return bool(await database.fetchval("SELECT bool_and(status = 'COMPLETED') FROM a2a_tasks"))


async def killed_and_replaced(work: Work, processes: Processes, chance: random.Random) -> None:
    """Let two workers work, and kill and replace one of them at random moments; nothing that was done is undone."""
    workers = [processes.start("worker") for _ in range(2)]
    highest = 0
    for least in sorted(chance.sample(range(STEPS * len(work.library)), KILLS)):
        await until(partial(work.has_settled, least), f"{least} fates", PATIENCE_SECONDS)
        await asyncio.sleep(chance.uniform(0, 0.2))
        victim = chance.randrange(2)
        processes.kill(workers[victim])
        settled = await work.settled()
        assert settled >= highest
        highest = settled
        workers[victim] = processes.start("worker")


@pytest.mark.parametrize("run", range(RUNS))
async def test_killed_workers_lose_and_double_nothing(
    database: Database, settings: Settings, tmp_path: Path, web: RemoteWeb, run: int
) -> None:
    """F1: two workers, one of them killed at a random moment and replaced, again and again."""
    seed, chance = chance_of(run)
    with Processes(settings, tmp_path / "log", environment_of(web)) as processes:
        work = await begin(database, settings, web, processes, Library(BOOKMARKS, seed=seed, names=NAMES))
        await killed_and_replaced(work, processes, chance)
        killed = time.monotonic()
        await until(work.is_done, "everything done", PATIENCE_SECONDS)
        print(f"done {time.monotonic() - killed:.1f} s after the last kill")  # noqa: T201  shown when it fails
        await work.check()


@pytest.mark.parametrize("run", range(RUNS))
async def test_killed_workers_leave_an_exact_ledger(
    database: Database, settings: Settings, tmp_path: Path, web: RemoteWeb, run: int
) -> None:
    """The same while a model server is asked, which fails now and then: every question is in the ledger, once."""
    seed, chance = chance_of(run)
    async with models_process() as models:
        await models.script(every=FAULT_EVERY)
        asking = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": models.base_url, "AI_PROVIDER": "openai"}
        with Processes(settings, tmp_path / "log", environment_of(web, asking)) as processes:
            work = await begin(database, settings, web, processes, Library(BOOKMARKS, seed=seed, names=NAMES))
            await killed_and_replaced(work, processes, chance)
            await until(work.is_done, "everything done", PATIENCE_SECONDS)
        await work.check()
        await outcomes.check_ledger(database, await models.calls(), were_killed=True)
        reserved = await database.fetchval("SELECT count(*) FROM ai_calls WHERE state = 'RESERVED'")
        assert reserved <= KILLS * IN_HAND


async def test_a_worker_that_joins_takes_work_within_seconds(
    database: Database, settings: Settings, tmp_path: Path, web: RemoteWeb
) -> None:
    """A workflow that a worker with one slot has begun is shared with a second as soon as that one is up."""
    environment = environment_of(web, {"WORKER_SLOTS": "1"})
    with Processes(settings, tmp_path / "log", environment) as processes:
        work = await begin(database, settings, web, processes, Library(2 * BOOKMARKS, names=NAMES))
        processes.start("worker")
        await until(lambda: work.has_settled(1), "begun", PATIENCE_SECONDS)
        assert await work.workers() == 1
        ready = processes.log.read_text().count('"worker.ready"')
        processes.start("worker")
        await until(lambda: processes.log.read_text().count('"worker.ready"') > ready, "up")
        await until(work.is_shared, "shared", JOINING_SECONDS)
        await until(work.is_done, "everything done", PATIENCE_SECONDS)
        await work.check()


@pytest.mark.timeout(600)
async def test_two_workers_on_redis_and_two_on_postgresql_make_the_same(
    database: Database, settings: Settings, tmp_path: Path, web: RemoteWeb
) -> None:
    made = []
    library = Library(BOOKMARKS, names=NAMES)
    with redis_on(tmp_path) as redis:
        for doorbell in ({}, {"REDIS_URL": redis}):
            with Processes(settings, tmp_path / "log", environment_of(web, doorbell)) as processes:
                work = await begin(database, settings, web, processes, library)
                for _ in range(2):
                    processes.start("worker")
                await until(work.is_done, "everything done", PATIENCE_SECONDS)
                await work.check()
                made.append(await outcomes.normalised(database))
    assert made[0].keys() == made[1].keys()
    assert [url for url in made[0] if made[0][url] != made[1][url]] == []
