"""The periodic jobs: bounded sweeps and purges, one transaction each."""

import asyncio
import shutil
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from db import agents as tasks
from db import auth, bookmarks, events, idempotency
from db import imports as uploads
from db.unit import Unit
from kit.settings import Settings
from kit.uploads import remove_stale
from services.agents import BELL

_BATCH = 5_000
_FILES = 500
_MINUTE, _HOUR = 60, 3_600
_STALE_PART_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Job:
    """Something to do once in `every_seconds`. `run` returns how much it did; `after` follows its commit."""

    name: str
    every_seconds: int
    run: Callable[[Unit], Awaitable[int]]
    after: Callable[[], Awaitable[None]] | None = None


def jobs(settings: Settings) -> list[Job]:
    """Return every periodic job with the bounds of `settings`."""

    async def prune_events(unit: Unit) -> int:
        return await events.prune(unit, older_than_hours=settings.event_retention_hours, limit=_BATCH)

    async def purge_keys(unit: Unit) -> int:
        return await idempotency.purge(unit, older_than_hours=settings.idempotency_hours, limit=_BATCH)

    async def purge_trash(unit: Unit) -> int:
        return await bookmarks.purge_trash(unit, older_than_days=settings.trash_retention_days, limit=_BATCH)

    async def purge_uploads(unit: Unit) -> int:
        return await uploads.purge_uploads(unit, limit=_FILES)

    async def remove_files() -> None:
        await asyncio.to_thread(remove_orphans, settings.upload_dir, settings.upload_retention_hours * _HOUR)

    return [
        Job("sweep", max(1, int(settings.task_sweep_seconds)), sweep),
        Job("prune-events", _MINUTE, prune_events),
        Job("purge-logins", 5 * _MINUTE, purge_logins),
        Job("purge-idempotency-keys", 5 * _MINUTE, purge_keys),
        Job("purge-uploads", 5 * _MINUTE, purge_uploads, after=remove_files),
        Job("purge-trash", _HOUR, purge_trash),
    ]


async def sweep(unit: Unit) -> int:
    """Ring for tasks that are due or whose worker died: a lost ring costs one sweep, never the task."""
    due = await tasks.count_due(unit, limit=_BATCH)
    if due:
        unit.ring(BELL)
    return due


async def purge_logins(unit: Unit) -> int:
    """Forget sessions and one-time tokens that can never be used again."""
    return await auth.purge_expired(unit, limit=_BATCH)


def remove_orphans(folder: Path, retention_seconds: float) -> int:
    """Remove files of uploads that have expired, and what killed processes left; return how many.

    Files are as old as their upload. The grace of one tenth lets a purge of the row come first.
    """
    removed = remove_stale(folder, older_than_seconds=_STALE_PART_SECONDS)
    limit = time.time() - retention_seconds * 1.1
    for path in folder.glob("*"):
        if removed >= _FILES:
            break
        try:
            if path.suffix == ".part" or path.stat().st_mtime >= limit:
                continue
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
            removed += 1
        except FileNotFoundError:
            continue  # another scheduler was faster
    return removed
