"""Migrations against a real PostgreSQL: once each, all or nothing, one at a time, never backwards unawares."""

import asyncio
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from db import migrate as module
from db.migrate import Migration, MigrationFailed, SchemaTooNew, known, migrate, pending, script
from kit.errors import Unavailable
from kit.postgres import EmbeddedPostgres

FIRST, SECOND, THIRD = "2026-01-01T00:00:00:000000", "2026-01-02T00:00:00:000000", "2026-01-03T00:00:00:000000"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One server for this module; give its URL."""
    postgres = EmbeddedPostgres(tmp_path_factory.mktemp("postgres"), {"fsync": "off", "shared_buffers": "16MB"})
    yield postgres.start()
    postgres.stop()


@pytest.fixture
async def dsn(server: str) -> AsyncIterator[str]:
    """Give the URL of an empty database."""
    connection = await asyncpg.connect(server)
    await connection.execute("CREATE DATABASE scratch")
    yield server.replace("/postgres?", "/scratch?")
    await connection.execute("DROP DATABASE scratch WITH (FORCE)")
    await connection.close()


def migration(name: str, *steps: str, in_transaction: bool = True) -> Migration:
    async def forwards() -> MigrationManager:
        manager = MigrationManager(migration_id=name, app_name="graphmark", wrap_in_transaction=in_transaction)
        for step in steps:
            manager.add_raw(script(step))
        return manager

    return forwards


async def ask(dsn: str, sql: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def test_applies_in_order_what_is_pending_and_only_once(dsn: str) -> None:
    one = migration(FIRST, "CREATE TABLE a (n int); INSERT INTO a VALUES (1)", "INSERT INTO a VALUES (2)")
    two = migration(SECOND, "ALTER TABLE a ADD COLUMN tags text[] DEFAULT '{}'")
    assert await pending(dsn, migrations={SECOND: two, FIRST: one}) == [FIRST, SECOND]
    assert (await migrate(dsn, migrations={FIRST: one})).applied == (FIRST,)
    assert (await migrate(dsn, migrations={SECOND: two, FIRST: one})).applied == (SECOND,)
    assert (await migrate(dsn, migrations={SECOND: two, FIRST: one})).applied == ()
    assert await pending(dsn, migrations={SECOND: two, FIRST: one}) == []
    assert await ask(dsn, "SELECT array_agg(n ORDER BY n) FROM a WHERE tags = '{}'") == [1, 2]


async def test_asking_what_is_pending_changes_nothing(dsn: str) -> None:
    assert await pending(dsn) == sorted(known())
    assert await ask(dsn, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0


async def test_a_failing_migration_leaves_no_trace_and_keeps_those_before_it(dsn: str) -> None:
    broken = migration(SECOND, "CREATE TABLE b (n int)", "SELECT nonsense")
    steps = {FIRST: migration(FIRST, "CREATE TABLE a (n int)"), SECOND: broken}
    with pytest.raises(MigrationFailed) as failed:
        await migrate(dsn, migrations=steps)
    assert failed.value.message == (f'Migration {SECOND} failed and was rolled back: column "nonsense" does not exist.')
    assert await ask(dsn, "SELECT to_regclass('a')::text") == "a"
    assert await ask(dsn, "SELECT to_regclass('b')") is None
    assert await ask(dsn, "SELECT string_agg(name, ',') FROM migration") == FIRST
    assert await pending(dsn, migrations=steps) == [SECOND]


async def test_two_at_once_apply_everything_once(dsn: str) -> None:
    slow = migration(FIRST, "SELECT pg_sleep(0.3); CREATE TABLE a (n int)")
    reports = await asyncio.gather(*(migrate(dsn, migrations={FIRST: slow}) for _ in range(4)))
    assert sorted(report.applied for report in reports) == [(), (), (), (FIRST,)]


async def test_an_index_can_be_built_concurrently_while_another_process_waits(dsn: str) -> None:
    steps = {
        FIRST: migration(FIRST, "CREATE TABLE a (n int)"),
        SECOND: migration(SECOND, "SELECT pg_sleep(0.2)", "CREATE INDEX CONCURRENTLY i ON a (n)", in_transaction=False),
    }
    async with asyncio.timeout(20):
        await asyncio.gather(migrate(dsn, migrations=steps), migrate(dsn, migrations=steps))
    assert await ask(dsn, "SELECT indisvalid FROM pg_index WHERE indexrelid = 'i'::regclass") is True


async def test_a_lock_that_is_never_freed_ends_in_one_clear_line(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOCK_WAIT_SECONDS", 0.2)
    holder = await asyncpg.connect(dsn)
    try:
        await holder.execute(f"SELECT pg_advisory_lock({module.LOCK})")
        with pytest.raises(Unavailable, match="has been changing the schema"):
            await migrate(dsn, migrations={})
    finally:
        await holder.close()


@pytest.mark.fault
async def test_a_migration_killed_half_way_is_done_in_full_the_next_time(dsn: str) -> None:
    stuck = migration(FIRST, "CREATE TABLE a (n int)", "SELECT pg_sleep(600)")
    running = asyncio.create_task(migrate(dsn, migrations={FIRST: stuck}))
    watcher = await asyncpg.connect(dsn)
    killed = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600)'"
    async with asyncio.timeout(20):
        while not await watcher.fetchval(killed):  # noqa: ASYNC110  the event is in the server
            await asyncio.sleep(0.01)
    await watcher.close()
    with pytest.raises(Unavailable, match=f"was lost during migration {FIRST}"):
        await running
    assert await ask(dsn, "SELECT to_regclass('a')") is None
    report = await migrate(dsn, migrations={FIRST: migration(FIRST, "CREATE TABLE a (n int)")})
    assert report.applied == (FIRST,)


async def test_a_newer_schema_is_refused_before_anything_is_changed(dsn: str) -> None:
    await migrate(dsn, migrations={THIRD: migration(THIRD, "SELECT 1")})
    steps = {FIRST: migration(FIRST, "CREATE TABLE a (n int)")}
    for attempt in (migrate, pending):
        with pytest.raises(SchemaTooNew, match=f"has migration {THIRD}, which this Graphmark does not know"):
            await attempt(dsn, migrations=steps)
    assert await ask(dsn, "SELECT to_regclass('a')") is None


async def test_the_history_of_other_piccolo_apps_is_not_ours(dsn: str) -> None:
    await migrate(dsn, migrations={})
    await ask(dsn, "INSERT INTO migration (name, app_name) VALUES ('x', 'other') RETURNING 1")
    assert await pending(dsn, migrations={}) == []


async def test_piccolo_operations_are_refused_because_they_would_run_outside_the_lock(dsn: str) -> None:
    async def forwards() -> MigrationManager:
        manager = MigrationManager(migration_id=FIRST, app_name="graphmark")
        manager.drop_column(table_class_name="A", tablename="a", column_name="n", db_column_name="n")
        return manager

    with pytest.raises(MigrationFailed, match="consist of SQL"):
        await migrate(dsn, migrations={FIRST: forwards})


@pytest.mark.parametrize(
    "dsn",
    ["postgresql://u:secret-word@127.0.0.1:1/x", "postgresql://postgres@/x?host=/nowhere", "mysql://u:secret-word@h/x"],
)
async def test_no_server_is_one_clear_line_without_the_password(dsn: str) -> None:
    with pytest.raises(Unavailable) as failed:
        await migrate(dsn)
    assert failed.value.message.startswith("Cannot reach the database: ")
    assert "\n" not in failed.value.message
    assert "secret-word" not in failed.value.message


async def test_script_outside_a_migration_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "engine_finder", lambda: None)
    with pytest.raises(MigrationFailed, match="only inside a migration"):
        await script("SELECT 1")()


async def test_the_real_migrations_apply_to_an_empty_database(dsn: str) -> None:
    names = sorted(known())
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d:\d{6}", name) for name in names)
    assert (await migrate(dsn)).applied == tuple(names)
    assert await ask(dsn, "SELECT count(*) FROM users") == 0


async def test_piccolo_sees_the_same_history_and_can_go_back_and_forth(dsn: str) -> None:
    await migrate(dsn)
    names = sorted(known())
    commands = (("backwards", names[0]), ("forwards", "all"))
    for command, until in commands:
        arguments = [sys.executable, "-m", "piccolo.main", "migrations", command, "graphmark", until]
        process = await asyncio.create_subprocess_exec(
            *arguments,
            *(["--auto_agree"] if command == "backwards" else []),
            env={"GRAPHMARK_DATABASE_URL": dsn, "PATH": "/usr/bin:/bin"},
            cwd=Path(__file__).parents[2],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        assert process.returncode == 0, output.decode()
        left = await ask(dsn, "SELECT count(*) FROM migration WHERE app_name = 'graphmark'")
        assert left == (0 if command == "backwards" else len(names))
    assert await pending(dsn) == []
