"""The second wall, table by table: whoever acts for one account sees and changes nothing of another's.

Tables come from the catalogue. One that `db.wall.TABLES` does not know fails here.
"""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import asyncpg
import pytest

from db.unit import Database
from db.wall import NOBODY, ROLE, SETTING, TABLES, Access, Closed, Own, Shared, Through

ADA, BOB = uuid.uuid5(uuid.NAMESPACE_URL, "ada"), uuid.uuid5(uuid.NAMESPACE_URL, "bob")
OF_ACCOUNTS = sorted(name for name, access in TABLES.items() if isinstance(access, Own | Through))
WRITABLE = [name for name in OF_ACCOUNTS if getattr(TABLES[name], "is_writable", True)]
OTHERS = sorted(set(TABLES) - set(OF_ACCOUNTS))
REFERRING = [
    (name, column, table)
    for name, access in TABLES.items()
    if isinstance(access, Own)
    for column, table in access.refers
]
_VALUES = {
    "uuid": "gen_random_uuid()",
    "text": "gen_random_uuid()::text",
    "bytea": "sha256(gen_random_uuid()::text::bytea)",
    "timestamp with time zone": "now()",
    "date": "current_date",
    "boolean": "false",
    "jsonb": "'{}'",
    "json": "'{}'",
    "text[]": "'{}'",
    "uuid[]": "'{}'",
    "halfvec": "'[1,2,3]'",
    "inet": "'127.0.0.1'",
}
"""SQL for some value of each type; a number for what is not here."""


def key(owner_id: UUID, table: str) -> UUID:
    """Return the id of the row that an account has in a table."""
    return uuid.uuid5(owner_id, table)


async def columns_of(connection: asyncpg.Connection, table: str) -> dict[str, str]:
    """Return the columns that a row cannot do without, and an id, with their types."""
    rows = await connection.fetch(
        """
        SELECT attname::text AS name, atttypid::regtype::text AS kind FROM pg_attribute
        WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped AND attgenerated = '' AND attidentity = ''
            AND (attnotnull AND NOT atthasdef OR attname = 'id')
        """,
        table,
    )
    return {row["name"]: row["kind"] for row in rows}


async def insert(connection: asyncpg.Connection, table: str, owner_id: UUID, **given: str) -> None:
    """Add the row of an account to a table; `given` is SQL for some of its columns."""
    access, columns = TABLES[table], await columns_of(connection, table)
    values = {name: _VALUES.get(kind, "1") for name, kind in columns.items()}
    if isinstance(access, Own):
        if "id" in columns and columns["id"] == "uuid":
            values["id"] = f"'{key(owner_id, table)}'"
        values |= {column: f"'{key(owner_id, parent)}'" for column, parent in access.refers}
        values[access.column] = f"'{owner_id}'"
    if isinstance(access, Through):
        values[access.column] = f"'{key(owner_id, access.table)}'"
    values |= given
    await connection.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join(values.values())})")


@dataclass(frozen=True)
class Walled:
    """A connection on which Ada acts. Both accounts have one row in each table."""

    connection: asyncpg.Connection

    @asynccontextmanager
    async def system(self) -> AsyncIterator[asyncpg.Connection]:
        """Step outside the wall for a moment."""
        await self.connection.execute("SET LOCAL ROLE none")
        yield self.connection
        await self.connection.execute(f"SET LOCAL ROLE {ROLE}")

    async def refused(self, sql: str) -> str:
        """Run what PostgreSQL must refuse for lack of a right, and return what it says."""
        with pytest.raises(asyncpg.InsufficientPrivilegeError) as refusal:
            async with self.connection.transaction():
                await self.connection.execute(sql)
        return str(refusal.value)

    async def number(self, table: str, owner_id: UUID) -> int:
        """Count the rows of an account in a table, from outside the wall."""
        async with self.system():
            return int(
                await self.connection.fetchval(f"SELECT count(*) FROM {table} WHERE {owned_by(table, owner_id)}")
            )


