"""Searching by what checks of links found, and by times."""

from datetime import UTC, datetime, timedelta

import pytest

from db.bookmarks import BookmarkRow
from db.search.conditions import Moment, Within
from db.unit import Database
from kit.clock import utcnow
from kit.paging import PageRequest
from kit.settings import Settings
from services.permissions import Viewer
from services.search import find
from services.search.facts import condition_of_fact
from services.search.find import SearchMode
from services.search.syntax import Fact
from services.validation.observing import digest_of
from services.validation.recording import Finding, record
from services.validation.schedule import intervals_of
from services.validation.states import LinkStatus, Observation
from tests.make import Maker

SETTINGS = Settings()


async def titles(database: Database, viewer: Viewer, text: str) -> list[str]:
    """The titles that a query finds."""
    query = await find.understand(database, viewer, text, SearchMode.HYBRID)
    found = await find.page(database, viewer, query, PageRequest(limit=100, backward=False, position=None))
    return sorted(hit.bookmark.title for hit in found.hits)


async def seen(
    database: Database,
    row: BookmarkRow,
    status: LinkStatus,
    code: int | None,
    *,
    days_ago: float,
    final: str | None = None,
) -> None:
    """Let a check of a bookmark's link have seen this."""
    moment = utcnow() - timedelta(days=days_ago)
    observation = Observation(status, moment, http_status=code, final_url=final or row.url)
    finding = Finding(seen=observation, checked_at=moment, chance=0.0)
    async with database.unit() as unit:
        await record(
            unit, row.owner_id, row.id, digest_of(row.url), finding, intervals=intervals_of(SETTINGS), keep=100
        )


@pytest.fixture
async def links(database: Database, make: Maker) -> Viewer:
    """Five bookmarks: living, twice at one place; dead, suspect, refused, unchecked. A stranger has a dead one."""
    viewer, stranger = await make.viewer(), await make.viewer()
    made = {
        name: await make.bookmark(viewer, {"title": name}) for name in ("good", "twin", "dead", "lost", "bot", "new")
    }
    await seen(database, made["good"], LinkStatus.OK, 200, days_ago=1, final="https://example.org/same")
    await seen(database, made["twin"], LinkStatus.OK, 200, days_ago=40, final="https://example.org/same")
    for days_ago in (9, 6, 3):
        await seen(database, made["dead"], LinkStatus.NOT_FOUND, 404, days_ago=days_ago)
    await seen(database, made["lost"], LinkStatus.SOFT_404, 200, days_ago=2)
    await seen(database, made["bot"], LinkStatus.SERVER_ERROR, 503, days_ago=2)
    theirs = await make.bookmark(stranger, {"title": "theirs", "url": "https://example.org/theirs"})
    await seen(database, theirs, LinkStatus.GONE, 410, days_ago=1, final="https://example.org/same")
    return viewer


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("status:404", ["dead"]),
        ("status:NOT_FOUND", ["dead"]),
        ("status:2xx", ["good", "lost", "twin"]),
        ("status:5xx", ["bot"]),
        ("status:soft-404", ["lost"]),
        ("status:410", []),
        ("status:unchecked", ["new"]),
        ("-status:unchecked", ["bot", "dead", "good", "lost", "twin"]),
        ("verdict:dead", ["dead"]),
        ("verdict:suspect", ["lost"]),
        ("verdict:inconclusive", ["bot"]),
        ("verdict:unknown", ["new"]),
        ("-verdict:alive", ["bot", "dead", "lost", "new"]),
        ("is:dead", ["dead"]),
        ("is:broken", ["dead", "lost"]),
        ("-is:broken", ["bot", "good", "new", "twin"]),
        ("is:duplicate", ["good", "twin"]),
        ("checked:never", ["new"]),
        ("checked:<7d", ["bot", "dead", "good", "lost"]),
        ("checked:>30d", ["twin"]),
        ("checked:36h", ["good"]),
        ("-checked:<7d", ["new", "twin"]),
        ("checked:>2000-01-01", ["bot", "dead", "good", "lost", "twin"]),
        ("checked:<2000-01-01", []),
        ("added:<1d", ["bot", "dead", "good", "lost", "new", "twin"]),
        ("updated:>1y", []),
        ("created:>2000-01-01 is:dead OR bot", ["bot", "dead"]),
        ("good is:dead", []),
    ],
)
async def test_links_are_found_by_what_was_seen(database: Database, links: Viewer, text: str, found: list[str]) -> None:
    assert await titles(database, links, text) == found


@pytest.mark.parametrize(
    ("value", "start", "end"),
    [
        (">2026-01-31", "2026-02-01", None),
        (">=2026-01-31", "2026-01-31", None),
        ("<2026-01-31", None, "2026-01-31"),
        ("<=2026-01-31", None, "2026-02-01"),
        ("2026-01-31", "2026-01-31", "2026-02-01"),
    ],
)
def test_what_a_day_means(value: str, start: str | None, end: str | None) -> None:
    bounds = [None if day is None else datetime.fromisoformat(day).replace(tzinfo=UTC) for day in (start, end)]
    assert condition_of_fact(Fact.ADDED, value) == Within(Moment.ADDED, *bounds)
