"""A library that is organised: by one person in order, and by many hands at once."""

import asyncio
import random
from typing import Any

import pytest

from db.unit import Database
from db.users import UserRow
from resolvers.context import Services
from tests.client import Graph
from tests.instep import OUT_OF_STEP
from tests.make import Maker

ERRORS = "userErrors { code message field }"
SAVE = f"mutation ($input: CreateBookmarkInput!) {{ createBookmark(input: $input) {{ bookmark {{ id }} {ERRORS} }} }}"
EDIT = f"mutation ($input: UpdateBookmarkInput!) {{ updateBookmark(input: $input) {{ bookmark {{ id }} {ERRORS} }} }}"
DROP = f"mutation ($input: DeleteBookmarksInput!) {{ deleteBookmarks(input: $input) {{ deletedIds {ERRORS} }} }}"
BACK = f"mutation ($input: RestoreBookmarksInput!) {{ restoreBookmarks(input: $input) {{ {ERRORS} }} }}"
PLACE = f"""mutation ($input: CreateCollectionInput!) {{
  createCollection(input: $input) {{ collection {{ id }} {ERRORS} }} }}"""
MOVE = f"mutation ($input: MoveCollectionInput!) {{ moveCollection(input: $input) {{ collection {{ id }} {ERRORS} }} }}"
CLOSE = f"mutation ($input: DeleteCollectionInput!) {{ deleteCollection(input: $input) {{ deletedIds {ERRORS} }} }}"
PUT = f"mutation ($input: AddToCollectionInput!) {{ addToCollection(input: $input) {{ changedBookmarkIds {ERRORS} }} }}"
LABEL = f"mutation ($input: UpdateTagInput!) {{ updateTag(input: $input) {{ tag {{ id }} {ERRORS} }} }}"
JOIN = f"mutation ($input: MergeTagsInput!) {{ mergeTags(input: $input) {{ tag {{ id }} {ERRORS} }} }}"
UNLABEL = f"mutation ($input: DeleteTagsInput!) {{ deleteTags(input: $input) {{ deletedIds {ERRORS} }} }}"
EVERYTHING = """
{ bookmarks(first: 100) { nodes { id } } collections(first: 100) { nodes { id } } tags(first: 100) { nodes { id } } }
"""
NAMES = ("a", "a/b", "a/b/c", "b", "c/a", "C/b", "d", "a/d")
ALLOWED = {"NOT_FOUND", "CONFLICT", "BAD_USER_INPUT"}


@pytest.fixture
def graph(services: Services) -> Graph:
    """The schema, to be asked as anybody."""
    return Graph(services)


async def act(graph: Graph, who: UserRow, document: str, **given: Any) -> Any:
    """Run a mutation that must not be refused; return its payload."""
    (payload,) = (await graph.ask(document, who, input=given)).values()
    assert payload["userErrors"] == []
    return payload


async def test_a_library_grows_is_tidied_and_is_brought_back(graph: Graph, make: Maker) -> None:
    ada = await make.user("ada@example.org")
    work = (await act(graph, ada, PLACE, name="Work"))["collection"]["id"]
    papers = (await act(graph, ada, PLACE, name="Papers", parentId=work))["collection"]["id"]
    saved = [
        (
            await act(
                graph, ada, SAVE, url=f"https://example.org/{n}", title=f"Page {n}", tags=["read/later", f"n{n % 2}"]
            )
        )
        for n in range(4)
    ]
    ids = [one["bookmark"]["id"] for one in saved]
    await act(graph, ada, PUT, collectionId=papers, bookmarkIds=ids[:3])
    await act(graph, ada, DROP, ids=ids[:1])
    tags = {tag["path"]: tag["id"] for tag in (await graph.ask("{ tags { nodes { path id } } }", ada))["tags"]["nodes"]}
    await act(graph, ada, JOIN, sourceIds=[tags["n0"]], targetId=tags["n1"])
    await act(graph, ada, LABEL, id=tags["read"], name="Reading")
    await act(graph, ada, CLOSE, id=work)
    await act(graph, ada, BACK, ids=ids[:1])
    again = await act(graph, ada, SAVE, url="http://EXAMPLE.org/3/", tags=["n0", "reading/now"], onDuplicate="MERGE")
    assert again["bookmark"]["id"] == ids[3]
    document = """
    { collections { nodes { name parent { name } bookmarkCount } }
      bookmarks(orderBy: {field: TITLE}) { nodes { title tags { path } collections { name } } } }
    """
    assert await graph.ask(document, ada) == {
        "collections": {"nodes": [{"name": "Papers", "parent": None, "bookmarkCount": 3}]},
        "bookmarks": {
            "nodes": [
                {
                    "title": f"Page {n}",
                    "tags": [{"path": path} for path in ["n1", "Reading/later", *(["Reading/now"] if n == 3 else [])]],
                    "collections": [{"name": "Papers"}] if n < 3 else [],
                }
                for n in range(4)
            ]
        },
    }


