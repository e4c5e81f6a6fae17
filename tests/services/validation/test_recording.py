"""What is remembered of a link after each check, and who hears of it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from db.bookmarks import BookmarkRow
from db.unit import Database
from db.validation import health as rows_of
from db.validation.health import CheckCut, HealthRow
from kit.settings import Settings
from services import bookmarks
from services.events import EventDraft
from services.validation.observing import digest_of, packed, shared_digest, unpacked
from services.validation.recording import Finding, record
from services.validation.schedule import intervals_of
from services.validation.states import Fingerprint, LinkDetail, LinkStatus, Observation
from tests.make import Maker

START = datetime(2026, 1, 1, tzinfo=UTC)
PRINT = Fingerprint(b"d" * 32, -42, 200)


def seen(status: LinkStatus = LinkStatus.OK, days: float = 0.0, **more: Any) -> Observation:
    """What a check saw so many days after the start."""
    more.setdefault("final_url", "https://example.org/1")
    return Observation(status, START + timedelta(days=days), http_status=200, **more)


async def keep(
    database: Database,
    row: BookmarkRow,
    observation: Observation,
    *,
    keep: int = 100,
    url: str | None = None,
    **more: Any,
) -> Sequence[EventDraft]:
    """Record an observation of a bookmark's link."""
    finding = Finding(seen=observation, checked_at=observation.fetched_at, chance=0.0, **more)
    async with database.unit() as unit:
        return await record(
            unit,
            row.owner_id,
            row.id,
            digest_of(url or row.url),
            finding,
            intervals=intervals_of(Settings()),
            keep=keep,
        )


async def health(database: Database, owner: UUID, key: UUID) -> HealthRow | None:
    """What is known of a bookmark's link."""
    return (await rows_of.by_bookmarks(database, owner, [key])).get(key)


async def counted(database: Database) -> tuple[int, int]:
    """How many healths and checks there are."""
    counts = await database.fetchrow(
        "SELECT (SELECT count(*) FROM link_health) AS healths, (SELECT count(*) FROM link_checks) AS checks"
    )
    assert counts is not None
    return counts["healths"], counts["checks"]


async def test_a_first_check_is_told_and_the_same_again_is_not(database: Database, make: Maker) -> None:
    row = await make.bookmark(await make.viewer(), {"url": "https://example.org/1"})
    (event,) = await keep(database, row, seen(fingerprint=PRINT, etag='"a"', body_digest=b"b" * 32))
    assert event.payload == {"change": "UPDATED", "ids": [str(row.id)]}
    known = await health(database, row.owner_id, row.id)
    assert known is not None
    assert (known.status, known.verdict, known.http_status, known.failures) == ("OK", "ALIVE", 200, 0)
    assert known.next_check_at == START + timedelta(days=7)
    assert (known.saved_digest, known.content_simhash, known.content_state) == (PRINT.digest, -42, "UNKNOWN")
    assert await keep(database, row, seen(days=7, fingerprint=PRINT)) != []  # the content is known to be unchanged
    assert await keep(database, row, seen(days=21, fingerprint=PRINT)) == []
    assert await counted(database) == (1, 3)


async def test_the_same_observation_twice_is_one_check(database: Database, make: Maker) -> None:
    row = await make.bookmark(await make.viewer())
    await keep(database, row, seen(LinkStatus.GONE))
    assert await keep(database, row, seen(LinkStatus.GONE)) == []
    known = await health(database, row.owner_id, row.id)
    assert known is not None
    assert (known.verdict, known.failures) == ("SUSPECT", 1)
    assert await counted(database) == (1, 1)


async def test_the_history_is_bounded(database: Database, make: Maker) -> None:
    row, other = [await make.bookmark(await make.viewer()) for _ in range(2)]
    await keep(database, other, seen())
    for day in range(5):
        await keep(database, row, seen(days=day), keep=3)
    found = await rows_of.checks_of(database, row.owner_id, [row.id], CheckCut(position=None, backward=False, limit=10))
    assert [check.checked_at for check, _, _ in found[row.id]] == [START + timedelta(days=day) for day in (4, 3, 2)]
    assert await counted(database) == (2, 4)


