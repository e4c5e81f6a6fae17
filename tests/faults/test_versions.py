"""F15: workers of two versions side by side, and a schema that grows while one works."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from subprocess import Popen
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from db import migrate as schema
from db.migrate import known, migrate
from db.unit import Database
from kit.settings import Settings
from services.agents import AgentName, Workflow
from services.permissions import Viewer
from tests.conftest import TEMPLATE, on_database
from tests.db.test_migrate import migration
from tests.faults.processes import RUNS, Processes, until
from tests.faults.test_workflows import TOYS, assert_done_once, done, library, reached, settled
from tests.faults.versions import KIND, NEW, NEW_AGENT, NEW_KIND, OLD
from tests.make import Maker
from tests.tasks.toys import counts, start

TASKS = 10_000 if RUNS >= 20 else 250 * RUNS
OWNERS = 5
BOOKMARKS = 20
MIXED = ((KIND, 1), (KIND, 1), (KIND, 2), (NEW_KIND, 1))
"""What a new API asks for: half of it as the old one did."""

LATER = "2999-01-01T00:00:00:000000"
HELD_SECONDS = 2.0
PATIENCE_SECONDS = 60.0 + TASKS / 20

pytestmark = [pytest.mark.fault, pytest.mark.timeout(int(3 * PATIENCE_SECONDS))]


@pytest_asyncio.fixture(loop_scope="session")
async def counted(database: Database) -> AsyncIterator[None]:
    """Where the workers write down what they did: nothing keeps them from doing it twice."""
    await database.execute("CREATE TABLE toys_counted (task_id uuid NOT NULL, version text NOT NULL)")
    yield
    await database.execute("DROP TABLE toys_counted")


async def ask_for(database: Database, owners: list[Viewer], many: int, mixed: tuple[tuple[str, int], ...]) -> None:
    """Record so many tasks, by turns of these kinds and versions."""
    kinds = [mixed[number % len(mixed)] for number in range(many)]
    await database.execute(
        """
        INSERT INTO a2a_tasks (id, owner_id, workflow, kind, payload_version, max_attempts)
        SELECT gen_random_uuid(), owner_id, 'TOY', kind, version, 3
        FROM unnest($1::uuid[], $2::text[], $3::int[]) AS task (owner_id, kind, version)
        """,
        [owners[number % len(owners)].id for number in range(many)],
        [kind for kind, _ in kinds],
        [version for _, version in kinds],
    )


async def waiting(database: Database) -> Counter[tuple[str, int]]:
    """Count the tasks that have not ended, by kind and version. None of them was ever begun in vain."""
    found = await database.fetch(
        "SELECT kind, payload_version, status, attempt FROM a2a_tasks WHERE workflow = 'TOY' AND status <> 'COMPLETED'"
    )
    assert {row["status"] for row in found} <= {"PENDING", "RUNNING"}
    return Counter((row["kind"], row["payload_version"]) for row in found)


async def is_left(database: Database, *kinds: tuple[str, int]) -> bool:
    """Tell whether nothing but these waits."""
    return set(await waiting(database)) <= set(kinds)


async def test_what_an_old_worker_does_not_know_waits_for_a_new_one(
    database: Database, processes: Processes, make: Maker, counted: None
) -> None:
    """A new API and an old worker: that does what it knows and nothing else; a new one beside it does the rest."""
    del counted
    owners = [await make.viewer() for _ in range(OWNERS)]
    viewer, ids = await library(database, make, *["good"] * BOOKMARKS)
    await ask_for(database, owners, TASKS, MIXED)
    task = await start(database, viewer, ids, Workflow.QUICK)
    old = processes.start(OLD, module="tests.faults.versions")
    await until(partial(is_left, database, (KIND, 2), (NEW_KIND, 1)), "what is known is done", PATIENCE_SECONDS)
    await until(lambda: reached(database, task, BOOKMARKS), "the known step done", PATIENCE_SECONDS)
    await until(lambda: is_at(database, task.id, NEW_AGENT), "the step of the new agent", PATIENCE_SECONDS)
    await assert_left_alone(database, task.id)
    new = processes.start(NEW, module="tests.faults.versions")
    await ask_for(database, owners, TASKS // 10, ((KIND, 1),))  # an old API is still there
    await until(partial(is_left, database), "everything done", PATIENCE_SECONDS)
    await until(partial(done, database, task), "the workflow ended", PATIENCE_SECONDS)
    await assert_done_once(database, task, ids, 2)
    await assert_counted_once(database)
    old.terminate()
    assert (old.wait(20), new.poll()) == (0, None)


async def is_at(database: Database, task_id: UUID, agent: AgentName) -> bool:
    """Tell whether a workflow has come to the step of an agent and waits there."""
    found = "SELECT current_agent = $2 AND status = 'PENDING' FROM a2a_tasks WHERE id = $1"
    return bool(await database.fetchval(found, task_id, agent.value))


async def assert_left_alone(database: Database, task_id: UUID) -> None:
    """Assert that an old worker has counted nothing against what it does not know, and passed nothing over."""
    begun = "SELECT max(attempt) FROM a2a_tasks WHERE workflow = 'TOY' AND status <> 'COMPLETED'"
    assert await database.fetchval(begun) == 0
    assert await database.fetchval("SELECT count(*) FROM toys_counted WHERE version <> $1", OLD) == 0
    waits = await database.fetchrow("SELECT attempt, error FROM a2a_tasks WHERE id = $1", task_id)
    assert waits is not None
    assert (waits["attempt"] <= 1, waits["error"]) == (True, None)
    step = "SELECT skipped + failed FROM a2a_task_steps WHERE task_id = $1 AND position = 1"
    assert await database.fetchval(step, task_id) == 0


async def assert_counted_once(database: Database) -> None:
    """Assert that every task was done exactly once, each by a version that knows it."""
    found = await database.fetch(
        """
        SELECT t.id, t.status, t.kind, t.payload_version, c.version FROM a2a_tasks t
        LEFT JOIN toys_counted c ON c.task_id = t.id WHERE t.workflow = 'TOY'
        """
    )
    assert len(found) == len({row["id"] for row in found}) == TASKS + TASKS // 10
    assert {row["status"] for row in found} == {"COMPLETED"}
    versions = {(row["kind"], row["payload_version"], row["version"]) for row in found}
    assert versions <= {(KIND, 1, OLD), (KIND, 1, NEW), (KIND, 2, NEW), (NEW_KIND, 1, NEW)}


@pytest_asyncio.fixture(loop_scope="session")
async def own(server_dsn: str) -> AsyncIterator[Database]:
    """A database of this test alone, whose schema may grow."""
    connection = await asyncpg.connect(server_dsn)
    await connection.execute("DROP DATABASE IF EXISTS growing WITH (FORCE)")
    await connection.execute(f"CREATE DATABASE growing TEMPLATE {TEMPLATE}")
    database = await Database.connect(
        on_database(server_dsn, "growing"), size=5, statement_timeout_seconds=20, name="graphmark-tests"
    )
    yield database
    await database.close()
    await connection.execute("DROP DATABASE growing WITH (FORCE)")
    await connection.close()


async def test_the_schema_grows_while_a_worker_works(own: Database, settings: Settings, tmp_path: Path) -> None:
    """A migration that has to wait for a table lets others pass again and again, and the work goes on."""
    viewer, ids = await library(own, Maker(own), many=300)
    task = await start(own, viewer, ids, Workflow.QUICK)
    grown = {**known(), LATER: migration(LATER, "ALTER TABLE a2a_tasks ADD COLUMN grown int NOT NULL DEFAULT 0")}
    with Processes(replace(settings, database_url=own.dsn), tmp_path / "log") as processes:
        worker: Popen[bytes] = processes.start(module=TOYS)
        await until(lambda: reached(own, task, 20), "begun")
        reader = await asyncpg.connect(own.dsn)
        async with reader.transaction():
            await reader.fetchval("SELECT count(*) FROM a2a_tasks")
            migrating = asyncio.create_task(migrate(own.dsn, migrations=grown))
            before = await settled(own, task)
            await asyncio.sleep(schema.TABLE_LOCK_SECONDS + HELD_SECONDS)
            assert not migrating.done()
            assert await settled(own, task) > before
        await reader.close()
        assert (await asyncio.wait_for(migrating, 20)).applied == (LATER,)
        await until(partial(done, own, task), "ended")
        assert worker.poll() is None
    await assert_done_once(own, task, ids, 2)
    assert [one[1] for one in await counts(own, task)] == ["COMPLETED"] * 2
    assert await own.fetchval("SELECT bool_and(grown = 0) FROM a2a_tasks")
