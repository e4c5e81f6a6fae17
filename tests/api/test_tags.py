"""Tags through the schema."""

from typing import Any

import pytest

from db.unit import Database
from db.users import UserRow
from kit.ids import encode_global_id
from tests.client import Graph, viewer
from tests.make import Maker
from tests.snapshot import changed_tables, snapshot

FIELDS = "id name path color parent { path } children { path } aliases bookmarkCount"
ERRORS = "userErrors { code message field }"
CREATE = f"mutation ($input: CreateTagInput!) {{ createTag(input: $input) {{ tag {{ {FIELDS} }} created {ERRORS} }} }}"
UPDATE = f"mutation ($input: UpdateTagInput!) {{ updateTag(input: $input) {{ tag {{ {FIELDS} }} {ERRORS} }} }}"
MERGE = f"mutation ($input: MergeTagsInput!) {{ mergeTags(input: $input) {{ tag {{ {FIELDS} }} {ERRORS} }} }}"
DELETE = f"mutation ($input: DeleteTagsInput!) {{ deleteTags(input: $input) {{ deletedIds {ERRORS} }} }}"
ONE = f"query ($name: String!) {{ tag(name: $name) {{ {FIELDS} }} }}"
LIST = """
query ($filter: TagFilter, $orderBy: TagOrder, $first: Int, $after: String) {
  tags(filter: $filter, orderBy: $orderBy, first: $first, after: $after) {
    nodes { path } pageInfo { hasNextPage endCursor } totalCount } }
"""


def gid(row: Any, kind: str = "Tag") -> str:
    return encode_global_id(kind, row.id)


async def test_a_tag_is_made_once_and_found_by_any_spelling(graph: Graph, ada: UserRow) -> None:
    made = (await graph.ask(CREATE, ada, input={"name": "Dev/Python", "color": "#00FF00"}))["createTag"]
    assert made == {
        "tag": {
            "id": made["tag"]["id"],
            "name": "Python",
            "path": "Dev/Python",
            "color": "#00ff00",
            "parent": {"path": "Dev"},
            "children": [],
            "aliases": [],
            "bookmarkCount": 0,
        },
        "created": True,
        "userErrors": [],
    }
    again = (await graph.ask(CREATE, ada, input={"name": " DEV / python", "color": "#ffffff"}))["createTag"]
    assert again == made | {"created": False}
    assert await graph.ask(ONE, ada, name="dev/PYTHON") == {"tag": made["tag"]}
    assert await graph.ask(ONE, ada, name="dev/rust") == {"tag": None}
    node = await graph.ask("query ($id: ID!) { node(id: $id) { ... on Tag { path } } }", ada, id=made["tag"]["id"])
    assert node == {"node": {"path": "Dev/Python"}}


async def test_a_tag_of_ten_thousand_characters_is_refused_everywhere(
    graph: Graph, ada: UserRow, make: Maker, database: Database
) -> None:
    tag = await make.tag(viewer(ada))
    before = await snapshot(database)
    long = "x" * 10_000
    says = "A tag has at most 2,000 characters; this one has 10,000."
    for document, given in ((CREATE, {"name": long}), (UPDATE, {"id": gid(tag), "name": long})):
        (answer,) = (await graph.ask(document, ada, input=given)).values()
        assert answer["userErrors"] == [{"code": "BAD_USER_INPUT", "message": says, "field": ["input", "name"]}]
        assert answer["tag"] is None
    assert await graph.refusal(ONE, ada, name=long) == ["BAD_USER_INPUT"]
    assert changed_tables(before, await snapshot(database)) == set()


async def test_a_rename_is_seen_by_bookmarks_and_children(graph: Graph, ada: UserRow, make: Maker) -> None:
    await make.bookmark(viewer(ada), {"tags": ["dev/python"]})
    dev = (await graph.ask(ONE, ada, name="dev"))["tag"]
    answer = (await graph.ask(UPDATE, ada, input={"id": dev["id"], "name": "Code", "color": "#123456"}))["updateTag"]
    assert answer == {
        "tag": dev | {"name": "Code", "path": "Code", "color": "#123456", "children": [{"path": "Code/python"}]},
        "userErrors": [],
    }
    shown = await graph.ask("{ bookmarks { nodes { tags { path } } } }", ada)
    assert shown == {"bookmarks": {"nodes": [{"tags": [{"path": "Code/python"}]}]}}
    cleared = (await graph.ask(UPDATE, ada, input={"id": dev["id"], "color": None}))["updateTag"]["tag"]
    assert (cleared["path"], cleared["color"]) == ("Code", None)


