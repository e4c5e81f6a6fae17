"""Categories, proposals and decisions about them, as clients see them."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from db.categorization.suggestions import ProposalKind, ProposalSource, SuggestionDraft, SuggestionRow, propose
from db.unit import Database
from db.users import UserRow
from kit.ids import new_id
from services.categorization.normal import normal
from tests.client import Graph, gid, viewer
from tests.make import Maker

ACCEPT = """
mutation ($input: AcceptSuggestionsInput!) {
  acceptSuggestions(input: $input) {
    suggestions { id status tag { path } } remainingCount userErrors { code field message }
  }
}
"""
REJECT = """
mutation ($input: RejectSuggestionsInput!) {
  rejectSuggestions(input: $input) { suggestions { id status } userErrors { code field } }
}
"""
SORTED = "query ($id: ID!) { bookmark(id: $id) { version tags { path } collections { id } category { name } } }"


async def tag_proposal(
    database: Database,
    owner: UserRow,
    bookmark_id: UUID,
    name: str,
    confidence: float = 0.5,
    *,
    tag_id: UUID | None = None,
) -> SuggestionRow:
    """Store the proposal of a tag."""
    draft = SuggestionDraft(
        id=new_id(),
        bookmark_id=bookmark_id,
        kind=ProposalKind.TAG,
        key=normal(name),
        name=name,
        tag_id=tag_id,
        confidence=confidence,
        reason="Two similar bookmarks bear it.",
        source=ProposalSource.NEIGHBOURS,
    )
    async with database.unit() as unit:
        (row,) = await propose(unit, owner.id, [draft])
    return row


async def events_of(database: Database, owner: UserRow) -> list[dict[str, Any]]:
    return [
        row["payload"]
        for row in await database.fetch("SELECT payload FROM events WHERE owner_id = $1 ORDER BY seq", owner.id)
    ]


async def test_categories_are_there_when_somebody_looks(graph: Graph, ada: UserRow, bob: UserRow) -> None:
    ask = "{ categories { id name color position } }"
    first = (await graph.ask(ask, ada))["categories"]
    assert [one["name"] for one in first][:3] == ["Technology", "Development", "AI/ML"]
    assert len(first) == 23
    assert (await graph.ask(ask, ada))["categories"] == first
    others = (await graph.ask(ask, bob))["categories"]
    assert not {one["id"] for one in others} & {one["id"] for one in first}
    assert (await graph.ask("query ($id: ID!) { node(id: $id) { id } }", bob, id=first[0]["id"]))["node"] is None


async def test_settings_are_ones_own(graph: Graph, ada: UserRow, bob: UserRow) -> None:
    ask = "{ viewer { agentSettings { autoApplyAbove proposeNewTags askProvider recheckLinks } } }"
    change = """
    mutation ($input: UpdateAgentSettingsInput!) {
      updateAgentSettings(input: $input) { agentSettings { autoApplyAbove proposeNewTags } userErrors { code field } }
    }
    """
    default = {"autoApplyAbove": None, "proposeNewTags": True, "askProvider": True, "recheckLinks": True}
    assert (await graph.ask(ask, ada))["viewer"]["agentSettings"] == default
    done = await graph.ask(change, ada, input={"autoApplyAbove": 0.75, "proposeNewTags": False})
    assert done["updateAgentSettings"] == {
        "agentSettings": {"autoApplyAbove": 0.75, "proposeNewTags": False},
        "userErrors": [],
    }
    assert (await graph.ask(ask, ada))["viewer"]["agentSettings"]["autoApplyAbove"] == 0.75
    assert (await graph.ask(ask, bob))["viewer"]["agentSettings"] == default
    refused = await graph.ask(change, ada, input={"autoApplyAbove": 1.5})
    assert refused["updateAgentSettings"]["userErrors"] == [
        {"code": "BAD_USER_INPUT", "field": ["input", "autoApplyAbove"]}
    ]
    await graph.ask(change, ada, input={"autoApplyAbove": None})
    assert (await graph.ask(ask, ada))["viewer"]["agentSettings"] == default | {"proposeNewTags": False}


async def test_accepting_makes_the_tag_and_tells(graph: Graph, ada: UserRow, make: Maker, database: Database) -> None:
    saved = await make.bookmark(viewer(ada), {"tags": ["old"]})
    row = await tag_proposal(database, ada, saved.id, "dev/python")
    before = len(await events_of(database, ada))
    done = (await graph.ask(ACCEPT, ada, input={"ids": [gid(row, "Suggestion")]}))["acceptSuggestions"]
    assert done == {
        "suggestions": [{"id": gid(row, "Suggestion"), "status": "ACCEPTED", "tag": {"path": "dev/python"}}],
        "remainingCount": 0,
        "userErrors": [],
    }
    now = (await graph.ask(SORTED, ada, id=gid(saved)))["bookmark"]
    assert now["tags"] == [{"path": "dev/python"}, {"path": "old"}]
    assert now["version"] == saved.version + 1
    assert (await events_of(database, ada))[before:] == [{"change": "UPDATED", "ids": [str(saved.id)]}]
    again = (await graph.ask(ACCEPT, ada, input={"ids": [gid(row, "Suggestion")]}))["acceptSuggestions"]
    assert again == done
    assert (await graph.ask(SORTED, ada, id=gid(saved)))["bookmark"] == now
    assert len(await events_of(database, ada)) == before + 1


async def test_somebody_else_is_told_that_there_is_nothing(
    graph: Graph, ada: UserRow, bob: UserRow, make: Maker, database: Database
) -> None:
    saved = await make.bookmark(viewer(ada))
    row = await tag_proposal(database, ada, saved.id, "python")
    key = gid(row, "Suggestion")
    for document, name in ((ACCEPT, "acceptSuggestions"), (REJECT, "rejectSuggestions")):
        done = (await graph.ask(document, bob, input={"ids": [key]}))[name]
        assert done["suggestions"] == []
        assert [(one["code"], one["field"]) for one in done["userErrors"]] == [("NOT_FOUND", ["input", "ids", "0"])]
    listed = "query ($f: SuggestionFilter) { suggestions(filter: $f) { totalCount nodes { id } } }"
    assert (await graph.ask(listed, bob))["suggestions"] == {"totalCount": 0, "nodes": []}
    assert (await graph.ask(listed, bob, f={"bookmarkId": gid(saved)}))["suggestions"]["totalCount"] == 0
    assert (await graph.ask("query ($id: ID!) { node(id: $id) { id } }", bob, id=key))["node"] is None
    status = await database.fetchval("SELECT status FROM suggestions WHERE id = $1", row.id)
    assert status == "PENDING"
    assert await database.fetchval("SELECT count(*) FROM tags") == 0


async def test_some_are_accepted_though_others_cannot_be(
    graph: Graph, ada: UserRow, make: Maker, database: Database
) -> None:
    full = await make.bookmark(viewer(ada), {"tags": [f"t{number}" for number in range(100)]})
    roomy, gone = await make.bookmark(viewer(ada)), await make.trashed(viewer(ada))
    rows = [await tag_proposal(database, ada, one.id, "new") for one in (full, roomy, gone)]
    done = (await graph.ask(ACCEPT, ada, input={"ids": [gid(row, "Suggestion") for row in rows]}))["acceptSuggestions"]
    assert [one["id"] for one in done["suggestions"]] == [gid(rows[1], "Suggestion")]
    assert [(one["code"], one["field"][-1], one["message"]) for one in done["userErrors"]] == [
        ("CONFLICT", "0", "A bookmark has at most 100 tags."),
        ("CONFLICT", "2", "Its bookmark lies in the trash; restore it first."),
    ]
    states = await database.fetch("SELECT status FROM suggestions ORDER BY id")
    assert [row["status"] for row in states] == ["PENDING", "ACCEPTED", "PENDING"]


async def test_two_at_once_make_one_tag(graph: Graph, ada: UserRow, make: Maker, database: Database) -> None:
    saved = [await make.bookmark(viewer(ada)) for _ in range(2)]
    rows = [await tag_proposal(database, ada, one.id, "fresh") for one in saved]
    same = await asyncio.gather(
        *(graph.ask(ACCEPT, ada, input={"ids": [gid(row, "Suggestion")]}) for row in (*rows, *rows))
    )
    assert [one["acceptSuggestions"]["userErrors"] for one in same] == [[]] * 4
    assert await database.fetchval("SELECT count(*) FROM tags") == 1
    assert await database.fetchval("SELECT count(*) FROM bookmark_tags") == 2
    versions = await database.fetch("SELECT version FROM bookmarks")
    assert [row["version"] for row in versions] == [2, 2]


async def test_what_was_rejected_stays_so(graph: Graph, ada: UserRow, make: Maker, database: Database) -> None:
    saved = await make.bookmark(viewer(ada))
    row = await tag_proposal(database, ada, saved.id, "python", 0.4)
    done = (await graph.ask(REJECT, ada, input={"ids": [gid(row, "Suggestion")]}))["rejectSuggestions"]
    assert done["suggestions"] == [{"id": gid(row, "Suggestion"), "status": "REJECTED"}]
    async with database.unit() as unit:
        draft = SuggestionDraft(
            id=new_id(),
            bookmark_id=saved.id,
            kind=ProposalKind.TAG,
            key="python",
            name="python",
            confidence=1.0,
            reason="Again.",
            source=ProposalSource.PROVIDER,
        )
        assert await propose(unit, ada.id, [draft]) == []
    kept = await database.fetchrow("SELECT status, confidence FROM suggestions")
    assert kept is not None
    assert dict(kept) == {"status": "REJECTED", "confidence": 0.4}
    assert (await graph.ask(SORTED, ada, id=gid(saved)))["bookmark"]["tags"] == []


async def test_what_was_accepted_cannot_be_rejected(
    graph: Graph, ada: UserRow, make: Maker, database: Database
) -> None:
    saved = await make.bookmark(viewer(ada))
    row = await tag_proposal(database, ada, saved.id, "python")
    await graph.ask(ACCEPT, ada, input={"ids": [gid(row, "Suggestion")]})
    done = (await graph.ask(REJECT, ada, input={"ids": [gid(row, "Suggestion")]}))["rejectSuggestions"]
    assert done == {"suggestions": [], "userErrors": [{"code": "CONFLICT", "field": ["input", "ids", "0"]}]}
    assert (await graph.ask(SORTED, ada, id=gid(saved)))["bookmark"]["tags"] == [{"path": "python"}]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, ["input", "ids"]),
        ({"ids": [], "above": 0.5}, ["input", "ids"]),
        ({"ids": []}, ["input", "ids"]),
        ({"above": 1.5}, ["input", "above"]),
        ({"above": 0.5, "filter": {"status": "REJECTED"}}, ["input", "filter", "status"]),
        ({"ids": ["x"], "filter": {}}, ["input", "filter"]),
    ],
)
async def test_what_cannot_be_meant_is_refused(
    graph: Graph, ada: UserRow, given: dict[str, Any], field: list[str]
) -> None:
    done = (await graph.ask(ACCEPT, ada, input=given))["acceptSuggestions"]
    assert done["suggestions"] is None
    assert [(one["code"], one["field"]) for one in done["userErrors"]] == [("BAD_USER_INPUT", field)]


async def test_ten_thousand_are_accepted_in_steps(graph: Graph, ada: UserRow, make: Maker, database: Database) -> None:
    saved = await make.bookmark(viewer(ada))
    await database.execute(
        """
        INSERT INTO bookmarks (id, owner_id, url, canonical_url, url_key, url_key_version, domain)
        SELECT gen_random_uuid(), $1, u, u, decode(md5(u), 'hex'), 1, 'example.org'
        FROM (SELECT 'https://example.org/x' || n AS u FROM generate_series(1, 5000) AS n) AS made
        """,
        ada.id,
    )
    await database.execute(
        """
        INSERT INTO suggestions (id, owner_id, bookmark_id, kind, key, name, confidence, reason, source)
        SELECT gen_random_uuid(), $1, b.id, 'TAG', name, name, 0.5 + (row_number() OVER ()) / 40000.0, 'Because.',
            'NEIGHBOURS' FROM bookmarks b, unnest(ARRAY['one', 'two']) AS name WHERE b.id <> $2
        """,
        ada.id,
        saved.id,
    )
    low = await tag_proposal(database, ada, saved.id, "low", 0.4)
    left, steps = 1, 0
    while left:
        done = (await graph.ask(ACCEPT, ada, input={"above": 0.5}))["acceptSuggestions"]
        assert done["userErrors"] == []
        assert len(done["suggestions"]) == 1_000
        assert done["remainingCount"] == 10_000 - 1_000 * (steps + 1)
        left, steps = done["remainingCount"], steps + 1
    assert steps == 10
    assert await database.fetchval("SELECT count(*) FROM bookmark_tags") == 10_000
    assert await database.fetchval("SELECT count(*) FROM tags") == 2
    assert await database.fetchval("SELECT status FROM suggestions WHERE id = $1", low.id) == "PENDING"
    assert (await graph.ask(ACCEPT, ada, input={"above": 0.5}))["acceptSuggestions"]["suggestions"] == []


async def test_a_page_goes_from_the_surest_down(graph: Graph, ada: UserRow, make: Maker, database: Database) -> None:
    saved = await make.bookmark(viewer(ada))
    for number in range(5):
        await tag_proposal(database, ada, saved.id, f"t{number}", number / 10)
    ask = """
    query ($after: String) { suggestions(first: 2, after: $after, filter: {status: PENDING, minConfidence: 0.1}) {
        totalCount pageInfo { hasNextPage endCursor } nodes { tagName confidence bookmark { id } tag { id } } } }
    """
    first = (await graph.ask(ask, ada))["suggestions"]
    assert first["totalCount"] == 4
    assert [one["tagName"] for one in first["nodes"]] == ["t4", "t3"]
    assert first["nodes"][0] == {"tagName": "t4", "confidence": 0.4, "bookmark": {"id": gid(saved)}, "tag": None}
    second = (await graph.ask(ask, ada, after=first["pageInfo"]["endCursor"]))["suggestions"]
    assert [one["tagName"] for one in second["nodes"]] == ["t2", "t1"]
    assert second["pageInfo"]["hasNextPage"] is False
    shown = await graph.ask("query ($id: ID!) { bookmark(id: $id) { suggestions { tagName } } }", ada, id=gid(saved))
    assert [one["tagName"] for one in shown["bookmark"]["suggestions"]] == ["t4", "t3", "t2", "t1", "t0"]


async def test_a_person_sets_the_category_by_name(graph: Graph, ada: UserRow, bob: UserRow, make: Maker) -> None:
    saved = await make.bookmark(viewer(ada))
    change = """
    mutation ($input: UpdateBookmarkInput!) {
      updateBookmark(input: $input) { bookmark { version category { name } } userErrors { code field } }
    }
    """

    async def set_to(name: str | None, who: UserRow = ada) -> Any:
        return (await graph.ask(change, who, input={"id": gid(saved), "category": name}))["updateBookmark"]

    assert await set_to("ai/ml") == {"bookmark": {"version": 2, "category": {"name": "AI/ML"}}, "userErrors": []}
    assert (await set_to("AI/ML"))["bookmark"]["version"] == 2
    refused = [{"code": "BAD_USER_INPUT", "field": ["input", "category"]}]
    assert await set_to("Nonsense") == {"bookmark": None, "userErrors": refused}
    assert (await set_to("Food", bob))["userErrors"] == [{"code": "NOT_FOUND", "field": ["input", "id"]}]
    assert await set_to(None) == {"bookmark": {"version": 3, "category": None}, "userErrors": []}
