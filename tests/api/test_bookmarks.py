"""Bookmarks through the schema."""

import base64
from typing import Any, cast
from uuid import UUID

import pytest

from db.unit import Database
from db.users import UserRow
from kit.ids import encode_global_id, new_id
from kit.settings import Executor
from resolvers.context import Services
from services.permissions import Viewer
from tests.client import Graph
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
LIST = """
query ($filter: BookmarkFilter, $orderBy: BookmarkOrder, $first: Int, $after: String, $last: Int, $before: String) {
  bookmarks(filter: $filter, orderBy: $orderBy, first: $first, after: $after, last: $last, before: $before) {
    nodes { title }
    edges { cursor node { title } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    totalCount
  }
}
"""


def gid(row: Any, kind: str = "Bookmark") -> str:
    return encode_global_id(kind, row.id)


def viewer(user: UserRow) -> Viewer:
    return Viewer(id=user.id)


async def titles(graph: Graph, who: UserRow, filter: dict[str, Any]) -> list[str]:  # noqa: A002  the name of the API
    data = await graph.ask(LIST, who, filter=filter, orderBy={"field": "TITLE"}, first=100)
    found = [node["title"] for node in data["bookmarks"]["nodes"]]
    assert data["bookmarks"]["totalCount"] == len(found)
    return found


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
    assert await graph.refusal(LIST, ada, filter={"collectionId": bad}) == ["BAD_USER_INPUT"]
    assert changed_tables(before, await snapshot(database)) == set()


async def test_the_trash_is_seen_only_when_asked_for(graph: Graph, ada: UserRow, make: Maker) -> None:
    place = await make.collection(viewer(ada))
    await make.bookmark(viewer(ada), {"title": "here", "tags": ["t"], "collection_ids": [place.id]})
    await make.trashed(viewer(ada), {"title": "gone", "tags": ["t"], "collection_ids": [place.id]})
    assert await titles(graph, ada, {}) == ["here"]
    assert await titles(graph, ada, {"inTrash": True}) == ["gone"]
    document = """
    { tag(name: "T") { bookmarkCount bookmarks { nodes { title } totalCount } }
      collections { nodes { bookmarkCount bookmarks { nodes { title } totalCount } } } }
    """
    data = await graph.ask(document, ada)
    seen = {"bookmarkCount": 1, "bookmarks": {"nodes": [{"title": "here"}], "totalCount": 1}}
    assert data == {"tag": seen, "collections": {"nodes": [seen]}}
    emptied = "mutation { emptyTrash { purgedCount userErrors { code } } }"
    assert await graph.ask(emptied, ada) == {"emptyTrash": {"purgedCount": 1, "userErrors": []}}
    assert await titles(graph, ada, {"inTrash": True}) == []
    assert await titles(graph, ada, {}) == ["here"]


async def test_every_condition_of_the_filter(graph: Graph, ada: UserRow, bob: UserRow, make: Maker) -> None:
    me = viewer(ada)
    top = await make.collection(me, "top")
    low = await make.collection(me, "low", parent=top)
    await make.bookmark(
        me, {"url": "https://a.example/Path", "title": "A 50%", "tags": ["dev/py"], "is_favorite": True}
    )
    await make.bookmark(
        me, {"url": "https://b.example/", "title": "b_", "tags": ["dev", "x"], "collection_ids": [low.id]}
    )
    await make.bookmark(
        me, {"url": "https://c.example/", "title": "C", "is_archived": True, "collection_ids": [top.id]}
    )
    await make.bookmark(me, {"url": "https://d.example/", "title": "D", "is_unread": True, "tags": ["developer"]})
    await make.bookmark(viewer(bob), {"title": "not mine", "tags": ["dev"]})
    cases: list[tuple[dict[str, Any], list[str]]] = [
        ({}, ["A 50%", "b_", "C", "D"]),
        ({"collectionId": gid(top, "Collection")}, ["C"]),
        ({"collectionId": gid(top, "Collection"), "includeDescendants": True}, ["b_", "C"]),
        ({"anyTagNames": ["DEV"]}, ["A 50%", "b_"]),
        ({"anyTagNames": ["dev/py", "developer", "nowhere"]}, ["A 50%", "D"]),
        ({"anyTagNames": []}, []),
        ({"allTagNames": ["dev", "x"]}, ["b_"]),
        ({"allTagNames": ["dev", "nowhere"]}, []),
        ({"domain": "A.example."}, ["A 50%"]),
        ({"isFavorite": True}, ["A 50%"]),
        ({"isFavorite": False}, ["b_", "C", "D"]),
        ({"isArchived": True}, ["C"]),
        ({"isUnread": True}, ["D"]),
        ({"isTagged": True}, ["A 50%", "b_", "D"]),
        ({"isTagged": False}, ["C"]),
        ({"addedAfter": "2000-01-01T00:00:00Z"}, ["A 50%", "b_", "C", "D"]),
        ({"addedBefore": "2000-01-01T00:00:00Z"}, []),
        ({"urlContains": "PATH"}, ["A 50%"]),
        ({"titleContains": "0%"}, ["A 50%"]),
        ({"titleContains": "_"}, ["b_"]),
        ({"source": "MANUAL", "isTagged": False}, ["C"]),
        ({"source": "IMPORT"}, []),
    ]
    for given, expected in cases:
        assert await titles(graph, ada, given) == expected, given


@pytest.mark.parametrize(
    "variables",
    [
        {"orderBy": {"field": "DELETED_AT"}},
        {"filter": {"anyTagNames": ["x"] * 21}},
        {"filter": {"allTagNames": ["x" * 10_000]}},
        {"filter": {"titleContains": "x" * 201}},
        {"filter": {"urlContains": "\0"}},
        {"filter": {"domain": "x" * 201}},
        {"first": 0},
        {"first": 101},
        {"first": 1, "last": 1},
        {"after": "bm9uc2Vuc2U"},
    ],
)
async def test_a_list_that_cannot_be_is_refused(graph: Graph, ada: UserRow, variables: dict[str, Any]) -> None:
    assert await graph.refusal(LIST, ada, **variables) == ["BAD_USER_INPUT"]


