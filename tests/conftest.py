"""The harness: one embedded PostgreSQL for the whole run, one migrated database per worker, emptied between tests.

`GRAPHMARK_TEST_DATABASE_URL` runs the suite against another server instead (its user must be able to create databases).
"""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
import pytest_asyncio

from db.migrate import migrate
from db.unit import Database
from kit.bus import Bus
from kit.crypto import PasswordHasher
from kit.postgres import EmbeddedPostgres
from kit.settings import BookmarkWorkflow, ImportWorkflow, Settings, load_settings
from resolvers.context import Services
from tests.make import Maker

SERVER = "GRAPHMARK_TEST_SERVER"
TEMPLATE = "graphmark_template"
_FAST = {"fsync": "off", "full_page_writes": "off", "max_connections": "200", "shared_buffers": "128MB"}
_server: EmbeddedPostgres | None = None
_folder: tempfile.TemporaryDirectory[str] | None = None


def on_database(dsn: str, name: str) -> str:
    """Return `dsn` pointing at the database called `name`."""
    return urlunsplit(urlsplit(dsn)._replace(path=f"/{name}"))


async def _statements(dsn: str, *statements: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def _make_template(dsn: str) -> None:
    await _statements(dsn, f"DROP DATABASE IF EXISTS {TEMPLATE} WITH (FORCE)", f"CREATE DATABASE {TEMPLATE}")
    await migrate(on_database(dsn, TEMPLATE))


def pytest_configure(config: pytest.Config) -> None:
    """Start the server once, in the controlling process, before workers are forked."""
    global _server, _folder  # noqa: PLW0603  one server per test run, ended by pytest_unconfigure
    if hasattr(config, "workerinput") or config.option.collectonly or SERVER in os.environ:
        return
    dsn = os.environ.get("GRAPHMARK_TEST_DATABASE_URL")
    if dsn is None:
        _folder = tempfile.TemporaryDirectory(prefix="graphmark-test-")
        _server = EmbeddedPostgres(Path(_folder.name), _FAST)
        dsn = _server.start()
    os.environ[SERVER] = dsn
    asyncio.run(_make_template(dsn))


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what pytest_configure started."""
    if hasattr(config, "workerinput") or _server is None:
        return
    os.environ.pop(SERVER, None)
    _server.stop()
    if _folder is not None:
        _folder.cleanup()


@pytest.fixture(scope="session")
def server_dsn() -> str:
    """The server's maintenance database."""
    return os.environ[SERVER]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def dsn(server_dsn: str, worker_id: str) -> AsyncIterator[str]:
    """A migrated database of this worker process alone."""
    name = f"graphmark_{worker_id}_{os.getpid()}"
    await _statements(server_dsn, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
    yield on_database(server_dsn, name)
    await _statements(server_dsn, f"DROP DATABASE {name} WITH (FORCE)")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def pool(dsn: str) -> AsyncIterator[Database]:
    """One pool for the whole session of this worker process."""
    database = await Database.connect(dsn, size=10, statement_timeout_seconds=20, name="graphmark-tests")
    yield database
    await database.close()


@pytest_asyncio.fixture(loop_scope="session")
async def database(pool: Database) -> Database:
    """An empty database."""
    await empty(pool)
    return pool


async def empty(database: Database) -> None:
    """Remove every row that a test can have made."""
    names = await database.fetch(
        "SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'migration'"
    )
    truncate = "TRUNCATE " + ", ".join(row["name"] for row in names)
    await database.execute("; ".join([*_guards("DISABLE"), truncate, *_guards("ENABLE ALWAYS")]))


def _guards(verb: str) -> list[str]:
    """Return what takes away, or puts back, what keeps the audit log from being emptied: only its owner may."""
    guards = {"audit_entries": "audit_entries_stay", "audit_head": "audit_heads_stay"}
    return [f"ALTER TABLE {table} {verb} TRIGGER {guard}" for table, guard in guards.items()]


@pytest.fixture
def settings(dsn: str, tmp_path: Path) -> Settings:
    """Settings of a server on this worker's database, with its data in a folder of the test."""
    return Settings(
        data_dir=tmp_path,
        database_url=dsn,
        port=0,
        executor=load_settings().executor,
        import_workflow=ImportWorkflow.NONE,  # what agents do is asked for by the tests that are about it
        new_bookmark_workflow=BookmarkWorkflow.NONE,
    )


@dataclass
class Rung:
    """A ringer that remembers which bells rang."""

    bells: list[str] = field(default_factory=list)

    async def __call__(self, bell: str) -> None:
        """Remember."""
        self.bells.append(bell)


@pytest.fixture
def rung(database: Database) -> Iterator[Rung]:
    """Listen to the bells that units ring after their commit."""
    ringer = Rung()
    before, database.ringer = database.ringer, ringer
    yield ringer
    database.ringer = before


@pytest.fixture(scope="session")
def passwords() -> Iterator[PasswordHasher]:
    """The real hasher; a test that signs in often pays some 50 ms each time."""
    hasher = PasswordHasher(threads=2, queue=100)
    yield hasher
    hasher.close()


@pytest_asyncio.fixture(loop_scope="session")
async def services(database: Database, settings: Settings, passwords: PasswordHasher) -> AsyncIterator[Services]:
    """Everything that a process keeps open, on the empty database."""
    async with AsyncExitStack() as stack:
        bus = Bus(lambda: asyncpg.connect(database.dsn), ("graphmark_events", "graphmark_sessions"))
        await bus.start()
        stack.push_async_callback(bus.stop)
        yield Services(settings=settings, database=database, bus=bus, passwords=passwords)


@pytest.fixture
def make(database: Database) -> Maker:
    """Makes the rows that a test needs."""
    return Maker(database)
