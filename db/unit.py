"""The door to PostgreSQL: a pool for reads, a unit for changes.

    database.fetch(…)                      one statement on a pooled connection
    async with database.unit() as unit:    one transaction: all of it or nothing
        unit.fetchrow(…); unit.ring(…)     bells are delivered after the commit, never after a rollback

    database.of(owner_id)                  the same for whoever acts for an account: behind the wall (db.wall)

Both satisfy `Rows`, which every function of `db` takes first, so that whoever calls decides which transaction a
query belongs to. Piccolo describes the tables and writes simple statements; asyncpg runs all of them.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

import asyncpg
import orjson
import structlog

from db import wall
from db.connections import UNUSED_SECONDS, Connections
from kit.errors import Unavailable

log = structlog.get_logger(__name__)
Ringer = Callable[[str], Awaitable[None]]
LOST_CONNECTION = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a connection that ends between two steps of a statement
    # What a server says before it hangs up or instead of taking somebody in: it stops, starts, or is full.
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
)
RETRYABLE = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
_AWAY_CLASSES = ("08", "53")
_AWAY_STATES = frozenset({"57014", "57P01", "57P02", "57P03", "55P03", "40001", "40P01"})
_STATEMENT_CACHE = 128
"""Prepared statements of one connection. A large one takes PostgreSQL 165 KB; clients that try can make it 65 MB."""
_JSONB_VERSION = b"\x01"  # what the binary format of jsonb begins with
_CONNECT_SECONDS = 10.0


class Rows(Protocol):
    """Something that statements can be run on. Arguments are asyncpg's `$1`, `$2` …; values, never SQL text."""

    async def fetch(self, sql: str, *arguments: Any) -> list[asyncpg.Record]:
        """Return all rows of a bounded result."""
        ...

    async def fetchrow(self, sql: str, *arguments: Any) -> asyncpg.Record | None:
        """Return the first row or None."""
        ...

    async def fetchval(self, sql: str, *arguments: Any) -> Any:
        """Return the first column of the first row or None."""
        ...

    async def execute(self, sql: str, *arguments: Any) -> int:
        """Run a change and return how many rows it touched."""
        ...


