"""Checking links in tests: the agent with real tools, against servers on loopback."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from ipaddress import ip_network
from typing import Any
from uuid import UUID

from db.bookmarks import BookmarkRow
from db.unit import Database
from db.validation import health as rows_of
from db.validation.health import HealthRow
from kit.ai import LocalProvider
from kit.fetch import Fetcher, Resolver
from kit.ids import new_id
from kit.page import PageReader
from kit.settings import Settings
from services.events import EventDraft
from tasks.agent import Batch, Done, Item, Outcome, Tools
from tasks.validation import AGENT

LOOPBACK = ip_network("127.0.0.0/8")
QUICK = {"host_spacing_seconds": 0.001, "link_check_shared_seconds": 0.001, "archive_url": ""}
"""Settings under which tests need not wait: hosts are asked as often as they like, and every check is a real one."""


@dataclass
class Checker:
    """A worker that checks links."""

    database: Database
    tools: Tools
    task_id: UUID = field(default_factory=new_id)

    async def check(self, row: BookmarkRow) -> Outcome:
        """Run the agent on one bookmark, without writing."""
        items = [Item(position=1, bookmark_id=row.id, attempt=1)]
        (outcome,) = await AGENT.process(Batch(self.task_id, row.owner_id, self.tools, items))
        return outcome

    async def recorded(self, row: BookmarkRow) -> Mapping[str, Any]:
        """Check a bookmark and write what was found; return the data of the outcome."""
        outcome = await self.check(row)
        assert isinstance(outcome, Done), outcome
        await self.write(outcome)
        return outcome.data

    async def write(self, outcome: Outcome) -> Sequence[EventDraft]:
        """Write what a check found."""
        assert isinstance(outcome, Done)
        assert outcome.write is not None
        async with self.database.unit() as unit:
            return await outcome.write(unit)

    async def health(self, row: BookmarkRow) -> HealthRow:
        """Return what is known of a bookmark's link."""
        return await health(self.database, row.owner_id, row.id)


async def health(database: Database, owner: UUID, key: UUID) -> HealthRow:
    """Return what is known of a bookmark's link."""
    return (await rows_of.by_bookmarks(database, owner, [key]))[key]


@asynccontextmanager
async def checking(
    database: Database, settings: Settings, *, resolver: Resolver | None = None, **changes: Any
) -> AsyncIterator[Checker]:
    """Make a worker whose door leads to loopback and no further."""
    chosen = replace(settings, **{**QUICK, **changes})
    async with (
        Fetcher(user_agent="Graphmark/tests", allow=[LOOPBACK], resolver=resolver, silence_seconds=2.0) as fetcher,
        PageReader() as pages,
    ):
        yield Checker(database, Tools(chosen, database, LocalProvider(), fetcher, pages, None))


async def later(database: Database, days: float) -> None:
    """Let everything that links and hosts remember have happened so many days earlier."""
    for table, columns in {
        "link_health": (
            "struck_at",
            "judged_at",
            "checked_at",
            "next_check_at",
            "content_checked_at",
            "archive_checked_at",
        ),
        "fetch_results": ("fetched_at", "claimed_until"),
        "hosts": ("next_at", "not_before", "probed_at"),
    }.items():
        moved = ", ".join(f"{name} = {name} - $1::float8 * interval '1 day'" for name in columns)
        await database.execute(f"UPDATE {table} SET {moved}", days)
