"""What happens by the clock: once per slot, bounded, and nothing that is still needed goes."""

import asyncio
import os
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from db import agents as rows
from db import idempotency
from db.unit import Database, Rows, Unit
from kit.cron import Cron
from kit.ids import new_id
from kit.settings import Settings
from kit.uploads import INCOMING_FOLDER
from services import agents
from tasks.maintenance import Job, jobs, remove_files
from tasks.schedule import make_scheduler, run_slot
from tests.make import Maker

LONG_AGO = "now() - interval '400 days'"


def job(settings: Settings, name: str) -> Job:
    return next(one for one in jobs(settings) if one.name == name)


async def count(database: Database, table: str) -> int:
    return int(await database.fetchval(f"SELECT count(*) FROM {table}"))


async def test_two_schedulers_run_a_job_once_per_slot(database: Database) -> None:
    runs = 0

    async def run(unit: Unit) -> int:
        nonlocal runs
        runs += 1
        await unit.fetchval("SELECT pg_sleep(0.1)")
        return 1

    once = Job("once", 3_000_000_000, run)
    ran = await asyncio.gather(*(run_slot(once, database) for _ in range(5)))
    assert sorted(ran) == [False, False, False, False, True]
    assert not await run_slot(once, database)
    assert runs == 1


async def test_a_cron_runs_once_for_each_time_it_was_due(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[datetime] = []
    now = datetime(2026, 3, 4, 12, tzinfo=UTC)

    async def told(_rows: Rows) -> datetime:
        return now

    async def run(unit: Unit) -> int:
        runs.append(now)
        await unit.fetchval("SELECT pg_sleep(0.05)")
        return 1

    monkeypatch.setattr(rows, "clock", told)
    nightly = Job("nightly", 3_600, run, cron=Cron.parse("30 3 * * *"))
    moments = [
        now,  # the server is set up: what was due before is past
        now + timedelta(hours=15),
        now + timedelta(hours=15, minutes=29, seconds=59),
        now + timedelta(hours=15, minutes=30),
        now + timedelta(hours=15, minutes=29, seconds=59),  # another scheduler asks a slow clock
        now + timedelta(hours=20),
        now + timedelta(days=5),  # five were missed
        now + timedelta(days=5, seconds=15),
    ]
    for moment in moments:
        now = moment
        await asyncio.gather(*(run_slot(nightly, database) for _ in range(3)))
    assert runs == [moments[3], moments[6]]


async def test_a_job_goes_on_when_its_interval_was_made_longer_or_a_cron(database: Database) -> None:
    async def work(_unit: Unit) -> int:
        return 1

    async def was_due_before() -> None:
        await database.execute("UPDATE periodic_runs SET slot = slot - 400 * 86400")

    assert await run_slot(Job("job", 1, work), database)
    await was_due_before()
    assert await run_slot(Job("job", 86_400, work), database)
    await was_due_before()
    yearly = Job("job", 1, work, cron=Cron.parse("0 0 1 1 *"))
    assert await run_slot(yearly, database)
    assert not await run_slot(yearly, database)
    await was_due_before()
    assert await run_slot(Job("job", 3_600, work), database)


async def test_a_slot_whose_job_failed_is_free(database: Database) -> None:
    async def fail(_unit: Unit) -> int:
        raise RuntimeError

    async def work(_unit: Unit) -> int:
        return 1

    with pytest.raises(RuntimeError):
        await run_slot(Job("twice", 3_000_000_000, fail), database)
    assert await run_slot(Job("twice", 3_000_000_000, work), database)


async def test_the_sweep_rings_for_what_is_due(database: Database, settings: Settings, make: Maker, rung: Any) -> None:
    viewer = await make.viewer()
    sweep = replace(job(settings, "sweep"), every_seconds=1)
    await run_slot(sweep, database)
    assert rung.bells == []
    async with database.unit() as unit:
        task = await agents.enqueue(unit, viewer, workflow="T", kind="k", payload={}, max_attempts=1)
    rung.bells.clear()
    await database.execute("DELETE FROM periodic_runs")
    assert await run_slot(sweep, database)
    assert rung.bells == ["work"]
    rung.bells.clear()
    await database.execute("DELETE FROM periodic_runs")
    await database.execute(
        "UPDATE a2a_tasks SET status = 'RUNNING', lease_until = now() - interval '1 s' WHERE id = $1", task.id
    )
    assert await run_slot(sweep, database)
    assert rung.bells == ["work"]


async def test_the_scheduler_runs_its_jobs(database: Database, settings: Settings) -> None:
    scheduler = make_scheduler(settings, database)
    for source in scheduler.sources:
        await source.startup()
        schedules = await source.get_schedules()
    assert sorted(schedule.task_name for schedule in schedules) == sorted(one.name for one in jobs(settings))
    for schedule in schedules:
        await scheduler.on_ready(source, schedule)
    await scheduler.broker.wait_all()  # type: ignore[attr-defined]  # it is the in-memory one
    await scheduler.shutdown()
    ran = await database.fetch("SELECT name FROM periodic_runs ORDER BY name")
    assert [row["name"] for row in ran] == sorted(one.name for one in jobs(settings))


async def test_purges_take_what_is_past_and_nothing_else(database: Database, settings: Settings, make: Maker) -> None:
    user = await make.user()
    await make.session(user)
    await database.execute(
        f"""
        INSERT INTO sessions (id, user_id, token_hash, idle_minutes, idle_expires_at, expires_at)
        SELECT gen_random_uuid(), $1, sha256('old'), 60, {LONG_AGO}, {LONG_AGO}
        """,
        user.id,
    )
    for key, age in (("old", LONG_AGO), ("new", "now()")):
        await database.execute(
            f"""
            INSERT INTO idempotency_keys (owner_id, key, operation, request_hash, subject_id, created_at)
            VALUES ($1, $2, 'x', '', gen_random_uuid(), {age})
            """,
            user.id,
            key,
        )
        await database.execute(
            f"""
            INSERT INTO bookmarks (id, owner_id, url, canonical_url, url_key, url_key_version, domain, deleted_at)
            VALUES (gen_random_uuid(), $1, $2, $2, decode(md5($2), 'hex'), 1, 'x', {age})
            """,
            user.id,
            key,
        )
    for one in jobs(settings):
        await run_slot(one, database)
    left = {table: await count(database, table) for table in ("sessions", "idempotency_keys", "bookmarks")}
    assert left == {"sessions": 1, "idempotency_keys": 1, "bookmarks": 1}


async def test_a_key_that_is_purged_is_free(database: Database, make: Maker) -> None:
    viewer = await make.viewer()
    values: dict[str, Any] = {"operation": "x", "request_hash": b"1", "subject_id": new_id(), "hours": 24}
    async with database.unit() as unit:
        assert await idempotency.take(unit, viewer.id, "k", **values) is None
        used = await idempotency.take(unit, viewer.id, "k", **values)
        assert used is not None
        assert used.subject_id == values["subject_id"]
        await unit.execute(f"UPDATE idempotency_keys SET created_at = {LONG_AGO}")
        assert await idempotency.take(unit, viewer.id, "k", **values) is None


async def test_files_without_an_upload_go(database: Database, settings: Settings, make: Maker, tmp_path: Path) -> None:
    user, folder = await make.user(), settings.upload_dir
    (folder / INCOMING_FOLDER).mkdir(parents=True)
    kept, orphan, fresh = new_id(), new_id(), new_id()
    await database.execute(
        """
        INSERT INTO uploads (id, owner_id, file_name, size_bytes, sha256, detected_format, expires_at)
        VALUES ($1, $2, 'f', 1, sha256(''), 'NETSCAPE_HTML', now() + interval '1 day')
        """,
        kept,
        user.id,
    )
    stale = folder / INCOMING_FOLDER / f"{new_id()}.part"
    for path in (folder / str(kept), folder / str(orphan), stale):
        path.touch()
        os.utime(path, (time.time() - 3600,) * 2)
    (folder / str(fresh)).touch()
    assert await remove_files(database, folder) == 2
    left = sorted(path.name for path in folder.rglob("*") if path.is_file())
    assert left == sorted([str(kept), str(fresh)])
    assert tmp_path in folder.parents
