"""Collections through the schema."""

from typing import Any

import pytest

from db.unit import Database
from db.users import UserRow
from kit.ids import encode_global_id, new_id
from tests.client import Graph, viewer
from tests.make import Maker
from tests.snapshot import changed_tables, snapshot

FIELDS = "id name slug description color icon isSmart query position parent { name } children { name } bookmarkCount"
ERRORS = "userErrors { code message field }"
CREATE = f"mutation ($input: CreateCollectionInput!) {{ createCollection(input: $input) {{ collection {{ {FIELDS} }} {ERRORS} }} }}"  # noqa: E501  one document
UPDATE = f"mutation ($input: UpdateCollectionInput!) {{ updateCollection(input: $input) {{ collection {{ {FIELDS} }} {ERRORS} }} }}"  # noqa: E501  one document
MOVE = f"mutation ($input: MoveCollectionInput!) {{ moveCollection(input: $input) {{ collection {{ {FIELDS} }} {ERRORS} }} }}"  # noqa: E501  one document
DELETE = f"mutation ($input: DeleteCollectionInput!) {{ deleteCollection(input: $input) {{ deletedIds {ERRORS} }} }}"
ADD = f"""mutation ($input: AddToCollectionInput!) {{
  addToCollection(input: $input) {{ collection {{ bookmarkCount }} changedBookmarkIds {ERRORS} }} }}"""
REMOVE = f"""mutation ($input: RemoveFromCollectionInput!) {{
  removeFromCollection(input: $input) {{ collection {{ bookmarkCount }} changedBookmarkIds {ERRORS} }} }}"""
LIST = """
query ($filter: CollectionFilter, $orderBy: CollectionOrder, $first: Int, $after: String, $last: Int, $before: String) {
  collections(filter: $filter, orderBy: $orderBy, first: $first, after: $after, last: $last, before: $before) {
    nodes { name } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount } }
"""
BLANK: dict[str, Any] = {
    "description": None,
    "color": None,
    "icon": None,
    "isSmart": False,
    "query": None,
    "children": [],
}


def gid(row: Any, kind: str = "Collection") -> str:
    return encode_global_id(kind, row.id)


async def test_a_collection_is_made_changed_and_found(graph: Graph, ada: UserRow) -> None:
    top = (await graph.ask(CREATE, ada, input={"name": "Top"}))["createCollection"]
    assert top["userErrors"] == []
    given = {"name": "Low level", "parentId": top["collection"]["id"], "color": "#FFEE00", "icon": "star"}
    low = (await graph.ask(CREATE, ada, input=given))["createCollection"]["collection"]
    assert low == {
        **BLANK,
        "id": low["id"],
        "name": "Low level",
        "slug": "low-level",
        "color": "#ffee00",
        "icon": "star",
        "position": 0,
        "parent": {"name": "Top"},
        "bookmarkCount": 0,
    }
    changed = await graph.ask(UPDATE, ada, input={"id": low["id"], "name": "Low", "icon": None})
    assert changed["updateCollection"]["collection"] == low | {"name": "Low", "slug": "low", "icon": None}
    found = await graph.ask(
        "query ($id: ID!) { node(id: $id) { ... on Collection { name } } collection(id: $id) { parent { children { name } } } }",  # noqa: E501  one document
        ada,
        id=low["id"],
    )
    assert found == {"node": {"name": "Low"}, "collection": {"parent": {"children": [{"name": "Low"}]}}}


async def test_a_collection_moves_but_never_below_itself(
    graph: Graph, ada: UserRow, make: Maker, database: Database
) -> None:
    top = await make.collection(viewer(ada), "top")
    low = await make.collection(viewer(ada), "low", parent=top)
    before = await snapshot(database)
    for target in (top, low):
        refused = (await graph.ask(MOVE, ada, input={"id": gid(top), "parentId": gid(target)}))["moveCollection"]
        assert refused["collection"] is None
        assert [(error["code"], error["field"]) for error in refused["userErrors"]] == [
            ("BAD_USER_INPUT", ["input", "parentId"])
        ]
    assert changed_tables(before, await snapshot(database)) == set()
    moved = (await graph.ask(MOVE, ada, input={"id": gid(low), "parentId": None, "position": 0}))["moveCollection"]
    assert (moved["collection"]["parent"], moved["collection"]["position"]) == (None, 0)
    stayed = (await graph.ask(MOVE, ada, input={"id": gid(low), "position": 1}))["moveCollection"]
    assert (stayed["collection"]["parent"], stayed["collection"]["position"]) == (None, 1)


async def test_bookmarks_go_in_and_out(graph: Graph, ada: UserRow, bob: UserRow, make: Maker) -> None:
    place = await make.collection(viewer(ada))
    mine, theirs = await make.bookmark(viewer(ada)), await make.bookmark(viewer(bob))
    given = {"collectionId": gid(place), "bookmarkIds": [gid(theirs, "Bookmark"), gid(mine, "Bookmark")]}
    missing = [{"code": "NOT_FOUND", "message": "There is no such bookmark.", "field": ["input", "bookmarkIds", "0"]}]
    assert (await graph.ask(ADD, ada, input=given))["addToCollection"] == {
        "collection": {"bookmarkCount": 1},
        "changedBookmarkIds": [gid(mine, "Bookmark")],
        "userErrors": missing,
    }
    assert (await graph.ask(REMOVE, ada, input=given))["removeFromCollection"] == {
        "collection": {"bookmarkCount": 0},
        "changedBookmarkIds": [gid(mine, "Bookmark")],
        "userErrors": missing,
    }