def owned_by(table: str, owner_id: UUID) -> str:
    """Return the condition that a row is of an account."""
    access = TABLES[table]
    if isinstance(access, Own):
        return f"{access.column} = '{owner_id}'"
    assert isinstance(access, Through)
    return f"{access.column} = '{key(owner_id, access.table)}'"


def owner_column(access: Access) -> str:
    """Return the column that says whose a row is."""
    assert isinstance(access, Own | Through)
    return access.column


@pytest.fixture
async def walled(database: Database) -> AsyncIterator[Walled]:
    """Give rows to both accounts in one transaction, which is undone at the end; no constraint is in the way."""
    assert database.is_walled
    connection = await asyncpg.connect(database.dsn)
    try:
        await connection.transaction().start()
        await connection.execute("SET LOCAL session_replication_role = replica")
        for row in await connection.fetch(
            "SELECT conrelid::regclass::text AS name, quote_ident(conname) AS rule FROM pg_constraint"
            " WHERE contype = 'c' AND connamespace = 'public'::regnamespace AND conparentid = 0"
        ):
            await connection.execute(f"ALTER TABLE {row['name']} DROP CONSTRAINT {row['rule']}")
        for owner_id in (ADA, BOB):
            for table in OF_ACCOUNTS:
                await insert(connection, table, owner_id)
        await connection.execute(f"SET LOCAL ROLE {ROLE}; SET LOCAL {SETTING} = '{ADA}'")
        yield Walled(connection)
    finally:
        await connection.close()


async def test_every_table_says_who_may_see_what(database: Database) -> None:
    rows = await database.fetch(
        """
        SELECT c.relname::text AS name, c.relrowsecurity AS is_on, ARRAY(
            SELECT attname::text FROM pg_attribute WHERE attrelid = c.oid AND attname IN ('owner_id', 'user_id')
        ) AS owners
        FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'f', 'm')
        """
    )
    assert {row["name"] for row in rows} == set(TABLES), "give each table its line in db/wall/tables.py"
    for row in rows:
        access = TABLES[row["name"]]
        assert row["is_on"] is isinstance(access, Own | Through), row["name"]
        assert not (row["owners"] and isinstance(access, Shared)), (
            f"{row['name']} has an owner and is open to everybody"
        )
        if isinstance(access, Shared | Closed):
            assert access.reason
        if isinstance(access, Through):
            assert isinstance(TABLES[access.table], Own)


async def test_the_role_can_do_nothing_by_itself(database: Database) -> None:
    row = await database.fetchrow(
        "SELECT rolcanlogin, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = $1", ROLE
    )
    assert row is not None
    assert not any(row)
    owned = "SELECT count(*) FROM pg_class WHERE relowner = to_regrole($1)::oid"
    assert await database.fetchval(owned, ROLE) == 0


@pytest.mark.parametrize("table", OF_ACCOUNTS)
async def test_nobody_sees_rows_of_others(walled: Walled, table: str) -> None:
    connection = walled.connection
    assert await walled.number(table, BOB) == await walled.number(table, ADA) == 1
    assert await connection.fetchval(f"SELECT count(*) FROM {table}") == 1
    assert await connection.fetchval(f"SELECT count(*) FROM {table} WHERE {owned_by(table, ADA)}") == 1
    for nobody in (str(NOBODY), ""):
        await connection.execute(f"SET LOCAL {SETTING} = '{nobody}'")
        assert await connection.fetchval(f"SELECT count(*) FROM {table}") == 0
    await connection.execute(f"SET LOCAL {SETTING} = '{BOB}'")
    assert await connection.fetchval(f"SELECT count(*) FROM {table} WHERE {owned_by(table, BOB)}") == 1