async def test_nothing_is_written_for_what_is_gone_or_leads_elsewhere(database: Database, make: Maker) -> None:
    viewer, stranger = await make.viewer(), await make.viewer()
    row = await make.bookmark(viewer, {"url": "https://example.org/1"})
    assert await keep(database, row, seen(), url="https://example.org/other") == []
    async with database.unit() as unit:
        finding = Finding(seen=seen(), checked_at=START, chance=0.0)
        assert (
            await record(
                unit, stranger.id, row.id, digest_of(row.url), finding, intervals=intervals_of(Settings()), keep=9
            )
            == []
        )
        await bookmarks.delete(unit, viewer, [row.id], permanently=True)
    assert await keep(database, row, seen()) == []
    assert await counted(database) == (0, 0)


async def test_another_address_is_another_link(database: Database, make: Maker) -> None:
    viewer = await make.viewer()
    row = await make.bookmark(viewer, {"url": "https://example.org/1"})
    await keep(database, row, seen(LinkStatus.NOT_FOUND))
    async with database.unit() as unit:
        await bookmarks.update(unit, viewer, row.id, {"title": "The same address"})
    assert await counted(database) == (1, 1)
    async with database.unit() as unit:
        moved = await bookmarks.update(unit, viewer, row.id, {"url": "https://example.org/2"})
    assert await counted(database) == (0, 0)
    await keep(database, moved, seen(LinkStatus.NOT_FOUND, days=1))
    known = await health(database, row.owner_id, row.id)
    assert known is not None
    assert (known.failures, known.strikes) == (1, 1)


async def test_what_a_page_said_first_stays_what_it_is_compared_with(database: Database, make: Maker) -> None:
    row = await make.bookmark(await make.viewer())
    other = Fingerprint(b"e" * 32, 77, 300)
    await keep(database, row, seen(LinkStatus.SOFT_404, fingerprint=other))
    known = await health(database, row.owner_id, row.id)
    assert known is not None
    assert known.saved_digest is None  # an error page is not what was saved
    await keep(database, row, seen(days=1, fingerprint=PRINT))
    await keep(database, row, seen(days=2, fingerprint=Fingerprint(b"f" * 32, ~-42, 250)))
    known = await health(database, row.owner_id, row.id)
    assert known is not None
    assert (known.content_state, known.saved_words, known.content_words) == ("REPLACED", 200, 250)
    await keep(database, row, seen(LinkStatus.TIMEOUT, days=3))
    known = await health(database, row.owner_id, row.id)
    assert known is not None
    assert (known.content_state, known.content_words) == ("REPLACED", 250)


async def test_an_archived_copy_stays_known(database: Database, make: Maker) -> None:
    row = await make.bookmark(await make.viewer())
    copy = "https://archive.example/2020/page"
    await keep(database, row, seen(LinkStatus.GONE), is_archive_known=True, archive_url=copy)
    await keep(database, row, seen(LinkStatus.GONE, days=1))
    known = await health(database, row.owner_id, row.id)
    assert known is not None
    assert (known.archive_url, known.archive_checked_at, known.verdict) == (copy, START, "DEAD")
    await keep(database, row, seen(LinkStatus.GONE, days=2), is_archive_known=True)
    known = await health(database, row.owner_id, row.id)
    assert known is not None
    assert known.archive_url is None


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("https://example.org/a#top", "https://EXAMPLE.org/a", True),
        ("http://example.org/a", "https://example.org/a", False),
        ("https://example.org/a?x=1", "https://example.org/a?x=2", False),
    ],
)
def test_which_addresses_are_asked_once(one: str, other: str, *, is_same: bool) -> None:
    assert (digest_of(one) == digest_of(other)) is is_same


def test_an_address_with_a_password_is_shared_with_nobody() -> None:
    ada, bob, plain, secret = UUID(int=1), UUID(int=2), "https://example.org/a", "https://ada:secret@example.org/a"
    assert shared_digest(plain, ada) == shared_digest(plain, bob)
    assert shared_digest(secret, ada) != shared_digest(secret, bob)


def test_an_observation_comes_back_from_json() -> None:
    full = seen(
        LinkStatus.DNS_FAILURE,
        detail=LinkDetail.NXDOMAIN,
        permanent_url="https://b.example/",
        canonical_url="https://c.example/",
        retry_at=START,
        etag='"x"',
        last_modified="Thu, 01 Jan 2026 00:00:00 GMT",
        body_digest=b"b" * 32,
        fingerprint=Fingerprint(b"d" * 32, -(2**63), 7),
    )
    for one in (full, seen()):
        assert unpacked(packed(one), one.fetched_at) == one
