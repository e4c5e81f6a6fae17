"""Bringing a database to the schema that this code knows, once, whoever asks and however many ask.

A migration is a Piccolo migration module in `db/migrations` whose manager carries only SQL added by `script`.
Which ones ran is remembered in Piccolo's own table, so Piccolo's commands keep working for developers. Each runs in
one transaction together with its entry in that table: killed at any moment, it has happened or it has not. It waits for
the locks of its tables only briefly, because whoever comes behind it would wait as long; then it begins again.
"""

import asyncio
import importlib
import pkgutil
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace

import asyncpg
from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine.finder import engine_finder
from piccolo.engine.postgres import PostgresEngine

import db.migrations
from db import wall
from kit.errors import GraphmarkError, Unavailable

APP_NAME = "graphmark"
LOCK = 0x67_72_61_70_68_6D_6B  # "graphmk": the advisory lock that one migrating session holds
LOCK_WAIT_SECONDS = 600.0
LOCK_POLL_SECONDS = 0.1
CONNECT_SECONDS = 10.0
TABLE_LOCK_SECONDS = 2.0
"""So long at most others stand behind a migration that waits for a table."""
TABLE_PATIENCE_SECONDS = 300.0
TABLE_PAUSE_SECONDS = 1.0
LOST = (OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError)

# As Piccolo itself would make it.
HISTORY = """
CREATE TABLE IF NOT EXISTS migration (
    id serial PRIMARY KEY,
    name varchar(200) NOT NULL DEFAULT '',
    app_name varchar(200) NOT NULL DEFAULT '',
    ran_on timestamp NOT NULL DEFAULT current_timestamp
)
"""

_running_on: ContextVar[asyncpg.Connection] = ContextVar("_running_on")


class SchemaTooNew(Unavailable):
    """The database holds migrations that this code does not know: a newer Graphmark wrote it."""


class MigrationFailed(GraphmarkError):  # noqa: N818  named like its siblings in kit.errors
    """A migration could not be applied; the database is as it was before it."""


# The coroutine function `forwards` of a migration module, which makes the manager.
Migration = Callable[[], Awaitable[MigrationManager]]


