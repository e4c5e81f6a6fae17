"""Lists of bookmarks through the schema: which, in which order, and by how many statements."""

from typing import Any, cast

import pytest

from db.unit import Database
from db.users import UserRow
from kit.settings import Executor
from resolvers.context import Services
from tests.client import Graph, gid, viewer
from tests.make import Maker
from tests.spying import Spy

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


async def titles(graph: Graph, who: UserRow, filter: dict[str, Any]) -> list[str]:  # noqa: A002  the name of the API
    data = await graph.ask(LIST, who, filter=filter, orderBy={"field": "TITLE"}, first=100)
    found = [node["title"] for node in data["bookmarks"]["nodes"]]
    assert data["bookmarks"]["totalCount"] == len(found)
    return found


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


def is_compiled(graph: Graph) -> bool:
    return graph.services.settings.executor is Executor.COMPILED


@pytest.fixture
def counting(services: Services) -> Spy:
    counted = Spy(services.database)
    services.database = cast("Database", counted)
    return counted


async def test_a_list_of_fifty_needs_one_statement(graph: Graph, ada: UserRow, make: Maker, counting: Spy) -> None:
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


async def test_nested_lists_are_fetched_together(graph: Graph, ada: UserRow, make: Maker, counting: Spy) -> None:
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
