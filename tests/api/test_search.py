"""Search as clients see it."""

from typing import Any

import pytest

from db.bookmarks import BookmarkRow
from db.users import UserRow
from kit.ids import encode_global_id
from services.embedding.meaning import Meaning
from services.permissions import Viewer
from tests.client import Graph
from tests.make import Maker
from tests.meaning import Concepts, embed_all

SEARCH = """
query ($query: String!, $mode: SearchMode, $first: Int, $after: String) {
  search(query: $query, mode: $mode, first: $first, after: $after) {
    nodes { bookmark { id title tags { path } } score snippets { field html } }
    edges { cursor }
    pageInfo { hasNextPage hasPreviousPage endCursor }
    totalCount isTotalCountCapped queryExplanation
    facets { domains { value count } tags { value count } }
  }
}
"""
SUGGEST = """
query ($prefix: String!, $first: Int) { searchSuggestions(prefix: $prefix, first: $first) { kind text query nodeId } }
"""


@pytest.fixture
async def library(make: Maker, ada: UserRow, bob: UserRow) -> list[BookmarkRow]:
    viewer = Viewer(id=ada.id)
    rows = [
        await make.bookmark(
            viewer,
            {
                "url": f"https://{name}.example/",
                "title": f"{name} & plum",
                "tags": [f"fruit/{name}"],
                "notes": "ripe <b>",
            },
        )
        for name in ("apple", "pear", "quince")
    ]
    await make.trashed(viewer, {"title": "plum in the trash"})
    await make.bookmark(Viewer(id=bob.id), {"title": "plum of bob", "tags": ["fruit"]})
    return rows


async def search(graph: Graph, who: UserRow, query: str, **variables: Any) -> Any:
    return (await graph.ask(SEARCH, who, query=query, **variables))["search"]


async def test_results_come_with_everything_about_them(graph: Graph, ada: UserRow, library: list[BookmarkRow]) -> None:
    found = await search(graph, ada, "ripe #fruit quince")
    assert found["nodes"] == [
        {
            "bookmark": {
                "id": encode_global_id("Bookmark", library[2].id),
                "title": "quince & plum",
                "tags": [{"path": "fruit/quince"}],
            },
            "score": found["nodes"][0]["score"],
            "snippets": [
                {"field": "TITLE", "html": "<mark>quince</mark> &amp; plum"},
                {"field": "NOTES", "html": "<mark>ripe</mark> &lt;b&gt;"},
            ],
        }
    ]
    assert 0 < found["nodes"][0]["score"] < 1
    assert (found["totalCount"], found["isTotalCountCapped"]) == (1, False)
    assert found["queryExplanation"] == (
        "Full text: “ripe” and the tag “fruit” or one below it and “quince”."
        " Nothing was searched by meaning: none of your bookmarks is embedded yet."
    )
    assert found["facets"] == {
        "domains": [{"value": "quince.example", "count": 1}],
        "tags": [{"value": "fruit/quince", "count": 1}],
    }


async def test_pages_are_walked_by_cursor(graph: Graph, ada: UserRow, library: list[BookmarkRow]) -> None:
    first = await search(graph, ada, "plum", first=2, mode="FULL_TEXT")
    assert first["totalCount"] == 3
    assert first["pageInfo"]["hasNextPage"] is True
    assert first["pageInfo"]["hasPreviousPage"] is False
    assert first["pageInfo"]["endCursor"] == first["edges"][1]["cursor"]
    second = await search(graph, ada, "plum", first=2, after=first["pageInfo"]["endCursor"])
    assert second["pageInfo"]["hasNextPage"] is False
    assert second["pageInfo"]["hasPreviousPage"] is True
    ids = [node["bookmark"]["id"] for page in (first, second) for node in page["nodes"]]
    assert sorted(ids) == sorted(encode_global_id("Bookmark", row.id) for row in library)
    end = await search(graph, ada, "plum", after=second["pageInfo"]["endCursor"])
    assert (end["nodes"], end["totalCount"]) == ([], 3)


