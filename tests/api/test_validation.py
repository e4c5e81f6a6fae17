"""Links as clients see them: how they fare, their history, offered addresses, duplicates."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from db.bookmarks import BookmarkRow
from db.unit import Database
from db.users import UserRow
from kit.settings import Settings
from services.validation.observing import digest_of
from services.validation.recording import Finding, record
from services.validation.schedule import intervals_of
from services.validation.states import Fingerprint, LinkDetail, LinkStatus, Observation
from tests.client import Graph, gid, viewer
from tests.make import Maker

START = datetime(2026, 1, 1, tzinfo=UTC)
LINK = """
query ($id: ID!) { bookmark(id: $id) {
  link { status detail verdict httpStatus finalUrl permanentUrl checkedAt nextCheckAt archiveUrl failures content }
} }
"""
CHECKS = """
query ($id: ID!, $after: String) { bookmark(id: $id) { linkChecks(first: 2, after: $after) {
  totalCount pageInfo { hasNextPage endCursor }
  nodes { checkedAt status detail verdict httpStatus finalUrl content durationMs }
} } }
"""
ACCEPT = """
mutation ($input: AcceptRedirectsInput!) { acceptRedirects(input: $input) {
  bookmarks { id url link { status verdict permanentUrl } } userErrors { code field message }
} }
"""
GROUPS = """
query ($by: DuplicateReason, $first: Int, $after: String) {
  duplicateGroups(by: $by, first: $first, after: $after) {
    totalCount pageInfo { hasNextPage endCursor } nodes { size bookmarks { title } }
  }
}
"""


async def seen(
    database: Database,
    row: BookmarkRow,
    status: LinkStatus = LinkStatus.OK,
    days: float = 0.0,
    *,
    archive_url: str | None = None,
    **more: Any,
) -> None:
    """Let a check have seen this of a bookmark's link, so many days after the start."""
    more.setdefault("final_url", row.url)
    moment = START + timedelta(days=days)
    observation = Observation(status, moment, duration_ms=12, **more)
    finding = Finding(
        seen=observation,
        checked_at=moment,
        chance=0.0,
        is_archive_known=archive_url is not None,
        archive_url=archive_url,
    )
    async with database.unit() as unit:
        await record(
            unit, row.owner_id, row.id, digest_of(row.url), finding, intervals=intervals_of(Settings()), keep=100
        )


async def link_of(graph: Graph, ada: UserRow, row: BookmarkRow) -> dict[str, Any]:
    """How the link of a bookmark fares."""
    found = await graph.ask(LINK, ada, id=gid(row))
    return dict(found["bookmark"]["link"])


async def test_a_link_before_its_first_check(graph: Graph, ada: UserRow, make: Maker) -> None:
    row = await make.bookmark(viewer(ada))
    assert await link_of(graph, ada, row) == {
        "status": "UNCHECKED",
        "detail": None,
        "verdict": "UNKNOWN",
        "httpStatus": None,
        "finalUrl": None,
        "permanentUrl": None,
        "checkedAt": None,
        "nextCheckAt": None,
        "archiveUrl": None,
        "failures": 0,
        "content": "UNKNOWN",
    }


async def test_a_link_that_seems_broken(graph: Graph, ada: UserRow, make: Maker, database: Database) -> None:
    row, other = [await make.bookmark(viewer(ada)) for _ in range(2)]
    await seen(database, other)
    await seen(
        database,
        row,
        LinkStatus.SOFT_404,
        detail=LinkDetail.EMPTY,
        http_status=200,
        archive_url="https://web.archive.org/web/2020/https://example.org/",
    )
    assert await link_of(graph, ada, row) == {
        "status": "SOFT_404",
        "detail": "EMPTY",
        "verdict": "SUSPECT",
        "httpStatus": 200,
        "finalUrl": row.url,
        "permanentUrl": None,
        "checkedAt": "2026-01-01T00:00:00Z",
        "nextCheckAt": "2026-01-04T00:00:00Z",
        "archiveUrl": "https://web.archive.org/web/2020/https://example.org/",
        "failures": 1,
        "content": "UNKNOWN",
    }


async def test_the_history_is_paged(graph: Graph, ada: UserRow, make: Maker, database: Database) -> None:
    row = await make.bookmark(viewer(ada))
    for day in range(3):
        await seen(database, row, days=day, http_status=200 + day)
    page = (await graph.ask(CHECKS, ada, id=gid(row)))["bookmark"]["linkChecks"]
    assert (page["totalCount"], page["pageInfo"]["hasNextPage"]) == (3, True)
    assert [check["httpStatus"] for check in page["nodes"]] == [202, 201]
    assert page["nodes"][0] == {
        "checkedAt": "2026-01-03T00:00:00Z",
        "status": "OK",
        "detail": None,
        "verdict": "ALIVE",
        "httpStatus": 202,
        "finalUrl": row.url,
        "content": "UNKNOWN",
        "durationMs": 12,
    }
    after = page["pageInfo"]["endCursor"]
    rest = (await graph.ask(CHECKS, ada, id=gid(row), after=after))["bookmark"]["linkChecks"]
    assert [check["httpStatus"] for check in rest["nodes"]] == [200]
    assert rest["pageInfo"]["hasNextPage"] is False


