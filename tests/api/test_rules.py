"""Rules, as clients see them: made, changed, run by themselves and on demand."""

from typing import Any

import pytest

from db.unit import Database
from db.users import UserRow
from tests.client import Graph, gid, viewer
from tests.make import Maker

CREATE = """
mutation ($input: CreateRuleInput!) {
  createRule(input: $input) { rule { id name position events isEnabled error } userErrors { code field message } }
}
"""
UPDATE = """
mutation ($input: UpdateRuleInput!) {
  updateRule(input: $input) { rule { id name position isEnabled error } userErrors { code field } }
}
"""
RUN = """
mutation ($input: RunRuleInput!) {
  runRule(input: $input) {
    matchedCount changedCount nextCursor sample { title } rule { changedCount error } userErrors { code field }
  }
}
"""
SAVE = """
mutation ($input: CreateBookmarkInput!) {
  createBookmark(input: $input) {
    bookmark {
      id version isFavorite isArchived tags { path } collections { name } category { name }
      suggestions { kind status source reason confidence }
    }
    userErrors { code }
  }
}
"""
DELETE = "mutation ($input: DeleteRuleInput!) { deleteRule(input: $input) { deletedId userErrors { code field } } }"
LISTED = "{ rules { totalCount nodes { name position } } }"


def rule(query: str = "rust", **more: Any) -> dict[str, Any]:
    """Return the input of a rule that marks what it finds, unless `more` says otherwise."""
    return {"name": "Mine", "query": query, "events": ["BOOKMARK_CREATED"], "actions": {"isFavorite": True}} | more


async def made(graph: Graph, who: UserRow, given: dict[str, Any]) -> str:
    """Make a rule and return its id."""
    done = (await graph.ask(CREATE, who, input=given))["createRule"]
    assert done["userErrors"] == []
    return str(done["rule"]["id"])


async def test_a_new_bookmark_is_given_to_the_rules(graph: Graph, ada: UserRow, make: Maker) -> None:
    place = await make.collection(viewer(ada), "Systems")
    actions = {"addTags": ["lang/rust"], "addCollectionIds": [gid(place, "Collection")], "category": "development"}
    await made(graph, ada, rule("title:rust", actions=actions))
    await made(graph, ada, rule("#lang/rust", name="Second", actions={"isFavorite": True, "removeTags": ["todo"]}))
    saved = {"url": "https://example.org/r", "title": "The Rust book", "tags": ["todo"]}
    done = (await graph.ask(SAVE, ada, input=saved))["createBookmark"]["bookmark"]
    reason = {"status": "APPLIED", "source": "RULE", "reason": "Your rule “Mine” says so.", "confidence": 1.0}
    assert sorted(done.pop("suggestions"), key=lambda one: str(one["kind"])) == [
        {"kind": "CATEGORY"} | reason,
        {"kind": "COLLECTION"} | reason,
        {"kind": "TAG"} | reason,
    ]
    del done["id"]
    assert done == {
        "version": 1,
        "isFavorite": True,
        "isArchived": False,
        "tags": [{"path": "lang/rust"}],
        "collections": [{"name": "Systems"}],
        "category": {"name": "Development"},
    }
    other = await graph.ask(SAVE, ada, input={"url": "https://example.org/p", "title": "Python", "tags": ["todo"]})
    assert other["createBookmark"]["bookmark"]["tags"] == [{"path": "todo"}]