@pytest.mark.parametrize("round_", range(3))
async def test_many_hands_at_once_leave_a_whole_library(
    graph: Graph, make: Maker, database: Database, round_: int
) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}, round {round_}")  # noqa: T201  shown when the test fails, to repeat it
    ada = await make.user("ada@example.org")
    for name in ("x", "y", "z"):
        await act(graph, ada, PLACE, name=name)
    codes = await asyncio.gather(*(_hand(graph, ada, random.Random(seed + n), 25) for n in range(6)))
    assert set().union(*codes) <= ALLOWED
    await _assert_whole(database)


async def _hand(graph: Graph, who: UserRow, dice: random.Random, steps: int) -> set[str]:
    """Do random things to the library; return the codes of all refusals."""
    codes: set[str] = set()
    for _ in range(steps):
        there = {
            name: [node["id"] for node in page["nodes"]] for name, page in (await graph.ask(EVERYTHING, who)).items()
        }
        document, given = _step(dice, there)
        (payload,) = (await graph.ask(document, who, input=given)).values()
        codes |= {error["code"] for error in payload["userErrors"]}
    return codes


def _step(dice: random.Random, there: dict[str, list[str]]) -> tuple[str, dict[str, Any]]:
    def some(kind: str) -> list[str]:
        return dice.sample(there[kind], k=min(len(there[kind]), dice.randint(1, 3)))

    def names() -> list[str]:
        return dice.sample(NAMES, k=dice.randint(0, 3))

    save = (
        SAVE,
        {
            "url": f"https://example.org/{dice.randint(1, 8)}",
            "tags": names(),
            "collectionIds": some("collections"),
            "onDuplicate": dice.choice(["RETURN_EXISTING", "MERGE", "UPDATE", "ERROR"]),
        },
    )
    choices: list[tuple[str, dict[str, Any]]] = [save, save]
    if there["bookmarks"]:
        one = dice.choice(there["bookmarks"])
        choices += [
            (EDIT, {"id": one, "tags": names(), "title": str(dice.random()), "collectionIds": some("collections")}),
            (EDIT, {"id": one, "url": f"https://example.org/{dice.randint(1, 8)}"}),
            (DROP, {"ids": some("bookmarks"), "permanently": dice.random() < 0.3}),
            (BACK, {"ids": some("bookmarks")}),
        ]
    if there["collections"]:
        place, other = dice.choice(there["collections"]), dice.choice(there["collections"])
        choices += [
            (MOVE, {"id": place, "parentId": dice.choice([other, None]), "position": dice.randint(0, 3)}),
            (PLACE, {"name": dice.choice("xyz"), "parentId": place}),
            (CLOSE, {"id": place, "children": dice.choice(["MOVE_UP", "DELETE"])}),
        ]
        if there["bookmarks"]:
            choices.append((PUT, {"collectionId": place, "bookmarkIds": some("bookmarks")}))
    if there["tags"]:
        tag, target = dice.choice(there["tags"]), dice.choice(there["tags"])
        choices += [
            (LABEL, {"id": tag, "name": dice.choice("abcdE"), "parentId": dice.choice([target, None])}),
            (JOIN, {"sourceIds": some("tags"), "targetId": target}),
            (UNLABEL, {"ids": some("tags"), "includeDescendants": dice.random() < 0.5}),
        ]
    return dice.choice(choices)


async def _assert_whole(database: Database) -> None:
    """Whatever happened, these are true."""
    broken = {
        "words and lists in step with tags": OUT_OF_STEP,
        "a path is the parent's and the name": """
            SELECT t.id FROM tags t LEFT JOIN tags up ON up.id = t.parent_id
            WHERE t.path <> concat_ws('/', up.path, t.name) OR t.path_key <> concat_ws('/', up.path_key, lower(t.name))
        """,
        "no alias is a tag": """
            SELECT alias FROM tag_aliases a JOIN tags t ON t.owner_id = a.owner_id AND t.path_key = a.alias_key
        """,
        "every collection hangs on a root": """
            WITH RECURSIVE below AS (SELECT id FROM collections WHERE parent_id IS NULL
                UNION ALL SELECT c.id FROM collections c JOIN below ON c.parent_id = below.id)
            SELECT id FROM collections WHERE id NOT IN (SELECT id FROM below)
        """,
        "events are numbered without a gap": """
            SELECT owner_id FROM events GROUP BY owner_id HAVING max(seq) <> count(*) OR min(seq) <> 1
        """,
    }
    for what, sql in broken.items():
        assert await database.fetch(sql) == [], what