async def test_a_cursor_belongs_to_its_order(graph: Graph, ada: UserRow, make: Maker) -> None:
    await make.bookmark(viewer(ada))
    data = await graph.ask(LIST, ada, orderBy={"field": "TITLE"})
    cursor = data["bookmarks"]["pageInfo"]["endCursor"]
    assert await graph.refusal(LIST, ada, orderBy={"field": "DOMAIN"}, after=cursor) == ["BAD_USER_INPUT"]
    changed = cursor[:-1] + ("A" if cursor[-1] != "A" else "B")
    assert await graph.refusal(LIST, ada, orderBy={"field": "TITLE"}, after=changed) == ["BAD_USER_INPUT"]


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
async def test_a_time_outside_the_calendar_in_utc_is_refused(graph: Graph, ada: UserRow, moment: str) -> None:
    body = await graph.run(
        "query ($x: DateTime!) { bookmarks(filter: {addedAfter: $x}) { totalCount } }", ada, x=moment
    )
    (error,) = body["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert "A time is written like 2026-01-31T23:59:59Z (RFC 3339)." in error["message"]


class Counting:
    """Runs statements on a database and remembers them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.statements: list[str] = []

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._database, name)
        if name not in {"fetch", "fetchrow", "fetchval", "execute"}:
            return found

        async def counted(sql: str, *arguments: Any) -> Any:
            self.statements.append(sql)
            return await found(sql, *arguments)

        return counted


def is_compiled(graph: Graph) -> bool:
    return graph.services.settings.executor is Executor.COMPILED


@pytest.fixture
def counting(services: Services) -> Counting:
    counted = Counting(services.database)
    services.database = cast("Database", counted)
    return counted


async def test_a_list_of_fifty_needs_one_statement(graph: Graph, ada: UserRow, make: Maker, counting: Counting) -> None:
    me = viewer(ada)
    places = [await make.collection(me, name) for name in ("one", "two")]
    for number in range(50):
        await make.bookmark(
            me,
            {"title": str(number), "tags": [f"t{number % 7}", "all"], "collection_ids": [places[number % 2].id]},
        )
    counting.statements.clear()
    data = await graph.ask("{ bookmarks(first: 50) { nodes { title tags { path } collections { name } } } }", ada)
    assert len(counting.statements) == (1 if is_compiled(graph) else 3)
    assert data["bookmarks"]["nodes"] == [
        {
            "title": str(number),
            "tags": [{"path": "all"}, {"path": f"t{number % 7}"}],
            "collections": [{"name": ("one", "two")[number % 2]}],
        }
        for number in reversed(range(50))
    ]


async def test_nested_lists_are_fetched_together(graph: Graph, ada: UserRow, make: Maker, counting: Counting) -> None:
    me = viewer(ada)
    top = await make.collection(me, "top")
    for number in range(10):
        place = await make.collection(me, f"c{number}", parent=top)
        for part in range(3):
            await make.bookmark(me, {"title": f"{number}.{part}", "collection_ids": [place.id], "tags": [f"a/{part}"]})
    counting.statements.clear()
    document = """
    { collections(filter: {rootsOnly: true}) { nodes { name children {
        name bookmarkCount parent { name }
        bookmarks(first: 2, orderBy: {field: TITLE}) { nodes { title tags { name parent { path aliases } } }
          pageInfo { hasNextPage } totalCount }
    } } } }
    """
    data = await graph.ask(document, ada)
    # Compiled: roots, children with their parents and numbers, bookmarks with everything below them, their number.
    # By resolvers: roots, children, parents, bookmarks, their number (asked for twice), tags, their parents, aliases.
    assert len(counting.statements) == (4 if is_compiled(graph) else 8)
    (root,) = data["collections"]["nodes"]
    assert root["children"] == [
        {
            "name": f"c{number}",
            "bookmarkCount": 3,
            "parent": {"name": "top"},
            "bookmarks": {
                "nodes": [
                    {
                        "title": f"{number}.{part}",
                        "tags": [{"name": str(part), "parent": {"path": "a", "aliases": []}}],
                    }
                    for part in range(2)
                ],
                "pageInfo": {"hasNextPage": True},
                "totalCount": 3,
            },
        }
        for number in range(10)
    ]


async def test_nested_pages_continue_from_their_cursor(graph: Graph, ada: UserRow, make: Maker) -> None:
    me = viewer(ada)
    place = await make.collection(me)
    for number in range(5):
        await make.bookmark(me, {"title": str(number), "collection_ids": [place.id]})
    document = """
    query ($id: ID!, $after: String) { collection(id: $id) {
      bookmarks(first: 2, after: $after, filter: {isFavorite: false}) {
        nodes { title } pageInfo { hasNextPage endCursor } totalCount } } }
    """
    seen: list[str] = []
    after: str | None = None
    for _ in range(3):
        page = (await graph.ask(document, ada, id=gid(place, "Collection"), after=after))["collection"]["bookmarks"]
        seen += [node["title"] for node in page["nodes"]]
        assert page["totalCount"] == 5
        after = page["pageInfo"]["endCursor"]
    assert seen == ["4", "3", "2", "1", "0"]
    refused = "query ($id: ID!) { collection(id: $id) { bookmarks(filter: {collectionId: $id}) { totalCount } } }"
    assert await graph.refusal(refused, ada, id=gid(place, "Collection")) == ["BAD_USER_INPUT"]