async def test_rules_are_ones_own(graph: Graph, ada: UserRow, bob: UserRow, make: Maker, database: Database) -> None:
    key = await made(graph, ada, rule())
    done = await graph.ask(SAVE, bob, input={"url": "https://example.org/r", "title": "Rust"})
    assert done["createBookmark"]["bookmark"]["isFavorite"] is False
    assert (await graph.ask(LISTED, bob))["rules"] == {"totalCount": 0, "nodes": []}
    for document, name, given in (
        (UPDATE, "updateRule", {"id": key, "name": "Stolen"}),
        (RUN, "runRule", {"id": key}),
        (DELETE, "deleteRule", {"id": key}),
    ):
        errors = (await graph.ask(document, bob, input=given))[name]["userErrors"]
        assert [(one["code"], one["field"]) for one in errors] == [("NOT_FOUND", ["input", "id"])]
    place = await make.collection(viewer(ada))
    stolen = await graph.ask(CREATE, bob, input=rule(actions={"addCollectionIds": [gid(place, "Collection")]}))
    assert stolen["createRule"]["userErrors"][0]["code"] == "NOT_FOUND"
    assert await database.fetchval("SELECT array_agg(name) FROM rules") == ["Mine"]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"query": "(rust"}, ["input", "query"]),
        ({"name": " "}, ["input", "name"]),
        ({"actions": {}}, ["input", "actions"]),
        ({"actions": {"addTags": ["a", " / "]}}, ["input", "actions", "addTags", "1"]),
        ({"actions": {"addTags": [str(number) for number in range(21)]}}, ["input", "actions", "addTags"]),
        ({"actions": {"category": "Nonsense"}}, ["input", "actions", "category"]),
        ({"position": -1}, ["input", "position"]),
    ],
)
async def test_what_cannot_be_a_rule_is_refused(
    graph: Graph, ada: UserRow, database: Database, given: dict[str, Any], field: list[str]
) -> None:
    done = (await graph.ask(CREATE, ada, input=rule() | given))["createRule"]
    assert done["rule"] is None
    assert [(one["code"], one["field"]) for one in done["userErrors"]] == [("BAD_USER_INPUT", field)]
    assert await database.fetchval("SELECT count(*) FROM rules") == 0


async def test_rules_keep_their_order(graph: Graph, ada: UserRow) -> None:
    keys = [await made(graph, ada, rule(name=name)) for name in "abc"]
    await made(graph, ada, rule(name="d", position=0))

    async def order() -> list[str]:
        nodes = (await graph.ask(LISTED, ada))["rules"]["nodes"]
        assert [one["position"] for one in nodes] == list(range(len(nodes)))
        return [one["name"] for one in nodes]

    assert await order() == ["d", "a", "b", "c"]
    await graph.ask(UPDATE, ada, input={"id": keys[0], "position": 2})
    assert await order() == ["d", "b", "a", "c"]
    await graph.ask(UPDATE, ada, input={"id": keys[0], "position": 0})
    assert await order() == ["a", "d", "b", "c"]
    await graph.ask(UPDATE, ada, input={"id": keys[0], "position": 99})
    assert await order() == ["d", "b", "c", "a"]


async def test_a_rule_beyond_the_limit_is_refused(graph: Graph, ada: UserRow, database: Database) -> None:
    await database.execute(
        """
        INSERT INTO rules (id, owner_id, name, query, events, actions, position)
        SELECT gen_random_uuid(), $1, 'r', 'x', '{}', '{}', n FROM generate_series(1, 200) AS n
        """,
        ada.id,
    )
    done = (await graph.ask(CREATE, ada, input=rule()))["createRule"]
    assert [one["code"] for one in done["userErrors"]] == ["CONFLICT"]


async def test_a_look_changes_nothing_and_a_run_only_what_is_not_so(
    graph: Graph, ada: UserRow, make: Maker, database: Database
) -> None:
    for title in ("Rust one", "Rust two", "Python"):
        await make.bookmark(viewer(ada), {"title": title})
    await make.trashed(viewer(ada), {"title": "Rust three"})
    key = await made(graph, ada, rule(events=[], actions={"addTags": ["rust"]}))
    look = (await graph.ask(RUN, ada, input={"id": key, "dryRun": True}))["runRule"]
    assert look == {
        "matchedCount": 2,
        "changedCount": 0,
        "nextCursor": None,
        "sample": [{"title": "Rust one"}, {"title": "Rust two"}],
        "rule": {"changedCount": 0, "error": None},
        "userErrors": [],
    }
    assert await database.fetchval("SELECT count(*) FROM bookmark_tags") == 0
    first = (await graph.ask(RUN, ada, input={"id": key}))["runRule"]
    assert (first["changedCount"], first["rule"]["changedCount"]) == (2, 2)
    again = (await graph.ask(RUN, ada, input={"id": key}))["runRule"]
    assert (again["changedCount"], again["rule"]["changedCount"]) == (0, 2)
    versions = await database.fetch("SELECT title, version FROM bookmarks ORDER BY title")
    assert [tuple(row) for row in versions] == [("Python", 1), ("Rust one", 2), ("Rust three", 2), ("Rust two", 2)]
    assert await database.fetchval("SELECT count(*) FROM bookmark_tags") == 2, "the trash is left alone"