@pytest.mark.parametrize("table", WRITABLE)
async def test_nobody_changes_rows_of_others(walled: Walled, table: str) -> None:
    connection, column = walled.connection, owner_column(TABLES[table])
    theirs = owned_by(table, BOB).partition(" = ")[2]
    assert await connection.execute(f"UPDATE {table} SET {column} = {column}") == "UPDATE 1"
    assert (
        await connection.execute(f"UPDATE {table} SET {column} = {column} WHERE {owned_by(table, BOB)}") == "UPDATE 0"
    )
    assert "row-level security" in await walled.refused(f"UPDATE {table} SET {column} = {theirs}")
    assert await connection.execute(f"DELETE FROM {table}") == "DELETE 1"
    assert (await walled.number(table, ADA), await walled.number(table, BOB)) == (0, 1)


@pytest.mark.parametrize("table", WRITABLE)
async def test_nobody_adds_rows_for_others(walled: Walled, table: str) -> None:
    connection = walled.connection
    async with walled.system():
        await connection.execute(f"DELETE FROM {table}")
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        async with connection.transaction():
            await insert(connection, table, BOB)
    await insert(connection, table, ADA)
    assert (await walled.number(table, ADA), await walled.number(table, BOB)) == (1, 0)


@pytest.mark.parametrize(("table", "column", "parent"), REFERRING)
async def test_nobody_refers_to_rows_of_others(walled: Walled, table: str, column: str, parent: str) -> None:
    connection = walled.connection
    theirs = f"'{key(BOB, parent)}'"
    assert "row-level security" in await walled.refused(f"UPDATE {table} SET {column} = {theirs}")
    await connection.execute(f"DELETE FROM {table}")
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        async with connection.transaction():
            await insert(connection, table, ADA, **{column: theirs})
    assert await walled.number(table, ADA) == 0


@pytest.mark.parametrize("table", sorted(set(OF_ACCOUNTS) - set(WRITABLE)))
async def test_what_is_only_to_be_read_is_not_written(walled: Walled, table: str) -> None:
    column = owner_column(TABLES[table])
    for sql in (
        f"UPDATE {table} SET {column} = {column}",
        f"DELETE FROM {table}",
        f"INSERT INTO {table} DEFAULT VALUES",
    ):
        assert await walled.refused(sql) == f"permission denied for table {table}"


@pytest.mark.parametrize("table", OTHERS)
async def test_what_belongs_to_nobody_is_read_at_most(walled: Walled, table: str) -> None:
    column = await walled.connection.fetchval(
        "SELECT attname::text FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum = 1", table
    )
    refused = [f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}", f"INSERT INTO {table} DEFAULT VALUES"]
    if isinstance(TABLES[table], Closed):
        refused.append(f"SELECT FROM {table}")
    else:
        await walled.connection.execute(f"SELECT FROM {table}")
    for sql in [*refused, f"TRUNCATE {table}"]:
        assert await walled.refused(sql) == f"permission denied for table {table}"


@pytest.mark.parametrize(
    ("table", "column"),
    [(name, column) for name, access in TABLES.items() if isinstance(access, Own) for column in access.hidden],
)
async def test_secrets_are_not_read(walled: Walled, table: str, column: str) -> None:
    assert await walled.refused(f"SELECT {column} FROM {table}") == f"permission denied for table {table}"


async def test_the_view_for_indexes_is_walled_like_its_table(walled: Walled) -> None:
    connection = walled.connection
    assert "permission denied" in await walled.refused("SELECT FROM public.bookmarks_by_index")
    await connection.execute("SET LOCAL search_path = graphmark_wall, public")
    found = await connection.fetch("SELECT owner_id FROM bookmarks_by_index")
    assert [row["owner_id"] for row in found] == [ADA]
    for sql in ("DELETE FROM bookmarks_by_index", "UPDATE bookmarks_by_index SET title = ''"):
        assert "permission denied" in await walled.refused(sql)


async def test_tables_are_not_copied_into(walled: Walled) -> None:
    """PostgreSQL has no COPY FROM where policies apply: whoever needs it is the system."""
    with pytest.raises(asyncpg.FeatureNotSupportedError):
        await walled.connection.copy_records_to_table("tags", records=[(uuid.uuid4(), ADA)], columns=["id", "owner_id"])
