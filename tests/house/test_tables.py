"""The tables as Piccolo knows them are the tables that the migrations make."""

# ruff: noqa: SLF001  Piccolo documents `_meta` as the place to ask a table about itself

from dataclasses import dataclass
from types import SimpleNamespace

import pytest
from piccolo.columns import Column
from piccolo.table import Table

from db.piccolo_app import APP_CONFIG
from db.unit import Database


@dataclass(frozen=True, slots=True)
class Described:
    """A column: its type as PostgreSQL spells it, and whether it may be null."""

    kind: str
    nullable: bool


def test_tables_are_described() -> None:
    described = {table._meta.tablename for table in APP_CONFIG.table_classes}
    assert {"a2a_tasks", "bookmarks", "collections", "imports", "sessions", "tags", "uploads", "users"} <= described


@pytest.mark.parametrize("table", APP_CONFIG.table_classes, ids=lambda table: table._meta.tablename)
async def test_a_description_agrees_with_the_database(
    database: Database, table: type[Table], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Some columns ask their table's engine how to spell their type; nobody configures one here.
    monkeypatch.setattr(table._meta, "_db", SimpleNamespace(engine_type="postgres"))
    described = {
        column._meta.db_column_name: Described(await spelled(database, column), bool(column._meta.null))
        for column in table._meta.columns
    }
    assert described == await columns_of(database, table._meta.tablename)


async def spelled(database: Database, column: Column) -> str:
    """Return the column's type in PostgreSQL's own words: `TIMESTAMPTZ` is `timestamp with time zone`."""
    kind = await database.fetchval("SELECT to_regtype($1)::text", column.column_type)
    return str(kind or column.column_type)


async def columns_of(database: Database, table: str) -> dict[str, Described]:
    """Return the columns that a statement can write; generated ones are PostgreSQL's own business."""
    rows = await database.fetch(
        """
        SELECT attname::text AS name, atttypid::regtype::text AS kind, NOT attnotnull AS nullable FROM pg_attribute
        WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
        """,
        table,
    )
    return {row["name"]: Described(row["kind"], row["nullable"]) for row in rows}