async def test_deleting_says_what_is_gone(graph: Graph, ada: UserRow, make: Maker) -> None:
    top = await make.collection(viewer(ada), "top")
    low = await make.collection(viewer(ada), "low", parent=top)
    gone = (await graph.ask(DELETE, ada, input={"id": gid(top)}))["deleteCollection"]
    assert gone == {"deletedIds": [gid(top)], "userErrors": []}
    again = (await graph.ask(DELETE, ada, input={"id": gid(top)}))["deleteCollection"]
    assert (again["deletedIds"], again["userErrors"][0]["code"]) == (None, "NOT_FOUND")
    rest = await make.collection(viewer(ada), "rest", parent=low)
    all_gone = await graph.ask(DELETE, ada, input={"id": gid(low), "children": "DELETE"})
    assert all_gone["deleteCollection"]["deletedIds"] == [gid(low), gid(rest)]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (None, ["b", "a", "C"]),
        ({"field": "POSITION", "direction": "DESC"}, ["C", "a", "b"]),
        ({"field": "NAME"}, ["a", "b", "C"]),
        ({"field": "NAME", "direction": "DESC"}, ["C", "b", "a"]),
        ({"field": "CREATED_AT"}, ["C", "a", "b"]),
        ({"field": "UPDATED_AT", "direction": "ASC"}, ["b", "a", "C"]),
    ],
)
async def test_a_list_in_every_order_page_by_page(
    graph: Graph, ada: UserRow, make: Maker, order: dict[str, str] | None, expected: list[str]
) -> None:
    for name in ("b", "a", "C"):
        await make.collection(viewer(ada), name)
    seen: list[str] = []
    after = None
    while True:
        page = (await graph.ask(LIST, ada, orderBy=order, first=2, after=after))["collections"]
        seen += [node["name"] for node in page["nodes"]]
        assert page["totalCount"] == 3
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert seen == expected
    last = (await graph.ask(LIST, ada, orderBy=order, last=2))["collections"]
    assert [node["name"] for node in last["nodes"]] == expected[1:]
    first = (await graph.ask(LIST, ada, orderBy=order, last=2, before=last["pageInfo"]["startCursor"]))["collections"]
    assert [node["name"] for node in first["nodes"]] == expected[:1]


async def test_filters(graph: Graph, ada: UserRow, bob: UserRow, make: Maker) -> None:
    top = await make.collection(viewer(ada), "Top_1")
    await make.collection(viewer(ada), "low", parent=top)
    theirs = await make.collection(viewer(bob), "theirs")
    cases: list[tuple[dict[str, Any], list[str]]] = [
        ({"rootsOnly": True}, ["Top_1"]),
        ({"parentId": gid(top)}, ["low"]),
        ({"parentId": gid(theirs)}, []),
        ({"nameContains": "P_"}, ["Top_1"]),
    ]
    for given, expected in cases:
        page = (await graph.ask(LIST, ada, filter=given))["collections"]
        assert ([node["name"] for node in page["nodes"]], page["totalCount"]) == (expected, len(expected))
    for bad in ({"nameContains": "x" * 201}, {"nameContains": "\0"}, {"parentId": "x"}):
        assert await graph.refusal(LIST, ada, filter=bad) == ["BAD_USER_INPUT"]


async def test_refusals_are_data(graph: Graph, ada: UserRow, bob: UserRow, make: Maker, database: Database) -> None:
    theirs = await make.collection(viewer(bob))
    before = await snapshot(database)
    cases: list[tuple[str, dict[str, Any], str, list[str]]] = [
        (CREATE, {"name": "x" * 10_000}, "BAD_USER_INPUT", ["input", "name"]),
        (CREATE, {"name": "x", "parentId": gid(theirs)}, "NOT_FOUND", ["input", "parentId"]),
        (CREATE, {"name": "x", "parentId": ""}, "BAD_USER_INPUT", ["input", "parentId"]),
        (UPDATE, {"id": gid(theirs), "name": "x"}, "NOT_FOUND", ["input", "id"]),
        (UPDATE, {"id": gid(theirs, "Tag"), "name": "x"}, "BAD_USER_INPUT", ["input", "id"]),
        (UPDATE, {"id": encode_global_id("Collection", new_id()), "name": None}, "BAD_USER_INPUT", ["input", "name"]),
        (MOVE, {"id": gid(theirs)}, "NOT_FOUND", ["input", "id"]),
        (DELETE, {"id": gid(theirs)}, "NOT_FOUND", ["input", "id"]),
        (
            ADD,
            {"collectionId": gid(theirs), "bookmarkIds": [gid(theirs, "Bookmark")]},
            "NOT_FOUND",
            ["input", "collectionId"],
        ),
        (ADD, {"collectionId": gid(theirs), "bookmarkIds": []}, "BAD_USER_INPUT", ["input", "bookmarkIds"]),
        (REMOVE, {"collectionId": gid(theirs), "bookmarkIds": ["x"]}, "BAD_USER_INPUT", ["input", "bookmarkIds", "0"]),
    ]
    for document, given, code, field in cases:
        (answer,) = (await graph.ask(document, ada, input=given)).values()
        assert [(error["code"], error["field"]) for error in answer["userErrors"]] == [(code, field)], given
        assert all(value is None for name, value in answer.items() if name != "userErrors")
        assert await graph.refusal(document, None, input=given) == ["UNAUTHENTICATED"]
    assert changed_tables(before, await snapshot(database)) == set()
