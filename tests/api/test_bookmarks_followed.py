"""Following bookmarks: each event once and in order, resumed from a cursor, told to read afresh after a gap."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any, cast

import pytest

from db.events import prune
from db.unit import Database
from db.users import UserRow
from services.events import cursor_of
from tests.api.test_bookmarks import DELETE, RESTORE, UPDATE
from tests.client import Graph, gid, viewer
from tests.make import Maker

FOLLOW = """
subscription ($after: String) {
  bookmarkChanged(after: $after) { cursor resync change bookmarkIds bookmark { title tags { path } } }
}
"""


async def take(stream: AsyncIterator[Any], number: int) -> list[Any]:
    async with aclosing(cast("Any", stream)) as events:
        found = []
        async for event in events:
            found.append(event["bookmarkChanged"])
            if len(found) == number:
                break
        return found


async def test_changes_are_followed_and_resumed_without_gap(
    graph: Graph, ada: UserRow, bob: UserRow, make: Maker
) -> None:
    await make.bookmark(viewer(ada), {"title": "before"})
    origin = cursor_of(await graph.services.database.fetchval("SELECT seq FROM event_counters"))
    row = await make.bookmark(viewer(ada), {"title": "T", "tags": ["a"]})
    await make.bookmark(viewer(bob))
    await graph.ask(UPDATE, ada, input={"id": gid(row), "title": "T2"})
    await graph.ask(UPDATE, ada, input={"id": gid(row), "title": "T2"})  # changes nothing, so nobody is told
    await graph.ask(DELETE, ada, input={"ids": [gid(row)]})
    await graph.ask(RESTORE, ada, input={"ids": [gid(row)]})
    await graph.ask(DELETE, ada, input={"ids": [gid(row)], "permanently": True})
    events = await take(graph.follow(FOLLOW, ada, after=origin), 5)
    assert [event["change"] for event in events] == ["CREATED", "UPDATED", "DELETED", "RESTORED", "PURGED"]
    assert all(event["bookmarkIds"] == [gid(row)] and not event["resync"] for event in events)
    assert all(event["bookmark"] is None for event in events)  # it is gone by now
    again = await take(graph.follow(FOLLOW, ada, after=events[1]["cursor"]), 3)
    assert again == events[2:]
    assert await graph.refusal("{ bookmarks { totalCount } }") == ["UNAUTHENTICATED"]


async def test_an_event_shows_the_bookmark_as_it_is(graph: Graph, ada: UserRow, make: Maker) -> None:
    row = await make.bookmark(viewer(ada), {"title": "T", "tags": ["a"]})
    (event,) = await take(graph.follow(FOLLOW, ada, after=cursor_of(0)), 1)
    assert event == {
        "cursor": cursor_of(1),
        "resync": False,
        "change": "CREATED",
        "bookmarkIds": [gid(row)],
        "bookmark": {"title": "T", "tags": [{"path": "a"}]},
    }


async def test_following_needs_somebody_and_a_cursor(graph: Graph, ada: UserRow) -> None:
    with pytest.raises(AssertionError, match="UNAUTHENTICATED"):  # the error that the stream ends with
        await take(graph.follow(FOLLOW), 1)
    with pytest.raises(AssertionError, match=r"This cursor was not made by this server.*BAD_USER_INPUT"):
        await take(graph.follow(FOLLOW, ada, after="nonsense"), 1)


async def test_a_reader_that_retention_overtook_is_told_to_read_afresh(
    graph: Graph, ada: UserRow, make: Maker, database: Database
) -> None:
    for _ in range(3):
        await make.bookmark(viewer(ada))
    await database.execute("UPDATE events SET created_at = now() - interval '100 hours' WHERE seq <= 2")
    async with database.unit() as unit:
        assert await prune(unit, older_than_hours=72, limit=10) == 2
    (event,) = await take(graph.follow(FOLLOW, ada, after=cursor_of(1)), 1)
    assert event == {"cursor": cursor_of(3), "resync": True, "change": None, "bookmarkIds": [], "bookmark": None}


async def test_a_change_of_more_than_a_thousand_says_resync(
    graph: Graph, ada: UserRow, make: Maker, database: Database
) -> None:
    tag = await make.tag(viewer(ada), "big")
    await database.execute(
        """
        WITH made AS (
            INSERT INTO bookmarks (id, owner_id, url, canonical_url, url_key, url_key_version, domain)
            SELECT gen_random_uuid(), $1, 'u', 'u', decode(lpad(to_hex(n), 32, '0'), 'hex'), 1, 'd'
            FROM generate_series(1, 1001) AS n RETURNING id
        ) INSERT INTO bookmark_tags (tag_id, bookmark_id, owner_id) SELECT $2, id, $1 FROM made
        """,
        ada.id,
        tag.id,
    )
    document = "mutation ($input: UpdateTagInput!) { updateTag(input: $input) { tag { bookmarkCount } } }"
    assert (await graph.ask(document, ada, input={"id": gid(tag, "Tag"), "name": "large"}))["updateTag"] == {
        "tag": {"bookmarkCount": 1_001}
    }
    (event,) = await take(graph.follow(FOLLOW, ada, after=cursor_of(0)), 1)
    assert event == {"cursor": cursor_of(1), "resync": True, "change": "UPDATED", "bookmarkIds": [], "bookmark": None}
    assert await database.fetchval("SELECT count(*) FROM bookmarks WHERE tag_words = 'large'") == 1_001