async def test_a_cursor_of_another_query_is_refused(graph: Graph, ada: UserRow, library: list[BookmarkRow]) -> None:
    assert library
    cursor = (await search(graph, ada, "plum"))["pageInfo"]["endCursor"]
    assert await graph.refusal(SEARCH, ada, query="ripe", after=cursor) == ["BAD_USER_INPUT"]
    assert await graph.refusal(SEARCH, ada, query="plum", after=cursor[:-2] + "xx") == ["BAD_USER_INPUT"]
    assert await graph.refusal(SEARCH, ada, query="plum", after="made up") == ["BAD_USER_INPUT"]


async def test_a_fault_in_the_query_is_told_with_its_position(graph: Graph, ada: UserRow) -> None:
    body = await graph.run(SEARCH, ada, query="plum is:unred")
    (error,) = body["errors"]
    assert error["message"] == (
        "At character 9 of the query: expected one of favorite, archived, unread, tagged, untagged, dead,"
        " broken, duplicate behind `is:`. Did you mean `is:unread`?"
    )
    assert error["extensions"] == {
        "code": "BAD_USER_INPUT",
        "field": ["query"],
        "position": 8,
        "requestId": "test",
    }


@pytest.mark.parametrize(
    "variables",
    [{"query": ""}, {"query": "a", "first": 0}, {"query": "a", "first": 101}, {"query": "a", "mode": "NEAR"}],
)
async def test_what_cannot_be_asked_is_refused(graph: Graph, ada: UserRow, variables: dict[str, Any]) -> None:
    assert await graph.refusal(SEARCH, ada, **variables) == ["BAD_USER_INPUT"]


async def test_search_is_for_those_who_are_signed_in(graph: Graph) -> None:
    assert await graph.refusal(SEARCH, query="plum") == ["UNAUTHENTICATED"]
    assert await graph.refusal(SUGGEST, prefix="pl") == ["UNAUTHENTICATED"]


async def test_nobody_finds_what_is_somebody_elses(graph: Graph, bob: UserRow, library: list[BookmarkRow]) -> None:
    assert library
    found = await search(graph, bob, "plum OR #fruit")
    assert [node["bookmark"]["title"] for node in found["nodes"]] == ["plum of bob"]
    assert found["facets"]["tags"] == [{"value": "fruit", "count": 1}]


async def test_suggestions_say_what_to_search_for(graph: Graph, ada: UserRow, library: list[BookmarkRow]) -> None:
    found = (await graph.ask(SUGGEST, ada, prefix="qui"))["searchSuggestions"]
    title = encode_global_id("Bookmark", library[2].id)
    assert found == [
        {"kind": "DOMAIN", "text": "quince.example", "query": "domain:quince.example", "nodeId": None},
        {"kind": "TITLE", "text": "quince & plum", "query": 'title:"quince plum"', "nodeId": title},
    ]
    tag = (await graph.ask(SUGGEST, ada, prefix="Fruit/a", first=1))["searchSuggestions"][0]
    assert (tag["kind"], tag["text"], tag["query"]) == ("TAG", "fruit/apple", "#fruit/apple")
    node = await graph.ask("query ($id: ID!) { node(id: $id) { ... on Tag { path } } }", ada, id=tag["nodeId"])
    assert node == {"node": {"path": "fruit/apple"}}
    assert await graph.refusal(SUGGEST, ada, prefix="a", first=21) == ["BAD_USER_INPUT"]