async def test_merged_tags_become_aliases(graph: Graph, ada: UserRow, make: Maker) -> None:
    await make.bookmark(viewer(ada), {"tags": ["js", "ecma/script"]})
    js, ecma, target = [await make.tag(viewer(ada), name) for name in ("js", "ecma", "javascript")]
    answer = await graph.ask(MERGE, ada, input={"sourceIds": [gid(js), gid(ecma)], "targetId": gid(target)})
    merged = answer["mergeTags"]["tag"]
    assert (merged["aliases"], merged["bookmarkCount"]) == (["ecma", "js"], 1)
    assert merged["children"] == [{"path": "javascript/script"}]
    assert (await graph.ask(ONE, ada, name="JS"))["tag"]["id"] == gid(target)
    found = await graph.ask('{ bookmarks(filter: {allTagNames: ["js", "ecma/script"]}) { totalCount } }', ada)
    assert found == {"bookmarks": {"totalCount": 1}}


async def test_items_that_are_left_alone_are_named(graph: Graph, ada: UserRow, bob: UserRow, make: Maker) -> None:
    leaf, theirs = await make.tag(viewer(ada), "a/b"), await make.tag(viewer(bob), "secret")
    root = (await graph.ask(ONE, ada, name="a"))["tag"]["id"]
    answer = (await graph.ask(DELETE, ada, input={"ids": [gid(theirs), root]}))["deleteTags"]
    assert answer["deletedIds"] == []
    assert [(error["code"], error["field"][-1]) for error in answer["userErrors"]] == [
        ("NOT_FOUND", "0"),
        ("CONFLICT", "1"),
    ]
    gone = (await graph.ask(DELETE, ada, input={"ids": [root], "includeDescendants": True}))["deleteTags"]
    assert gone == {"deletedIds": [root, gid(leaf)], "userErrors": []}
    assert (await graph.ask(LIST, bob))["tags"]["totalCount"] == 1


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (None, ["a", "a/b", "B", "c"]),
        ({"field": "PATH", "direction": "DESC"}, ["c", "B", "a/b", "a"]),
        ({"field": "CREATED_AT", "direction": "ASC"}, ["c", "B", "a", "a/b"]),
    ],
)
async def test_a_list_in_every_order_page_by_page(
    graph: Graph, ada: UserRow, make: Maker, order: dict[str, str] | None, expected: list[str]
) -> None:
    for name in ("c", "B", "a", "a/b"):
        await make.tag(viewer(ada), name)
    seen: list[str] = []
    after = None
    while True:
        page = (await graph.ask(LIST, ada, orderBy=order, first=3, after=after))["tags"]
        seen += [node["path"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert seen == expected


async def test_filters(graph: Graph, ada: UserRow, make: Maker) -> None:
    await make.bookmark(viewer(ada), {"tags": ["a/used"]})
    await make.trashed(viewer(ada), {"tags": ["trash"]})
    top = (await graph.ask(ONE, ada, name="a"))["tag"]["id"]
    cases: list[tuple[dict[str, Any], list[str]]] = [
        ({"rootsOnly": True}, ["a", "trash"]),
        ({"parentId": top}, ["a/used"]),
        ({"pathContains": "/US"}, ["a/used"]),
        ({"isUsed": True}, ["a/used"]),
        ({"isUsed": False}, ["a", "trash"]),
    ]
    for given, expected in cases:
        page = (await graph.ask(LIST, ada, filter=given))["tags"]
        assert ([node["path"] for node in page["nodes"]], page["totalCount"]) == (expected, len(expected))
    assert await graph.refusal(LIST, ada, filter={"pathContains": "x" * 201}) == ["BAD_USER_INPUT"]
    assert await graph.refusal(LIST, ada, after="nonsense") == ["BAD_USER_INPUT"]


async def test_a_strangers_tags_do_not_exist(
    graph: Graph, ada: UserRow, bob: UserRow, make: Maker, database: Database
) -> None:
    theirs, mine = await make.tag(viewer(bob), "secret"), await make.tag(viewer(ada), "mine")
    before = await snapshot(database)
    cases: list[tuple[str, dict[str, Any], list[str]]] = [
        (UPDATE, {"id": gid(theirs), "name": "x"}, ["input", "id"]),
        (UPDATE, {"id": gid(mine), "parentId": gid(theirs)}, ["input", "parentId"]),
        (MERGE, {"sourceIds": [gid(theirs)], "targetId": gid(mine)}, ["input", "sourceIds", "0"]),
        (MERGE, {"sourceIds": [gid(mine)], "targetId": gid(theirs)}, ["input", "targetId"]),
    ]
    for document, given, field in cases:
        (answer,) = (await graph.ask(document, ada, input=given)).values()
        assert answer["tag"] is None
        assert [(error["code"], error["field"]) for error in answer["userErrors"]] == [("NOT_FOUND", field)]
        assert await graph.refusal(document, None, input=given) == ["UNAUTHENTICATED"]
    assert await graph.ask(ONE, ada, name="secret") == {"tag": None}
    assert changed_tables(before, await snapshot(database)) == set()