class Unit:
    """One transaction on one connection. Made by `Database.unit`, gone when its block ends."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self.connection = connection
        self.bells: list[str] = []

    async def fetch(self, sql: str, *arguments: Any) -> list[asyncpg.Record]:
        """See `Rows.fetch`."""
        rows: list[asyncpg.Record] = await self.connection.fetch(sql, *arguments)
        return rows

    async def fetchrow(self, sql: str, *arguments: Any) -> asyncpg.Record | None:
        """See `Rows.fetchrow`."""
        return await self.connection.fetchrow(sql, *arguments)

    async def fetchval(self, sql: str, *arguments: Any) -> Any:
        """See `Rows.fetchval`."""
        return await self.connection.fetchval(sql, *arguments)

    async def execute(self, sql: str, *arguments: Any) -> int:
        """See `Rows.execute`."""
        return _touched(await self.connection.execute(sql, *arguments))

    def ring(self, bell: str) -> None:
        """Ask for `bell` to be rung once this transaction has committed. Asking twice rings once."""
        if bell not in self.bells:
            self.bells.append(bell)


@dataclass(slots=True)
class _Shared:
    """What all views of one pool have in common."""

    pool: asyncpg.Pool
    connections: Connections
    dsn: str
    is_walled: bool
    ringer: Ringer | None = None


class Database:
    """A pool of connections. `await Database.connect(…)` to open, `await database.close()` to end.

    What `connect` gives acts for the system and may do everything. `of` gives what acts for an account: the same pool,
    on which PostgreSQL shows and changes the rows of that account alone.
    """

    __slots__ = ("_owner_id", "_shared")

    def __init__(self, shared: _Shared, owner_id: UUID | None = None) -> None:
        self._shared = shared
        self._owner_id = owner_id

    @property
    def pool(self) -> asyncpg.Pool:
        """Asyncpg's pool. Its connections act for nobody knows whom: use `unit` instead."""
        return self._shared.pool

    @property
    def dsn(self) -> str:
        """Where the database is."""
        return self._shared.dsn

    @property
    def ringer(self) -> Ringer | None:
        """Who rings the bells of units; None lets them be."""
        return self._shared.ringer

    @ringer.setter
    def ringer(self, ringer: Ringer | None) -> None:
        self._shared.ringer = ringer

    @property
    def is_walled(self) -> bool:
        """Whether PostgreSQL holds the wall. Without it `of` changes nothing, and `graphmark doctor` says why."""
        return self._shared.is_walled

    def of(self, owner_id: UUID) -> "Database":
        """Return what acts for an account: it sees and changes nothing of any other."""
        if not self._shared.is_walled or self._owner_id == owner_id:
            return self
        if self._owner_id is not None:
            raise ValueError("who acts for one account cannot act for another")
        return Database(self._shared, owner_id)

    @classmethod
    async def connect(
        cls,
        dsn: str,
        *,
        size: int,
        statement_timeout_seconds: float,
        idle_timeout_seconds: float | None = None,
        name: str = "graphmark",
    ) -> "Database":
        """Open a pool of at most `size` connections whose statements end after `statement_timeout_seconds`.

        A transaction ends in which nothing happens for `idle_timeout_seconds`, or twice as long as for a statement.
        `name` is the application name that PostgreSQL's own views show. Where the wall does not stand, everything works
        without it, and the log says so. Raises `Unavailable` when there is no server.
        """
        idle_seconds = 2 * statement_timeout_seconds if idle_timeout_seconds is None else idle_timeout_seconds
        try:
            pool = await asyncpg.create_pool(
                dsn,
                min_size=min(2, size),
                max_size=size,
                init=_prepare,
                timeout=_CONNECT_SECONDS,
                statement_cache_size=_STATEMENT_CACHE,
                max_inactive_connection_lifetime=UNUSED_SECONDS,
                server_settings={
                    "application_name": name,
                    "timezone": "UTC",
                    "statement_timeout": str(int(statement_timeout_seconds * 1000)),
                    "idle_in_transaction_session_timeout": str(int(idle_seconds * 1000)),
                    "jit": "off",
                    # One request, one core; and to four of them all vectors look cheaper than those of one account.
                    "max_parallel_workers_per_gather": "0",
                    "random_page_cost": "1.1",  # pages are in memory or on solid state; at 4 it reads whole tables
                    # pgvector's: how many vectors a search keeps in view, and that it goes on when too few fit.
                    "hnsw.ef_search": "200",
                    "hnsw.iterative_scan": "relaxed_order",
                },
            )
        except (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            told = str(error).partition("\n")[0] or type(error).__name__  # a timeout has no text
            raise Unavailable(f"Cannot reach the database: {told}.") from error
        try:
            async with pool.acquire() as connection:
                gap = await wall.gap(connection)
        except BaseException:
            pool.terminate()
            raise
        if gap is not None:
            log.warning("database.no_row_level_security", reason=gap)
        connections = Connections(pool, size=size, is_walled=gap is None)
        return cls(_Shared(pool, connections, dsn, is_walled=gap is None))

    async def close(self) -> None:
        """Wait for running statements, then close every connection."""
        await self._shared.connections.close()
        await self._shared.pool.close()

    async def fetch(self, sql: str, *arguments: Any) -> list[asyncpg.Record]:
        """See `Rows.fetch`."""
        rows: list[asyncpg.Record] = await self._run("fetch", sql, arguments)
        return rows

    async def fetchrow(self, sql: str, *arguments: Any) -> asyncpg.Record | None:
        """See `Rows.fetchrow`."""
        return await self._run("fetchrow", sql, arguments)

    async def fetchval(self, sql: str, *arguments: Any) -> Any:
        """See `Rows.fetchval`."""
        return await self._run("fetchval", sql, arguments)

    async def execute(self, sql: str, *arguments: Any) -> int:
        """See `Rows.execute`."""
        return _touched(await self._run("execute", sql, arguments))

    @asynccontextmanager
    async def unit(self) -> AsyncIterator[Unit]:
        """One transaction: committed when the block ends, rolled back when it raises. Bells ring after the commit."""
        connections = self._shared.connections
        line = await connections.borrow(self._owner_id)
        unit = Unit(line.connection)
        try:
            async with line.connection.transaction():
                yield unit
        except BaseException as error:
            await connections.take_back(line, error)
            raise
        connections.give_back(line)
        await self._deliver(unit.bells)

    async def _run(self, method: str, sql: str, arguments: Sequence[Any]) -> Any:
        """Run one statement by a method of asyncpg's connections."""
        connections = self._shared.connections
        line = await connections.borrow(self._owner_id)
        try:
            result = await getattr(line.connection, method)(sql, *arguments)
        except BaseException as error:
            await connections.take_back(line, error)
            raise
        connections.give_back(line)
        return result

    async def _deliver(self, bells: Sequence[str]) -> None:
        if self.ringer is not None:
            for bell in bells:
                await self.ringer(bell)


async def dial(dsn: str, *, name: str) -> asyncpg.Connection:
    """Open one connection outside any pool, for what must keep its session: listening and advisory locks."""
    settings = {"application_name": name, "timezone": "UTC"}
    return await asyncpg.connect(dsn, timeout=_CONNECT_SECONDS, server_settings=settings)


async def _prepare(connection: asyncpg.Connection) -> None:
    """Teach a new connection json and jsonb, in the binary form that COPY needs too.

    jsonb is Python objects. json is what PostgreSQL printed for a client: the bytes are passed on as they are.
    """
    await connection.set_type_codec("json", encoder=orjson.dumps, decoder=bytes, schema="pg_catalog", format="binary")
    await connection.set_type_codec(
        "jsonb",
        encoder=lambda value: _JSONB_VERSION + orjson.dumps(value),
        decoder=lambda data: orjson.loads(memoryview(data)[1:]),
        schema="pg_catalog",
        format="binary",
    )


def is_away(cause: BaseException) -> bool:
    """Tell whether an error says that the database is away or overloaded: the same request may succeed later."""
    if isinstance(cause, (*LOST_CONNECTION, TimeoutError)):
        return True
    state = getattr(cause, "sqlstate", None)
    return isinstance(state, str) and (state in _AWAY_STATES or state.startswith(_AWAY_CLASSES))


def _touched(status: str) -> int:
    """Return the row count at the end of a command tag such as `UPDATE 3`."""
    last = status.rpartition(" ")[2]
    return int(last) if last.isdigit() else 0
