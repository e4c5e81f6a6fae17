"""Bookmarks through the schema."""

import base64
from typing import Any
from uuid import UUID

import pytest

from db.unit import Database
from db.users import UserRow
from kit.ids import encode_global_id, new_id
from tests.client import Graph, gid, viewer
from tests.make import Maker
from tests.snapshot import changed_tables, snapshot

CREATE = """
mutation ($input: CreateBookmarkInput!) {
  createBookmark(input: $input) {
    bookmark {
      id url canonicalUrl title description notes domain isFavorite isArchived isUnread faviconUrl imageUrl language
      author siteName publishedAt wordCount readingTimeSeconds summary keywords deletedAt source version
      tags { path } collections { name }
    }
    created
    userErrors { code message field }
  }
}
"""
UPDATE = """
mutation ($input: UpdateBookmarkInput!) {
  updateBookmark(input: $input) {
    bookmark { id url title notes isFavorite version tags { path } collections { name } }
    userErrors { code message field }
  }
}
"""
DELETE = """
mutation ($input: DeleteBookmarksInput!) {
  deleteBookmarks(input: $input) { deletedIds userErrors { code field } }
}
"""
RESTORE = """
mutation ($input: RestoreBookmarksInput!) {
  restoreBookmarks(input: $input) { bookmarks { id deletedAt } userErrors { code field } }
}
"""


async def test_a_bookmark_is_saved_and_shown_whole(graph: Graph, ada: UserRow, make: Maker) -> None:
    place = await make.collection(viewer(ada), "Later")
    given = {
        "url": "HTTP://Example.com:80/a%7Eb?q=1#part",
        "title": "T",
        "description": "D",
        "notes": "N",
        "isFavorite": True,
        "isUnread": True,
        "tags": ["Dev/Python", "x"],
        "collectionIds": [gid(place, "Collection")],
    }
    answer = (await graph.ask(CREATE, ada, input=given))["createBookmark"]
    assert answer["created"] is True
    assert answer["userErrors"] == []
    shown = answer["bookmark"]
    assert shown | {"id": ""} == {
        "id": "",
        "url": "HTTP://Example.com:80/a%7Eb?q=1#part",
        "canonicalUrl": "http://example.com/a~b?q=1#part",
        "title": "T",
        "description": "D",
        "notes": "N",
        "domain": "example.com",
        "isFavorite": True,
        "isArchived": False,
        "isUnread": True,
        "keywords": [],
        "source": "MANUAL",
        "version": 1,
        **dict.fromkeys(("faviconUrl", "imageUrl", "language", "author", "siteName", "publishedAt", "wordCount")),
        "readingTimeSeconds": None,
        "summary": None,
        "deletedAt": None,
        "tags": [{"path": "Dev/Python"}, {"path": "x"}],
        "collections": [{"name": "Later"}],
    }
    document = (
        "query ($id: ID!) { node(id: $id) { __typename id ... on Bookmark { title } } bookmark(id: $id) { url } }"
    )
    found = await graph.ask(document, ada, id=shown["id"])
    assert found == {
        "node": {"__typename": "Bookmark", "id": shown["id"], "title": "T"},
        "bookmark": {"url": given["url"]},
    }
    by_url = "query ($url: URL!) { bookmarkByUrl(url: $url) { id } }"
    assert await graph.ask(by_url, ada, url="https://example.com/a~b/?q=1#part") == {
        "bookmarkByUrl": {"id": shown["id"]}
    }
    assert await graph.ask(by_url, ada, url="https://other.example/") == {"bookmarkByUrl": None}
    assert await graph.refusal(by_url, ada, url="nonsense") == ["BAD_USER_INPUT"]


async def test_refusals_are_data_and_change_nothing(
    graph: Graph, ada: UserRow, bob: UserRow, make: Maker, database: Database
) -> None:
    place = await make.collection(viewer(bob))
    before = await snapshot(database)
    cases: list[tuple[dict[str, Any], str, list[str]]] = [
        ({"url": "javascript:alert(1)"}, "BAD_USER_INPUT", ["input", "url"]),
        ({"url": ""}, "BAD_USER_INPUT", ["input", "url"]),
        ({"url": "https://a.example/", "tags": ["x" * 10_000]}, "BAD_USER_INPUT", ["input", "tags"]),
        ({"url": "https://a.example/", "title": "a\0"}, "BAD_USER_INPUT", ["input", "title"]),
        (
            {"url": "https://a.example/", "collectionIds": [gid(place, "Collection")]},
            "NOT_FOUND",
            ["input", "collectionIds", "0"],
        ),
        (
            {"url": "https://a.example/", "collectionIds": [gid(place)]},
            "BAD_USER_INPUT",
            ["input", "collectionIds", "0"],
        ),
        ({"url": "https://a.example/", "idempotencyKey": ""}, "BAD_USER_INPUT", ["input", "idempotencyKey"]),
    ]
    for given, code, field in cases:
        answer = (await graph.ask(CREATE, ada, input=given))["createBookmark"]
        assert (answer["bookmark"], answer["created"]) == (None, None)
        assert [(error["code"], error["field"]) for error in answer["userErrors"]] == [(code, field)]
    assert changed_tables(before, await snapshot(database)) == set()
    assert await graph.refusal(CREATE, None, input={"url": "https://a.example/"}) == ["UNAUTHENTICATED"]