async def test_an_offered_address_is_taken_over(graph: Graph, ada: UserRow, make: Maker, database: Database) -> None:
    new = "https://example.org/new"
    row, once, plain = [await make.bookmark(viewer(ada)) for _ in range(3)]
    for day in (0, 1):
        await seen(database, row, LinkStatus.REDIRECTED_PERMANENT, day, permanent_url=new, final_url=new)
    await seen(database, once, LinkStatus.REDIRECTED_PERMANENT, permanent_url="https://example.org/else")
    assert (await link_of(graph, ada, row))["permanentUrl"] == new
    assert (await link_of(graph, ada, once))["permanentUrl"] is None
    keys = [gid(one) for one in (plain, row, once, row)]
    told = (await graph.ask(ACCEPT, ada, input={"ids": keys}))["acceptRedirects"]
    assert told["bookmarks"] == [
        {
            "id": gid(row),
            "url": new,
            "link": {"status": "OK", "verdict": "ALIVE", "permanentUrl": None},
        }
    ]
    assert [(error["code"], error["field"]) for error in told["userErrors"]] == [
        ("CONFLICT", ["input", "ids", "0"]),
        ("CONFLICT", ["input", "ids", "2"]),
    ]
    again = (await graph.ask(ACCEPT, ada, input={"ids": keys[1:2]}))["acceptRedirects"]
    assert (again["bookmarks"], again["userErrors"][0]["code"]) == ([], "CONFLICT")


async def test_an_address_that_another_bookmark_has_is_not_taken_over(
    graph: Graph, ada: UserRow, make: Maker, database: Database
) -> None:
    row = await make.bookmark(viewer(ada), {"url": "https://example.org/old#part"})
    other = await make.bookmark(viewer(ada), {"url": "http://example.org/new#part"})
    for day in (0, 1):
        await seen(database, row, LinkStatus.REDIRECTED_PERMANENT, day, permanent_url="https://example.org/new")
    told = (await graph.ask(ACCEPT, ada, input={"ids": [gid(row)]}))["acceptRedirects"]
    assert told["bookmarks"] == []
    assert "Another bookmark has the offered address already" in told["userErrors"][0]["message"]
    urls = await database.fetch("SELECT url FROM bookmarks ORDER BY id")
    assert [found["url"] for found in urls] == [row.url, other.url]


async def test_a_stranger_sees_and_changes_nothing(graph: Graph, ada: UserRow, make: Maker, database: Database) -> None:
    stranger = await make.viewer()
    row = await make.bookmark(stranger)
    for day in (0, 1):
        await seen(database, row, LinkStatus.REDIRECTED_PERMANENT, day, permanent_url="https://example.org/new")
    assert (await graph.ask(LINK, ada, id=gid(row)))["bookmark"] is None
    told = (await graph.ask(ACCEPT, ada, input={"ids": [gid(row)]}))["acceptRedirects"]
    assert (told["bookmarks"], [error["code"] for error in told["userErrors"]]) == ([], ["NOT_FOUND"])
    assert await database.fetchval("SELECT url FROM bookmarks") == row.url
    wrong = (await graph.ask(ACCEPT, ada, input={"ids": [gid(row, "Tag")]}))["acceptRedirects"]
    assert (wrong["bookmarks"], wrong["userErrors"][0]["code"]) == (None, "BAD_USER_INPUT")
    none = (await graph.ask(ACCEPT, ada, input={"ids": []}))["acceptRedirects"]
    assert none["userErrors"][0]["field"] == ["input", "ids"]


@pytest.mark.parametrize(
    ("by", "sizes"),
    [("FINAL_URL", [["a", "b"]]), ("CANONICAL", [["a", "b", "c"]]), ("CONTENT", [["c", "d"]]), ("TITLE", [])],
)
async def test_duplicates_are_found(
    graph: Graph, ada: UserRow, make: Maker, database: Database, by: str, sizes: list[list[str]]
) -> None:
    a, b, c, d, gone = [await make.bookmark(viewer(ada), {"title": name}) for name in ("a", "b", "c", "d", "gone")]
    theirs = await make.bookmark(await make.viewer(), {"title": "theirs"})
    one, text, short = "https://example.org/one", Fingerprint(b"d" * 32, 5, 400), Fingerprint(b"s" * 32, 9, 29)
    for row in (a, b, gone, theirs):
        await seen(database, row, final_url=one, fingerprint=short)
    for row in (c, d):
        await seen(database, row, fingerprint=text, canonical_url=one if row is c else None)
    await graph.ask(
        "mutation ($ids: [ID!]!) { deleteBookmarks(input: {ids: $ids}) { deletedIds } }", ada, ids=[gid(gone)]
    )
    found = (await graph.ask(GROUPS, ada, by=by))["duplicateGroups"]
    assert found["totalCount"] == len(sizes)
    assert [[row["title"] for row in group["bookmarks"]] for group in found["nodes"]] == sizes
    assert [group["size"] for group in found["nodes"]] == [len(group) for group in sizes]


async def test_groups_are_paged(graph: Graph, ada: UserRow, make: Maker) -> None:
    for title in ("Title number one", "Title number two", "title NUMBER one", "Title number two", "Only one of these"):
        await make.bookmark(viewer(ada), {"title": title})
    first = (await graph.ask(GROUPS, ada, by="TITLE", first=1))["duplicateGroups"]
    assert [row["title"] for row in first["nodes"][0]["bookmarks"]] == ["Title number one", "title NUMBER one"]
    assert (first["totalCount"], first["pageInfo"]["hasNextPage"]) == (2, True)
    second = (await graph.ask(GROUPS, ada, by="TITLE", first=1, after=first["pageInfo"]["endCursor"]))[
        "duplicateGroups"
    ]
    assert [row["title"] for row in second["nodes"][0]["bookmarks"]] == ["Title number two", "Title number two"]
    assert second["pageInfo"]["hasNextPage"] is False
