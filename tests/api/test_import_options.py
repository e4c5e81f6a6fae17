"""What whoever imports can choose, and what each choice does to what is there."""

from typing import Any

import pytest

from db.users import UserRow
from resolvers.context import Services
from tests.api.test_imports import START, imported, upload
from tests.client import Graph

ADDRESS = "https://example.org/kept"
CREATE = """
mutation ($input: CreateBookmarkInput!) { createBookmark(input: $input) { bookmark { id } userErrors { code } } }
"""
LIBRARY = """
{
  bookmarks(first: 50) {
    nodes { url title description notes isUnread version deletedAt tags { path } collections { name } }
  }
}
"""
TRASH = "{ bookmarks(filter: {inTrash: true}) { nodes { url } } }"
FILE = f"""<!DOCTYPE NETSCAPE-Bookmark-file-1>
<DL><p>
    <DT><H3>Work</H3>
    <DL><p>
        <DT><H3>Deep</H3>
        <DL><p>
            <DT><A HREF="{ADDRESS}#:~:text=x" TAGS="theirs">Theirs</A>
            <DD>Their words
        </DL><p>
    </DL><p>
</DL><p>
"""


async def kept(graph: Graph, who: UserRow, **more: Any) -> str:
    """Save the bookmark that the file will meet; return its id."""
    given = {"url": ADDRESS, "title": "Mine", "tags": ["mine"]} | more
    answer = (await graph.ask(CREATE, who, input=given))["createBookmark"]
    assert answer["userErrors"] == []
    return str(answer["bookmark"]["id"])


async def library(graph: Graph, who: UserRow) -> list[dict[str, Any]]:
    nodes: list[dict[str, Any]] = (await graph.ask(LIBRARY, who))["bookmarks"]["nodes"]
    for node in nodes:
        node["tags"] = [tag["path"] for tag in node["tags"]]
        node["collections"] = [collection["name"] for collection in node["collections"]]
    return nodes


def fates(state: dict[str, Any]) -> list[tuple[str, str | None]]:
    return [(item["outcome"], item["reason"]) for item in state["items"]["nodes"]]


@pytest.mark.parametrize(
    ("policy", "outcome", "changed"),
    [
        ("SKIP", "SKIPPED", {}),
        (
            "MERGE",
            "MERGED",
            {"description": "Their words", "tags": ["mine", "theirs"], "collections": ["Deep"], "version": 2},
        ),
        (
            "UPDATE",
            "MERGED",
            {
                "title": "Theirs",
                "description": "Their words",
                "tags": ["mine", "theirs"],
                "collections": ["Deep"],
                "version": 2,
            },
        ),
    ],
)
async def test_what_is_saved_already(
    graph: Graph, services: Services, ada: UserRow, policy: str, outcome: str, changed: dict[str, Any]
) -> None:
    await kept(graph, ada)
    (before,) = await library(graph, ada)
    async with imported(graph, services, ada, FILE, onDuplicate=policy) as state:
        assert fates(state) == [(outcome, "ALREADY_SAVED")]
    assert await library(graph, ada) == [before | changed]


async def test_nothing_is_ever_blanked(graph: Graph, services: Services, ada: UserRow) -> None:
    await kept(graph, ada, description="My words")
    bare = f'<DL><DT><A HREF="{ADDRESS}"></A></DL><DL><DT><A HREF="https://example.org/other">Other</A></DL>'
    async with imported(graph, services, ada, bare, onDuplicate="UPDATE") as state:
        assert fates(state)[0] == ("SKIPPED", "ALREADY_SAVED")
    mine = next(node for node in await library(graph, ada) if node["url"] == ADDRESS)
    assert (mine["title"], mine["description"], mine["version"]) == ("Mine", "My words", 1)


@pytest.mark.parametrize("restore", [False, True])
async def test_what_lies_in_the_trash(graph: Graph, services: Services, ada: UserRow, restore: bool) -> None:
    key = await kept(graph, ada)
    await graph.ask("mutation ($ids: [ID!]!) { deleteBookmarks(input: {ids: $ids}) { __typename } }", ada, ids=[key])
    async with imported(graph, services, ada, FILE, restoreTrashed=restore) as state:
        assert fates(state) == [("MERGED", "RESTORED") if restore else ("SKIPPED", "IN_TRASH")]
    living = [node["url"] for node in await library(graph, ada)]
    trash = [node["url"] for node in (await graph.ask(TRASH, ada))["bookmarks"]["nodes"]]
    assert (living, trash) == (([ADDRESS], []) if restore else ([], [ADDRESS]))


async def test_folders_as_tags_added_tags_and_unread(graph: Graph, services: Services, ada: UserRow) -> None:
    options = {"foldersAsCollections": False, "foldersAsTags": True, "addTags": ["from/firefox"], "markUnread": True}
    async with imported(graph, services, ada, FILE, **options):
        pass
    (node,) = await library(graph, ada)
    assert (node["isUnread"], node["collections"]) == (True, [])
    assert sorted(node["tags"]) == ["Work/Deep", "from/firefox", "theirs"]


async def test_everything_below_one_collection(graph: Graph, services: Services, ada: UserRow) -> None:
    create = 'mutation { createCollection(input: {name: "Old browser"}) { collection { id } } }'
    parent = (await graph.ask(create, ada))["createCollection"]["collection"]["id"]
    async with imported(graph, services, ada, FILE, parentCollectionId=parent):
        pass
    tree = (await graph.ask("{ collections { nodes { name parent { name } } } }", ada))["collections"]["nodes"]
    assert sorted((node["name"], (node["parent"] or {}).get("name")) for node in tree) == [
        ("Deep", "Work"),
        ("Old browser", None),
        ("Work", "Old browser"),
    ]
    async with imported(graph, services, ada, FILE, parentCollectionId=parent, foldersAsCollections=False) as state:
        assert fates(state) == [("MERGED", "ALREADY_SAVED")]
    (node,) = await library(graph, ada)
    assert sorted(node["collections"]) == ["Deep", "Old browser"]


@pytest.mark.parametrize("tags", [["x" * 10_000], [f"t{number}" for number in range(21)], [""], ["a\0b"]])
async def test_tags_that_cannot_be_are_refused_before_anything_starts(
    graph: Graph, services: Services, ada: UserRow, tags: list[str]
) -> None:
    key = await upload(graph, services, ada)
    answer = (await graph.ask(START, ada, input={"uploadId": key, "options": {"addTags": tags}}))["startImport"]
    assert answer["import"] is None
    assert [(error["code"], error["field"]) for error in answer["userErrors"]] == [
        ("BAD_USER_INPUT", ["input", "options", "addTags"])
    ]
    assert await services.database.fetchval("SELECT count(*) FROM a2a_tasks") == 0