async def test_what_was_taken_back_no_rule_does_again(graph: Graph, ada: UserRow) -> None:
    key = await made(graph, ada, rule(actions={"addTags": ["rust"]}))
    saved = (await graph.ask(SAVE, ada, input={"url": "https://example.org/r", "title": "Rust"}))["createBookmark"]
    assert saved["bookmark"]["tags"] == [{"path": "rust"}]
    (row,) = (await graph.ask("{ suggestions { nodes { id tagName } } }", ada))["suggestions"]["nodes"]
    reject = "mutation ($input: RejectSuggestionsInput!) { rejectSuggestions(input: $input) { userErrors { code } } }"
    await graph.ask(reject, ada, input={"ids": [row["id"]]})
    tags = "query ($id: ID!) { bookmark(id: $id) { tags { path } } }"
    assert (await graph.ask(tags, ada, id=saved["bookmark"]["id"]))["bookmark"]["tags"] == []
    assert (await graph.ask(RUN, ada, input={"id": key}))["runRule"]["changedCount"] == 0
    assert (await graph.ask(tags, ada, id=saved["bookmark"]["id"]))["bookmark"]["tags"] == []


async def test_a_rule_whose_collection_is_gone_is_paused_and_the_others_run(
    graph: Graph, ada: UserRow, make: Maker, database: Database
) -> None:
    place = await make.collection(viewer(ada))
    actions = {"addCollectionIds": [gid(place, "Collection")], "isArchived": True}
    broken = await made(graph, ada, rule(name="Broken", actions=actions))
    await made(graph, ada, rule())
    await database.execute("DELETE FROM collections")
    done = (await graph.ask(SAVE, ada, input={"url": "https://example.org/r", "title": "Rust"}))["createBookmark"]
    assert (done["bookmark"]["isFavorite"], done["bookmark"]["isArchived"]) == (True, False)
    errors = await database.fetch("SELECT error FROM rules ORDER BY position")
    assert [row["error"] for row in errors] == ["A collection that this rule puts bookmarks into is gone.", None]
    mended = await graph.ask(UPDATE, ada, input={"id": broken, "actions": {"isArchived": True}})
    assert mended["updateRule"]["rule"]["error"] is None


async def test_a_long_run_goes_step_by_step(graph: Graph, ada: UserRow, database: Database) -> None:
    await database.execute(
        """
        INSERT INTO bookmarks (id, owner_id, url, canonical_url, url_key, url_key_version, domain, title)
        SELECT gen_random_uuid(), $1, u, u, decode(md5(u), 'hex'), 1, 'example.org', 'Rust'
        FROM (SELECT 'https://example.org/x' || n AS u FROM generate_series(1, 2500) AS n) AS made
        """,
        ada.id,
    )
    key = await made(graph, ada, rule(events=[], actions={"addTags": ["rust"], "isFavorite": True}))
    after, steps = None, []
    while True:
        done = (await graph.ask(RUN, ada, input={"id": key, "after": after}))["runRule"]
        steps.append((done["matchedCount"], done["changedCount"]))
        after = done["nextCursor"]
        if after is None:
            break
    assert steps == [(2500, 1000), (None, 1000), (None, 500)]
    assert await database.fetchval("SELECT count(*) FROM bookmark_tags") == 2500
    assert await database.fetchval("SELECT count(*) FROM bookmarks WHERE is_favorite AND version = 2") == 2500
    bad = (await graph.ask(RUN, ada, input={"id": key, "after": "x"}))["runRule"]
    assert [one["code"] for one in bad["userErrors"]] == ["BAD_USER_INPUT"]


async def test_a_rule_whose_tag_cannot_be_made_is_paused_and_the_bookmark_is_saved(
    graph: Graph, ada: UserRow, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await made(graph, ada, rule(name="Greedy", actions={"addTags": ["one", "two"]}))
    await made(graph, ada, rule(actions={"addTags": ["one"], "isFavorite": True}))
    monkeypatch.setattr("services.tags.names.MAX_TAGS", 1)
    done = (await graph.ask(SAVE, ada, input={"url": "https://example.org/r", "title": "Rust"}))["createBookmark"]
    assert done["userErrors"] == []
    assert (done["bookmark"]["isFavorite"], done["bookmark"]["tags"]) == (True, [{"path": "one"}])
    errors = await database.fetch("SELECT error FROM rules ORDER BY position")
    assert [row["error"] for row in errors] == ["An account has at most 1 tags.", None]
