"""F6: the database stops at once, hangs up on everybody, or takes nobody in, while two workers do a workflow."""

import asyncio
import contextlib
import os
import random
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from db.agents import TaskRow
from db.migrate import migrate
from db.unit import Database, is_away
from kit.postgres import EmbeddedPostgres, running_url
from kit.settings import PREFIX, Settings
from services.agents import Workflow
from services.permissions import Viewer
from tests.fakes.openai import RemoteModels, models_process
from tests.fakes.openai.server import KEY
from tests.faults.processes import RUNS, Processes, chance_of, until
from tests.faults.test_workflows import TOYS, assert_done_once, done, library, settled
from tests.make import Maker
from tests.stories import outcomes
from tests.tasks.toys import start

BOOKMARKS = 150
CONNECTIONS = 40
HEALING_SECONDS = 10.0
STORM_SECONDS = 1.5
FAULTS = ("stopped", "terminated", "full")
FATES = 3 * BOOKMARKS

pytestmark = [pytest.mark.fault, pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL of this module's own, with room for few."""
    with tempfile.TemporaryDirectory(prefix="graphmark-f6-") as folder:
        # A process that ends takes nothing along that the system has been given: only a power cut would need fsync.
        running = EmbeddedPostgres(Path(folder), {"fsync": "off", "max_connections": str(CONNECTIONS)})
        running.start()
        try:
            yield running
        finally:
            running.stop()


@dataclass
class Patient:
    """A database to be hurt, and somebody who saves bookmarks all the while and remembers which were acknowledged."""

    server: EmbeddedPostgres
    database: Database
    acknowledged: list[UUID] = field(default_factory=list)
    refused: list[BaseException] = field(default_factory=list)

    async def saving(self, viewer: Viewer) -> None:
        """Save bookmark after bookmark until cancelled."""
        make = Maker(self.database)
        number = 0
        while True:
            number += 1
            try:
                row = await make.bookmark(viewer, {"url": f"https://example.net/{number}"})
                self.acknowledged.append(row.id)
            except Exception as error:  # noqa: BLE001  judged at the end
                self.refused.append(error)
            await asyncio.sleep(0.02)

    async def suffer(self, fault: str, chance: random.Random) -> None:
        """Let the fault happen and pass."""
        if fault == "stopped":
            assert self.server.pid is not None
            os.kill(self.server.pid, signal.SIGQUIT)  # what `pg_ctl stop -m immediate` sends
            await until(lambda: not self.server.is_alive(), "stopped")
            await asyncio.sleep(chance.uniform(0, 1))
            self.server.start()
        elif fault == "terminated":
            until_then = time.monotonic() + STORM_SECONDS
            while time.monotonic() < until_then:
                with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                    await terminate_others(self.database.dsn)
                await asyncio.sleep(chance.uniform(0, 0.1))
        else:
            await self._crowd(chance)

    async def _crowd(self, chance: random.Random) -> None:
        """Take every connection that there is, those of the others too, for a while."""
        taken: list[asyncpg.Connection] = []
        try:
            until_then = time.monotonic() + STORM_SECONDS
            while time.monotonic() < until_then:
                try:
                    taken.append(await asyncpg.connect(self.database.dsn, timeout=5))
                    if len(taken) == 1:
                        await terminate_others(self.database.dsn, but=taken[0])
                except asyncpg.PostgresError:
                    await asyncio.sleep(chance.uniform(0, 0.1))
            assert len(taken) > CONNECTIONS // 2
        finally:
            for one in taken:
                await one.close()


async def terminate_others(dsn: str, *, but: asyncpg.Connection | None = None) -> None:
    """Hang up on every client of the database, but for one connection that does it."""
    connection = but or await asyncpg.connect(dsn, timeout=5)
    try:
        await connection.execute(
            """
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
            """
        )
    finally:
        if but is None:
            await connection.close()


@pytest_asyncio.fixture(loop_scope="session")
async def patient(server: EmbeddedPostgres) -> AsyncIterator[Patient]:
    """An empty database on that server."""
    dsn = server.start() if not server.is_alive() else server_dsn(server)
    connection = await asyncpg.connect(dsn)
    await connection.execute("DROP DATABASE IF EXISTS patient WITH (FORCE)")
    await connection.execute("CREATE DATABASE patient")
    await connection.close()
    own = dsn.replace("/postgres?", "/patient?")
    await migrate(own)
    database = await Database.connect(own, size=5, statement_timeout_seconds=20, name="graphmark-tests")
    yield Patient(server, database)
    await database.close()


def server_dsn(server: EmbeddedPostgres) -> str:
    """Return where a server that runs is reached."""
    found = running_url(server.data)
    assert found is not None
    return found


@pytest.mark.parametrize("run", range(max(1, RUNS // 2)))
@pytest.mark.parametrize("fault", FAULTS)
async def test_the_database_may_go_and_come(
    patient: Patient, settings: Settings, tmp_path: Path, fault: str, run: int
) -> None:
    """Everything acknowledged stands, every bookmark has one fate, the ledger is exact, and nobody is restarted."""
    _, chance = chance_of(run)
    database = patient.database
    viewer, ids = await library(database, Maker(database), many=BOOKMARKS)
    tasks = [await start(database, viewer, ids, one) for one in (Workflow.QUICK, Workflow.EMBEDDING_ONLY)]
    placed = replace(settings, database_url=database.dsn)
    async with models_process() as models:
        with Processes(placed, tmp_path / "log", asking(models)) as processes:
            workers = [processes.start(module=TOYS) for _ in range(2)]
            saving = asyncio.create_task(patient.saving(viewer))
            least = chance.randrange(1, FATES * 3 // 4)
            await until(lambda: gone_so_far(database, tasks, least), f"{least} settled")
            await patient.suffer(fault, chance)
            healed = time.monotonic()
            before = await healthy(database, tasks)
            await until(lambda: gone_so_far(database, tasks, min(before + 1, FATES)), "getting on", HEALING_SECONDS)
            print(f"got on {time.monotonic() - healed:.1f} s after the fault")  # noqa: T201  shown when it fails
            for task in tasks:
                await until(partial(done, database, task), "ended")
            saving.cancel()
            await asyncio.wait([saving])
            assert [worker.poll() for worker in workers] == [None, None]
            assert b"slot_broke" not in processes.log.read_bytes()
        await check(patient, tasks, ids, models)


def asking(models: RemoteModels) -> dict[str, str]:
    """Return variables under which workers ask the stub."""
    told = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": models.base_url, "AI_PROVIDER": "openai"}
    told |= {"ALLOW_PRIVATE_NETWORKS": "127.0.0.0/8", "TASK_RETRY_SECONDS": "0.2", "DATABASE_POOL_SIZE": "5"}
    return {PREFIX + name: value for name, value in told.items()}


async def healthy(database: Database, tasks: list[TaskRow]) -> int:
    """Return how much is settled as soon as the database can be asked; the pool heals by itself."""
    found = -1

    async def answers() -> bool:
        nonlocal found
        try:
            found = sum([await settled(database, task) for task in tasks])
        except Exception as error:
            if not is_away(error):
                raise
        return found >= 0

    await until(answers, "an answer", HEALING_SECONDS)
    return found


async def gone_so_far(database: Database, tasks: list[TaskRow], least: int) -> bool:
    """Tell whether so many items of several workflows have met their fate."""
    return sum([await settled(database, task) for task in tasks]) >= least


async def check(patient: Patient, tasks: list[TaskRow], ids: list[UUID], models: RemoteModels) -> None:
    """Assert all that must be true whatever happened."""
    database = patient.database
    for task, steps in zip(tasks, (2, 1), strict=True):
        await assert_done_once(database, task, ids, steps, counted=3)
    assert [repr(error) for error in patient.refused if not is_away(error)] == []
    there = await database.fetch("SELECT id FROM bookmarks WHERE id = ANY($1)", patient.acknowledged)
    assert len(there) == len(patient.acknowledged) > 0
    await outcomes.check_ledger(database, await models.calls(), were_killed=True)
    await outcomes.check_events(database)
