"""The periodic jobs: bounded sweeps and purges, one transaction each."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from uuid import UUID

from db import agents as tasks
from db import auth, events, idempotency, limits, mail, spending, throttle
from db import imports as uploads
from db.unit import Database, Unit
from db.validation import health, hosts, results
from kit.ai import make_provider
from kit.cron import Cron
from kit.settings import Settings
from kit.smtp import FOLDER, remove_old
from kit.uploads import INCOMING_FOLDER, remove_stale
from services import audit, bookmarks, transfers
from services.agents import BELL, WORKFLOW_KIND, fleet
from services.auth import remove_closed
from services.auth.noticing import KNOWN_DEVICE_DAYS
from services.embedding.spaces import settle
from services.validation import rechecks
from tasks.embedding import keep_up

_BATCH = 5_000
_FILES = 10_000
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_STALE_SECONDS = 600.0
_COUNT_SECONDS = 10
_REPEATS = 1_000
_TASKS = 20  # each may have some 100,000 rows that go with it
_LOOKS_PER_SLOT, _CRON_LOOK_SECONDS = 4, 15
_ANSWER_HOURS, _HOST_DAYS = 48, 60


@dataclass(frozen=True, slots=True)
class Job:
    """Something to do once in `every_seconds`, or whenever `cron` says. `run` returns how much it did.

    `after` follows its commit.
    """

    name: str
    every_seconds: int
    run: Callable[[Unit], Awaitable[int]]
    after: Callable[[Database], Awaitable[int]] | None = None
    cron: Cron | None = None

    def slot(self, now: datetime) -> datetime:
        """Return when the present slot began: the last time that it was due."""
        if self.cron is not None:
            return self.cron.last_due(now)
        return datetime.fromtimestamp(now.timestamp() // self.every_seconds * self.every_seconds, UTC)

    @property
    def look_seconds(self) -> int:
        """How often to look whether a new slot has begun."""
        return _CRON_LOOK_SECONDS if self.cron is not None else max(1, self.every_seconds // _LOOKS_PER_SLOT)


def jobs(settings: Settings) -> list[Job]:
    """Return every periodic job with the bounds of `settings`."""

    async def prune_events(unit: Unit) -> int:
        return await events.prune(unit, older_than_hours=settings.event_retention_hours, limit=_BATCH)

    async def purge_keys(unit: Unit) -> int:
        return await idempotency.purge(unit, older_than_hours=settings.idempotency_hours, limit=_BATCH)

    async def purge_trash(unit: Unit) -> int:
        return await bookmarks.purge_old(unit, older_than_days=settings.trash_retention_days, limit=_BATCH)

    async def purge_uploads(unit: Unit) -> int:
        return await uploads.purge_uploads(unit, limit=_FILES)

    async def purge_links(unit: Unit) -> int:
        return await forget_links(unit, history_days=settings.link_check_history_days)

    async def lose_reservations(unit: Unit) -> int:
        return await spending.lose_stale(unit, older_than_minutes=settings.ai_reservation_minutes, limit=_BATCH)

    async def purge_calls(unit: Unit) -> int:
        return await spending.purge(unit, older_than_days=settings.ai_call_retention_days, limit=_BATCH)

    async def recheck(unit: Unit) -> int:
        return await start_rechecks(unit, batch=settings.link_recheck_batch)

    async def remove(database: Database) -> int:
        return await remove_files(database, settings.upload_dir)

    return [
        Job("sweep", max(1, int(settings.task_sweep_seconds)), sweep),
        *_agent_jobs(settings),
        Job("prune-events", _MINUTE, prune_events),
        Job("purge-logins", 5 * _MINUTE, purge_logins),
        _limits_job(settings),
        Job("tell-repeats", _MINUTE, tell_repeats),
        Job("tell-stopped-transfers", _MINUTE, transfers.tell_stopped),
        Job("purge-idempotency-keys", 5 * _MINUTE, purge_keys),
        Job("purge-uploads", 5 * _MINUTE, purge_uploads, after=remove),
        _mail_job(settings),
        _removal_job(settings),
        Job("purge-trash", _HOUR, purge_trash),
        *_embedding_jobs(settings),
        Job("purge-links", _HOUR, purge_links),
        Job("lose-ai-reservations", _MINUTE, lose_reservations),
        Job("purge-ai-calls", _HOUR, purge_calls),
        Job("recheck-links", settings.link_recheck_seconds, recheck, cron=settings.link_recheck_cron),
    ]


def _limits_job(settings: Settings) -> Job:
    async def purge_limits(unit: Unit) -> int:
        tries = await throttle.purge(unit, known_days=settings.known_network_days, limit=_BATCH)
        return tries + await limits.purge(unit, limit=_BATCH)

    return Job("purge-limits", _MINUTE, purge_limits)


def _embedding_jobs(settings: Settings) -> list[Job]:
    async def keep_embeddings(unit: Unit) -> int:
        async with aclosing(make_provider(settings)) as provider:
            return await keep_up(unit, provider.space)

    async def settle_spaces(unit: Unit) -> int:
        async with aclosing(make_provider(settings)) as provider:
            return await settle(unit, provider.space)

    return [
        Job("keep-embeddings", _HOUR, keep_embeddings),
        Job("settle-spaces", 5 * _MINUTE, settle_spaces),
    ]


def _removal_job(settings: Settings) -> Job:
    """Remove what deleted accounts hold. All of it happens behind the slot, in pieces of its own."""

    async def nothing(_unit: Unit) -> int:
        return 0

    async def remove(database: Database) -> int:
        return await remove_closed(database, settings)

    return Job("remove-accounts", _MINUTE, nothing, after=remove)


def _mail_job(settings: Settings) -> Job:
    async def purge(unit: Unit) -> int:
        return await mail.purge(unit, older_than_days=settings.mail_retention_days, limit=_BATCH)

    async def remove(_database: Database) -> int:
        before = time.time() - settings.mail_retention_days * _DAY
        return await asyncio.to_thread(remove_old, settings.data_dir / FOLDER, before=before)

    return Job("purge-mail", _HOUR, purge, after=remove)


def _agent_jobs(settings: Settings) -> list[Job]:
    async def expire_agents(unit: Unit) -> int:
        return await fleet.expire(unit, older_than_seconds=fleet.MISSED_HEARTBEATS * settings.agent_heartbeat_seconds)

    async def purge_tasks(unit: Unit) -> int:
        return await tasks.purge(unit, older_than_days=settings.task_retention_days, limit=_TASKS)

    return [
        Job("wake-workflows", _MINUTE, wake_workflows),
        Job("count-agents", _COUNT_SECONDS, fleet.count_work),
        Job("expire-agents", max(1, int(settings.agent_heartbeat_seconds)), expire_agents),
        Job("purge-tasks", _HOUR, purge_tasks),
    ]


async def sweep(unit: Unit) -> int:
    """Ring for tasks that are due or whose worker died: a lost ring costs one sweep, never the task."""
    due = await tasks.count_due(unit, limit=_BATCH)
    if due:
        unit.ring(BELL)
    return due


async def wake_workflows(unit: Unit) -> int:
    """Wake workflows that nothing would wake any more: none of their units is open."""
    woken = await tasks.wake_forgotten(unit, kind=WORKFLOW_KIND, limit=_BATCH)
    if woken:
        unit.ring(BELL)
    return woken


async def purge_logins(unit: Unit) -> int:
    """Forget sessions, API keys, one-time tokens and half-done sign-ins that can never be used again."""
    purges = (auth.purge_sessions, auth.purge_keys, auth.purge_tokens, auth.purge_challenges)
    devices = await auth.purge_devices(unit, days=KNOWN_DEVICE_DAYS, limit=_BATCH)
    return devices + sum([await purge(unit, limit=_BATCH) for purge in purges])


async def tell_repeats(unit: Unit) -> int:
    """Write down how often what was refused was tried again."""
    return await audit.tell_repeats(unit, limit=_REPEATS)


async def start_rechecks(unit: Unit, *, batch: int) -> int:
    """Start checks of due links for every account that wants them; return of how many links."""
    started, after = await rechecks.start_due(unit, after=None, limit=batch)
    while after is not None:
        more, after = await rechecks.start_due(unit, after=after, limit=batch)
        started += more
    return started


async def forget_links(unit: Unit, *, history_days: int) -> int:
    """Forget old checks of links, old shared answers, and hosts that nobody asks any more."""
    done = await health.purge_checks(unit, older_than_days=history_days, limit=_BATCH)
    done += await results.purge(unit, older_than_hours=_ANSWER_HOURS, limit=_BATCH)
    return done + await hosts.purge(unit, older_than_days=_HOST_DAYS, limit=_BATCH)


async def remove_files(database: Database, folder: Path) -> int:
    """Remove the files of uploads that are forgotten, and what killed processes left; return how many."""
    removed = await asyncio.to_thread(remove_stale, folder / INCOMING_FOLDER, older_than_seconds=_STALE_SECONDS)
    old = await asyncio.to_thread(_old_files, folder)
    known = await uploads.known_uploads(database, list(old))
    for key, path in old.items():
        if key not in known:
            await asyncio.to_thread(path.unlink, missing_ok=True)
            removed += 1
    return removed


def _old_files(folder: Path) -> dict[UUID, Path]:
    """Return the first files whose upload has had time to write its row, by its id."""
    limit, found = time.time() - _STALE_SECONDS, {}
    for path in islice(folder.glob("*-*-*-*-*"), _FILES):
        with contextlib.suppress(FileNotFoundError, ValueError):
            if path.suffix != ".part" and path.stat().st_mtime < limit:
                found[UUID(path.name)] = path
    return found