async def test_null_is_not_the_same_as_left_out(graph: Graph, ada: UserRow, make: Maker) -> None:
    row = await make.bookmark(viewer(ada), {"title": "T", "notes": "N", "tags": ["a"], "url": "https://a.example/"})
    first = await graph.ask(UPDATE, ada, input={"id": gid(row), "isFavorite": True})
    assert first["updateBookmark"] == {
        "bookmark": {
            "id": gid(row),
            "url": "https://a.example/",
            "title": "T",
            "notes": "N",
            "isFavorite": True,
            "version": 2,
            "tags": [{"path": "a"}],
            "collections": [],
        },
        "userErrors": [],
    }
    second = await graph.ask(UPDATE, ada, input={"id": gid(row), "notes": None, "title": None, "tags": None})
    shown = second["updateBookmark"]["bookmark"]
    assert (shown["notes"], shown["title"], shown["tags"], shown["isFavorite"]) == (None, "", [], True)
    refused = (await graph.ask(UPDATE, ada, input={"id": gid(row), "isFavorite": None}))["updateBookmark"]
    assert refused["userErrors"] == [
        {
            "code": "BAD_USER_INPUT",
            "message": "A flag cannot be null; leave it out to keep it.",
            "field": ["input", "isFavorite"],
        }
    ]


async def test_a_stale_version_is_a_conflict(graph: Graph, ada: UserRow, make: Maker, database: Database) -> None:
    row = await make.bookmark(viewer(ada))
    before = await snapshot(database)
    answer = await graph.ask(UPDATE, ada, input={"id": gid(row), "title": "x", "expectedVersion": 7})
    assert answer["updateBookmark"]["bookmark"] is None
    assert [(error["code"], error["field"]) for error in answer["updateBookmark"]["userErrors"]] == [
        ("CONFLICT", ["input", "expectedVersion"])
    ]
    assert changed_tables(before, await snapshot(database)) == set()


async def test_two_changes_in_one_document_show_what_each_left(graph: Graph, ada: UserRow, make: Maker) -> None:
    row = await make.bookmark(viewer(ada), {"tags": ["a"]})
    document = """
    mutation ($one: UpdateBookmarkInput!, $two: UpdateBookmarkInput!) {
      one: updateBookmark(input: $one) { bookmark { tags { path } } }
      two: updateBookmark(input: $two) { bookmark { tags { path } } }
    }
    """
    data = await graph.ask(document, ada, one={"id": gid(row), "tags": ["b"]}, two={"id": gid(row), "tags": ["c"]})
    assert [data[name]["bookmark"]["tags"] for name in ("one", "two")] == [[{"path": "b"}], [{"path": "c"}]]


async def test_items_that_are_not_found_are_named_and_the_others_done(
    graph: Graph, ada: UserRow, bob: UserRow, make: Maker
) -> None:
    mine, theirs = await make.bookmark(viewer(ada)), await make.bookmark(viewer(bob))
    ids = [gid(theirs), gid(mine), encode_global_id("Bookmark", new_id())]
    missing = [{"code": "NOT_FOUND", "field": ["input", "ids", place]} for place in ("0", "2")]
    deleted = await graph.ask(DELETE, ada, input={"ids": ids})
    assert deleted["deleteBookmarks"] == {"deletedIds": [gid(mine)], "userErrors": missing}
    restored = await graph.ask(RESTORE, ada, input={"ids": ids})
    assert restored["restoreBookmarks"] == {
        "bookmarks": [{"id": gid(mine), "deletedAt": None}],
        "userErrors": missing,
    }
    gone = await graph.ask(DELETE, ada, input={"ids": [gid(mine)], "permanently": True})
    assert gone["deleteBookmarks"] == {"deletedIds": [gid(mine)], "userErrors": []}
    assert await graph.ask("query ($id: ID!) { node(id: $id) { id } }", ada, id=gid(mine)) == {"node": None}
    assert await graph.ask("query ($id: ID!) { bookmark(id: $id) { id } }", ada, id=gid(theirs)) == {"bookmark": None}


@pytest.mark.parametrize(
    "bad", ["", "nonsense", base64.b64encode(b"Bookmark:1").decode(), encode_global_id("Tag", UUID(int=1))]
)
async def test_an_id_that_was_tampered_with_is_refused(
    graph: Graph, ada: UserRow, make: Maker, database: Database, bad: str
) -> None:
    row = await make.bookmark(viewer(ada))
    before = await snapshot(database)
    answer = (await graph.ask(DELETE, ada, input={"ids": [gid(row), bad]}))["deleteBookmarks"]
    assert answer == {"deletedIds": None, "userErrors": [{"code": "BAD_USER_INPUT", "field": ["input", "ids", "1"]}]}
    assert await graph.refusal("query ($id: ID!) { bookmark(id: $id) { id } }", ada, id=bad) == ["BAD_USER_INPUT"]
    assert await graph.refusal(
        "query ($f: BookmarkFilter) { bookmarks(filter: $f) { totalCount } }", ada, f={"collectionId": bad}
    ) == ["BAD_USER_INPUT"]
    assert changed_tables(before, await snapshot(database)) == set()