async def test_snippets_of_a_page_are_one_statement(
    graph: Graph, ada: UserRow, library: list[BookmarkRow], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert library
    seen: list[str] = []
    plain = type(graph.services.database).fetch

    async def counted(self: Any, sql: str, *arguments: Any) -> Any:
        seen.append(sql)
        return await plain(self, sql, *arguments)

    monkeypatch.setattr(type(graph.services.database), "fetch", counted)
    await graph.ask('{ search(query: "plum") { nodes { snippets { html } } } }', ada)
    assert sum("ts_headline" in sql for sql in seen) == 1
    assert len(seen) <= 3


async def test_search_by_meaning_and_similar_bookmarks(graph: Graph, ada: UserRow, bob: UserRow, make: Maker) -> None:
    provider = Concepts()
    graph.services.meaning = Meaning(lambda: [provider], timeout_seconds=5)
    viewer = Viewer(id=ada.id)
    rows = [await make.bookmark(viewer, {"title": title}) for title in ("sourdough", "bread loaf", "baking bike")]
    await make.bookmark(Viewer(id=bob.id), {"title": "sourdough"})
    for owner in (viewer, Viewer(id=bob.id)):
        await embed_all(graph.services.database, owner, provider)
    found = await search(graph, ada, "sourdough", mode="VECTOR")
    assert [node["bookmark"]["title"] for node in found["nodes"]] == ["bread loaf", "sourdough", "baking bike"]
    assert found["totalCount"] == 3
    assert found["queryExplanation"] == "By meaning: at most 100 bookmarks about “sourdough”."
    assert found["facets"]["domains"] == [{"value": "example.org", "count": 3}]
    first = await search(graph, ada, "sourdough", first=2)
    assert [node["bookmark"]["title"] for node in first["nodes"]] == ["sourdough", "bread loaf"]
    assert (first["totalCount"], first["pageInfo"]["hasNextPage"]) == (3, True)
    rest = await search(graph, ada, "sourdough", first=2, after=first["pageInfo"]["endCursor"])
    assert [node["bookmark"]["title"] for node in rest["nodes"]] == ["baking bike"]
    refused = await graph.refusal(SEARCH, ada, query="sourdough", mode="VECTOR", after=first["pageInfo"]["endCursor"])
    assert refused == ["BAD_USER_INPUT"]

    similar = (
        "query ($id: ID!, $first: Int) { bookmark(id: $id) { similar(first: $first) { bookmark { title } score } } }"
    )
    key = encode_global_id("Bookmark", rows[2].id)
    alike = (await graph.ask(similar, ada, id=key))["bookmark"]["similar"]
    assert sorted(one["bookmark"]["title"] for one in alike) == ["bread loaf", "sourdough"]
    assert [one["score"] for one in alike] == pytest.approx([0.5**0.5] * 2, abs=2e-3)
    assert len((await graph.ask(similar, ada, id=key, first=1))["bookmark"]["similar"]) == 1
    for wrong in (0, 51):
        assert await graph.refusal(similar, ada, id=key, first=wrong) == ["BAD_USER_INPUT"]
    assert (await graph.ask(similar, bob, id=key))["bookmark"] is None
    assert await graph.refusal(SEARCH, bob, query=f"similar:{key}") == ["BAD_USER_INPUT"]


async def test_similar_bookmarks_of_a_page_are_asked_for_together(
    graph: Graph, ada: UserRow, make: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer = Viewer(id=ada.id)
    for title in ("bread", "loaf", "bread bike", "star"):
        await make.bookmark(viewer, {"title": title})
    await embed_all(graph.services.database, viewer, Concepts())
    seen: list[str] = []
    plain = type(graph.services.database).fetch

    async def counted(self: Any, sql: str, *arguments: Any) -> Any:
        seen.append(sql)
        return await plain(self, sql, *arguments)

    monkeypatch.setattr(type(graph.services.database), "fetch", counted)
    found = await graph.ask("{ bookmarks { nodes { title similar { bookmark { title } } } } }", ada)
    alike = {
        node["title"]: sorted(one["bookmark"]["title"] for one in node["similar"])
        for node in found["bookmarks"]["nodes"]
    }
    assert alike == {
        "bread": ["bread bike", "loaf"],
        "loaf": ["bread", "bread bike"],
        "bread bike": ["bread", "loaf"],
        "star": [],
    }
    assert sum("<=>" in sql for sql in seen) == 1
    assert len(seen) <= 3


async def test_the_server_says_what_gives_meaning(graph: Graph) -> None:
    found = await graph.ask("{ serverInfo { capabilities { name isAvailable detail } } }")
    (one,) = (item for item in found["serverInfo"]["capabilities"] if item["name"] == "vector_search")
    assert one["isAvailable"] is True
    assert "in this process" in one["detail"]