@dataclass(frozen=True, slots=True)
class MigrationReport:
    """The ids applied by this call, oldest first; empty when there was nothing to do."""

    applied: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a database server offers, the ids of the migrations that it lacks, and why its wall does not stand if so."""

    server_version: str
    has_pgvector: bool
    pending: tuple[str, ...]
    wall_gap: str | None


def script(sql: str) -> Callable[[], Awaitable[None]]:
    """Return a step for `MigrationManager.add_raw` that runs `sql`, any number of statements, as it stands."""

    async def run() -> None:
        await _connection().execute(sql)

    return run


def known() -> dict[str, Migration]:
    """Return the migrations of this code by id."""
    names = [module.name for module in pkgutil.iter_modules(db.migrations.__path__)]
    modules = [importlib.import_module(f"{db.migrations.__name__}.{name}") for name in names]
    return {module.ID: module.forwards for module in modules}


async def migrate(dsn: str, *, migrations: Mapping[str, Migration] | None = None) -> MigrationReport:
    """Apply what is pending, oldest first, and return what was. Then see to it that the wall stands (db.wall).

    Two at once are safe: the second waits, at most `LOCK_WAIT_SECONDS`, and then finds nothing to do.
    Raises Unavailable when there is no server, SchemaTooNew, or MigrationFailed; what succeeded before a failed
    migration stays applied.
    """
    chosen = known() if migrations is None else migrations
    async with _connected(dsn) as connection:
        await _take_lock(connection)
        await connection.execute(HISTORY)
        names = await _pending(connection, chosen)
        for name in names:
            await _apply(connection, name, chosen[name])
        if migrations is None:
            await _wall(connection)
    return MigrationReport(applied=tuple(names))


async def pending(dsn: str, *, migrations: Mapping[str, Migration] | None = None) -> list[str]:
    """Return the ids of the migrations that `migrate` would apply, oldest first. Changes nothing.

    Raises Unavailable when there is no server, and SchemaTooNew.
    """
    async with _connected(dsn) as connection:
        return await _pending(connection, known() if migrations is None else migrations)


async def inspect(dsn: str) -> Inspection:
    """Look at the database without changing it. Raises like `pending`."""
    async with _connected(dsn) as connection:
        return Inspection(
            server_version=await connection.fetchval("SHOW server_version"),
            has_pgvector=await connection.fetchval(
                "SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vector')"
            ),
            pending=tuple(await _pending(connection, known())),
            wall_gap=await wall.gap(connection),
        )


@asynccontextmanager
async def _connected(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """Open a connection of its own: the lock belongs to the session and ends with it, even by kill -9."""
    try:
        connection = await asyncpg.connect(dsn, timeout=CONNECT_SECONDS)
    except (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        told = (getattr(error, "strerror", None) or str(error)).partition("\n")[0]
        told = told.rstrip(".") or "no answer in time"
        raise Unavailable(f"Cannot reach the database: {told}.") from error
    try:
        yield connection
    finally:
        await connection.close()


async def _take_lock(connection: asyncpg.Connection) -> None:
    """Wait by asking again: a session blocked inside pg_advisory_lock would stall CREATE INDEX CONCURRENTLY."""
    try:
        async with asyncio.timeout(LOCK_WAIT_SECONDS):
            # The event that ends this loop is in another process.
            while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", LOCK):  # noqa: ASYNC110
                await asyncio.sleep(LOCK_POLL_SECONDS)
    except TimeoutError as error:
        raise Unavailable(
            f"Another process has been changing the schema for {LOCK_WAIT_SECONDS:g} s; try again when it is done."
        ) from error


async def _pending(connection: asyncpg.Connection, migrations: Mapping[str, Migration]) -> list[str]:
    if await connection.fetchval("SELECT to_regclass('migration')") is None:
        return sorted(migrations)
    rows = await connection.fetch("SELECT name FROM migration WHERE app_name = $1", APP_NAME)
    done = {row["name"] for row in rows}
    unknown = sorted(done - set(migrations))
    if unknown:
        raise SchemaTooNew(
            f"The database has migration {unknown[-1]}, which this Graphmark does not know: "
            "start the newer version that made it, or restore a backup."
        )
    return sorted(set(migrations) - done)


async def _apply(connection: asyncpg.Connection, name: str, migration: Migration) -> None:
    """Apply a migration, again and again while others use its tables."""
    manager = await migration()
    _require_only_sql(manager)
    deadline = time.monotonic() + TABLE_PATIENCE_SECONDS
    # Those who use the tables are in other processes.
    while not await _try(connection, name, manager, is_last=time.monotonic() > deadline):  # noqa: ASYNC110
        await asyncio.sleep(TABLE_PAUSE_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311  jitter, not a secret


async def _try(connection: asyncpg.Connection, name: str, manager: MigrationManager, *, is_last: bool) -> bool:
    """Apply a migration; False when a table was in use, unless this was the last try."""
    token = _running_on.set(connection)
    try:
        async with AsyncExitStack() as stack:
            if manager.wrap_in_transaction:
                await stack.enter_async_context(connection.transaction())
                await connection.execute(f"SET LOCAL lock_timeout = {int(TABLE_LOCK_SECONDS * 1000)}")
            for step in manager.raw:
                await step()
            await connection.execute("INSERT INTO migration (name, app_name) VALUES ($1, $2)", name, APP_NAME)
    except asyncpg.LockNotAvailableError as error:
        if manager.wrap_in_transaction and not is_last:
            return False
        raise MigrationFailed(f"Migration {name} failed: others use the tables that it changes.") from error
    except LOST as error:
        raise Unavailable(f"The connection to the database was lost during migration {name}.") from error
    except asyncpg.PostgresError as error:
        told = str(error).partition("\n")[0]
        ended = "failed and was rolled back" if manager.wrap_in_transaction else "failed"
        raise MigrationFailed(f"Migration {name} {ended}: {told}.") from error
    finally:
        _running_on.reset(token)
    return True


async def _wall(connection: asyncpg.Connection) -> None:
    """See to it that the wall stands, again and again while others use its tables. What stands stays."""
    deadline = time.monotonic() + TABLE_PATIENCE_SECONDS
    while not await _try_wall(connection, is_last=time.monotonic() > deadline):  # noqa: ASYNC110  as in `_apply`
        await asyncio.sleep(TABLE_PAUSE_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311  jitter, not a secret


async def _try_wall(connection: asyncpg.Connection, *, is_last: bool) -> bool:
    try:
        await connection.execute(f"SET lock_timeout = {int(TABLE_LOCK_SECONDS * 1000)}")
        await wall.build(connection)
    except asyncpg.LockNotAvailableError as error:
        if not is_last:
            return False
        raise MigrationFailed("Row-level security could not be set up: others use the tables.") from error
    except LOST as error:
        raise Unavailable("The connection to the database was lost while the wall was built.") from error
    except asyncpg.PostgresError as error:
        told = str(error).partition("\n")[0]
        raise MigrationFailed(f"Row-level security could not be set up: {told}.") from error
    return True


def _require_only_sql(manager: MigrationManager) -> None:
    """Refuse Piccolo's own operations, which would run on another connection, outside lock and transaction."""
    bare = replace(manager, raw=[], raw_backwards=[])
    empty = MigrationManager(
        migration_id=manager.migration_id,
        app_name=APP_NAME,
        description=manager.description,
        wrap_in_transaction=manager.wrap_in_transaction,
    )
    if bare != empty:
        raise MigrationFailed(f"Migration {manager.migration_id} must belong to {APP_NAME} and consist of SQL.")


def _connection() -> asyncpg.Connection:
    """Return the connection to run on: ours, or that of the transaction which a Piccolo command has opened."""
    ours = _running_on.get(None)
    if ours is not None:
        return ours
    engine = engine_finder()
    transaction = engine.current_transaction.get() if isinstance(engine, PostgresEngine) else None
    if transaction is None:
        raise MigrationFailed("A migration's SQL runs only inside a migration.")
    return transaction.connection
