"""Search against a real database: what is found, in which order, cut into pages, with marks and numbers."""

from collections.abc import Iterator, Sequence
from typing import Any

import orjson
import pytest

from db.search import queries
from db.search.conditions import Compiled
from db.search.queries import SearchFacetRow, SearchHitRow
from db.search.suggestions import SuggestionKind
from db.unit import Database
from kit.errors import BadInput
from kit.paging import PageRequest
from services import tags
from services.permissions import Viewer
from services.search import find
from services.search.find import SearchMode, Snippet, SnippetField, Suggestion
from services.search.meaning import condition_of
from services.search.parser import parse
from tests.make import Maker


async def results(database: Database, viewer: Viewer, text: str, *, first: int = 100) -> list[SearchHitRow]:
    query = await find.understand(database, viewer, text, SearchMode.HYBRID)
    request = PageRequest(limit=first, backward=False, position=None)
    return (await find.page(database, viewer, query, request)).hits


async def titles(database: Database, viewer: Viewer, text: str) -> list[str]:
    return sorted(hit.bookmark.title for hit in await results(database, viewer, text))


@pytest.fixture
async def shelf(make: Maker) -> Viewer:
    viewer = await make.viewer()
    await make.bookmark(
        viewer, {"url": "https://www.node.example/docs", "title": "Learn Node.js today", "tags": ["dev/js"]}
    )
    await make.bookmark(
        viewer, {"url": "https://a.example/running", "title": "Running shoes", "description": "For runners."}
    )
    await make.bookmark(
        viewer, {"url": "https://b.example/1", "title": "“Memory” safety – a guide", "tags": ["dev", "To read"]}
    )
    await make.bookmark(
        viewer,
        {"url": "https://docs.b.example/2", "title": "The Who", "notes": "A guide to the band.", "is_unread": True},
    )
    await make.bookmark(viewer, {"url": "https://c.example/3", "title": "日本語、テスト", "is_favorite": True})
    await make.bookmark(viewer, {"url": "https://d.example/caf%C3%A9", "title": "STRASSE Ärger", "is_archived": True})
    return viewer


NODE, SHOES, MEMORY, WHO = "Learn Node.js today", "Running shoes", "“Memory” safety – a guide", "The Who"
TEST, STREET = "日本語、テスト", "STRASSE Ärger"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("node", [NODE]),
        ("NODE.JS", [NODE]),
        ("js", [NODE]),
        ("run", [SHOES]),
        ("runs", [SHOES]),
        ('"runs"', []),
        ('"running"', [SHOES]),
        ("memory", [MEMORY]),
        ('"memory safety"', [MEMORY]),
        ('"safety memory"', []),
        ("guide", [WHO, MEMORY]),
        ("guide memory", [MEMORY]),
        ("guide -memory", [WHO]),
        ("-guide", [NODE, SHOES, STREET, TEST]),
        ("shoes OR who", [SHOES, WHO]),
        ("(shoes OR guide) -is:unread", [SHOES, MEMORY]),
        ('"the who"', [WHO]),
        ("the", [WHO]),
        ("テスト", [TEST]),
        ("ärger", [STREET]),
        ("gui*", [WHO, MEMORY]),
        ("gui", []),
        ("café", [STREET]),
        ("title:guide", [MEMORY]),
        ("title:band", []),
        ("title:dev", []),
        ("title:“node js”", [NODE]),
        ("url:b.example", [WHO, MEMORY]),
        ("url:docs", [NODE, WHO]),
        ("url:do*", [NODE, WHO]),
        ("url:memory", []),
        ("https://www.node.example/docs", [NODE]),
        ("node.example", [NODE]),
        ("domain:b.example", [WHO, MEMORY]),
        ("domain:docs.b.example", [WHO]),
        ("domain:example", [NODE, SHOES, STREET, WHO, TEST, MEMORY]),
        ("domain:xample", []),
        ("domain:doc*", [WHO]),
        ("#dev", [NODE, MEMORY]),
        ("#dev/js", [NODE]),
        ("#DEV/JS", [NODE]),
        ("#de", []),
        ("#de*", [NODE, MEMORY]),
        ("#dev/*", [NODE]),
        ('#"to read"', [MEMORY]),
        ("#nothing", []),
        ("-#dev guide", [WHO]),
        ("#dev OR is:favorite", [NODE, TEST, MEMORY]),
        ("read", [MEMORY]),
        ("is:favorite", [TEST]),
        ("is:archived", [STREET]),
        ("is:unread", [WHO]),
        ("is:tagged", [NODE, MEMORY]),
        ("is:untagged is:favorite", [TEST]),
        ("NOT (is:tagged OR guide)", [SHOES, STREET, TEST]),
        ("o'reilly", []),
        (r"a\'b :* & | ! <->", []),
        ("node:*", [NODE]),
        ("“” '' ; DROP TABLE bookmarks", []),
    ],
)
async def test_what_a_query_finds(database: Database, shelf: Viewer, text: str, found: list[str]) -> None:
    assert await titles(database, shelf, text) == sorted(found)


async def test_neither_the_trash_nor_anybody_elses_is_found(database: Database, make: Maker) -> None:
    ada, bob = await make.viewer(), await make.viewer()
    await make.trashed(ada, {"title": "needle one", "tags": ["needle"]})
    await make.bookmark(bob, {"title": "needle two", "tags": ["needle"], "url": "https://needle.example/"})
    for text in ("needle", "title:needle", "#needle", "#need*", "domain:needle.example", "url:needle", "-haystack"):
        assert await results(database, ada, text) == []
        assert await titles(database, bob, text) == ["needle two"]
    assert await find.suggest(database, ada, "need", 10) == [
        Suggestion(SuggestionKind.TAG, "needle", "#needle", (await tags.named(database, ada, "needle")).id)  # type: ignore[union-attr]  # the trashed bookmark's tag is there
    ]


async def test_an_alias_leads_to_its_tag(database: Database, make: Maker) -> None:
    viewer = await make.viewer()
    await make.bookmark(viewer, {"title": "one", "tags": ["javascript/node"]})
    target, source = await tags.named(database, viewer, "javascript"), await make.tag(viewer, "js")
    assert target is not None
    async with database.unit() as unit:
        await tags.merge(unit, viewer, [source.id], target.id)
    assert await titles(database, viewer, "#js") == ["one"]
    assert await titles(database, viewer, "#js/node OR #none") == ["one"]


async def test_the_title_counts_most_and_the_address_least(database: Database, make: Maker) -> None:
    viewer = await make.viewer()
    await make.bookmark(viewer, {"title": "in its address", "url": "https://a.example/quince"})
    await make.bookmark(viewer, {"title": "in its notes", "notes": "quince"})
    await make.bookmark(viewer, {"title": "in its tags", "tags": ["quince"]})
    await make.bookmark(viewer, {"title": "quince in it"})
    hits = await results(database, viewer, "quince -missing")
    assert [hit.bookmark.title for hit in hits] == ["quince in it", "in its tags", "in its notes", "in its address"]
    assert all(0 < hit.score < 1 for hit in hits)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


async def page_through(database: Database, viewer: Viewer, text: str, size: int) -> list[SearchHitRow]:
    query = await find.understand(database, viewer, text, SearchMode.FULL_TEXT)
    seen: list[SearchHitRow] = []
    position = None
    while True:
        found = await find.page(database, viewer, query, PageRequest(limit=size, backward=False, position=position))
        seen += found.hits[:size]
        if len(found.hits) <= size:
            return seen
        position = find.position_of(seen[-1])


async def test_pages_follow_each_other_without_gap_or_repetition(database: Database, make: Maker) -> None:
    viewer = await make.viewer()
    for number in range(23):
        await make.bookmark(viewer, {"title": "plum " * (number % 3 + 1), "is_unread": True})
    for text in ("plum", "is:unread"):
        whole = await results(database, viewer, text)
        assert len(whole) == 23
        assert await page_through(database, viewer, text, 4) == whole
    ties = await results(database, viewer, "is:unread")
    assert [hit.score for hit in ties] == [0] * 23
    newest_first = sorted((hit.bookmark for hit in ties), key=lambda row: (row.added_at, row.id), reverse=True)
    assert [hit.bookmark for hit in ties] == newest_first


async def fill(database: Database, viewer: Viewer, number: int, title: str) -> None:
    """Add bookmarks, each a minute older than the one before."""
    await database.execute(
        """
        INSERT INTO bookmarks (id, owner_id, url, canonical_url, url_key, url_key_version, domain, title, added_at)
        SELECT gen_random_uuid(), $1, 'https://x.example/' || n, 'https://x.example/' || n, decode(md5($3 || n), 'hex'),
            1, 'x.example', replace($3, '%', n::text), timestamptz '2026-01-01' - n * interval '1 minute'
        FROM generate_series(1, $2::int) AS n
        """,
        viewer.id,
        number,
        title,
    )
    await database.execute("ANALYZE bookmarks")


async def test_of_a_common_word_the_newest_are_ranked(
    database: Database, make: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer, other = await make.viewer(), await make.viewer()
    await fill(database, viewer, 300, "melon number %")
    await fill(database, other, 300, "melon of somebody else %")
    await fill(database, viewer, 30, "fig number %")
    monkeypatch.setattr(queries, "CAP", 50)
    monkeypatch.setattr(queries, "WALK_ROWS", 100)
    monkeypatch.setattr(queries, "PROBE", 20)
    query = await find.understand(database, viewer, "melon", SearchMode.FULL_TEXT)
    found = await find.page(database, viewer, query, PageRequest(limit=100, backward=False, position=None))
    assert (found.matches, found.is_capped) == (50, True)
    assert {hit.bookmark.title for hit in found.hits} == {f"melon number {number}" for number in range(1, 51)}
    assert len(await page_through(database, viewer, "melon", 20)) == 50

    fig = await find.understand(database, viewer, "fig OR (melon number 300)", SearchMode.FULL_TEXT)
    found = await find.page(database, viewer, fig, PageRequest(limit=100, backward=False, position=None))
    assert (found.matches, found.is_capped, len(found.hits)) == (31, False, 31)


@pytest.mark.parametrize("text", ["melon", "-kiwi", "melon number 7*", "title:melon OR #x", "melon is:untagged"])
async def test_a_walk_and_the_index_find_the_same(
    database: Database, make: Maker, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    viewer = await make.viewer()
    await fill(database, viewer, 200, "melon number %")
    await fill(database, viewer, 20, "kiwi number %")
    monkeypatch.setattr(queries, "CAP", 60)
    condition = await queries.resolved(database, viewer.id, condition_of(parse(text)))
    both: list[Sequence[SearchHitRow]] = []
    for rows in (1_000_000, -1):  # what the statistics say of the table decides between walk and index
        await database.execute(f"UPDATE pg_class SET reltuples = {rows} WHERE oid = 'bookmarks'::regclass")
        page = await queries.page(database, viewer.id, condition, position=None, backward=False, limit=100)
        both.append(page.hits)
    assert both[0] == both[1]
    assert both[0]


@pytest.mark.parametrize(
    ("text", "common"),
    [("melon", True), ("melons", True), ("fig", False), ("-fig", True), ("melon -number", False), ("#none", False)],
)
async def test_only_what_is_common_is_looked_for_one_by_one(
    database: Database, make: Maker, text: str, *, common: bool
) -> None:
    viewer = await make.viewer()
    await fill(database, viewer, 3_000, "melon number %")
    await fill(database, viewer, 10, "fig")
    condition = await queries.resolved(database, viewer.id, condition_of(parse(text)))
    compiled = Compiled(viewer.id, condition, ranked=False)
    collected = queries._collected(compiled)  # noqa: SLF001  the speed of every search hangs on it
    sql = f"EXPLAIN (ANALYZE, FORMAT JSON) WITH {collected} SELECT * FROM total"
    (explained,) = orjson.loads(await database.fetchval(sql, *compiled.arguments))
    ways = {
        node["One-Time Filter"].startswith("(NOT"): bool(node["Plans"][0]["Actual Loops"])
        for node in nodes_of(explained["Plan"])
        if "One-Time Filter" in node
    }
    assert ways == {True: not common, False: common}


def nodes_of(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes_of(part)


async def marks(database: Database, viewer: Viewer, text: str) -> list[Snippet]:
    query = await find.understand(database, viewer, text, SearchMode.HYBRID)
    found = await find.page(database, viewer, query, PageRequest(limit=10, backward=False, position=None))
    by_id = await find.snippets(database, viewer, query, [hit.bookmark.id for hit in found.hits])
    return [snippet for hit in found.hits for snippet in by_id.get(hit.bookmark.id, [])]


async def test_snippets_are_safe_html_of_the_fields_that_hit(database: Database, make: Maker) -> None:
    viewer = await make.viewer()
    await make.bookmark(
        viewer,
        {
            "title": "List<script>alert(1)</script> & Node.js “quoted”",
            "description": "nothing here",
            "notes": "word " * 200 + "then quoting node & \x02bad\x03 marks " + "word " * 200,
        },
    )
    assert await marks(database, viewer, "node") == [
        Snippet(
            SnippetField.TITLE,
            "List&lt;script&gt;alert(1)&lt;/script&gt; &amp; <mark>Node</mark>.js “quoted”",
        ),
        Snippet(SnippetField.NOTES, (await marks(database, viewer, "node"))[1].html),
    ]
    notes = (await marks(database, viewer, "node"))[1].html
    assert "quoting <mark>node</mark> &amp; bad marks" in notes
    assert len(notes) < 400
    assert [snippet.html for snippet in await marks(database, viewer, "title:quote* -missing")] == [
        "List&lt;script&gt;alert(1)&lt;/script&gt; &amp; Node.js “<mark>quoted</mark>”"
    ]
    assert [snippet.html for snippet in await marks(database, viewer, '"nothing here"')] == [
        "<mark>nothing</mark> <mark>here</mark>"
    ]
    assert await marks(database, viewer, "is:untagged") == []


async def test_facets_count_domains_and_tags_of_the_results(database: Database, shelf: Viewer) -> None:
    query = await find.understand(database, shelf, "guide OR node", SearchMode.HYBRID)
    facets = await find.facets(database, shelf, query)
    assert facets.domains == [
        SearchFacetRow("b.example", 1),
        SearchFacetRow("docs.b.example", 1),
        SearchFacetRow("www.node.example", 1),
    ]
    assert facets.tags == [SearchFacetRow("To read", 1), SearchFacetRow("dev", 1), SearchFacetRow("dev/js", 1)]


async def test_suggestions_are_of_every_kind(database: Database, shelf: Viewer, make: Maker) -> None:
    collection = await make.collection(shelf, "Notebooks")
    tag = await make.tag(shelf, "no code")
    found = await find.suggest(database, shelf, " NO", 10)
    node = (await results(database, shelf, "node"))[0].bookmark
    assert found == [
        Suggestion(SuggestionKind.TAG, "no code", '#"no code"', tag.id),
        Suggestion(SuggestionKind.COLLECTION, "Notebooks", None, collection.id),
        Suggestion(SuggestionKind.DOMAIN, "www.node.example", "domain:www.node.example", None),
        Suggestion(SuggestionKind.TITLE, NODE, 'title:"Learn Node js today"', node.id),
    ]
    assert await titles(database, shelf, str(found[3].query)) == [NODE]
    assert await find.suggest(database, shelf, "NO", 2) == found[:2]
    assert [one.text for one in await find.suggest(database, shelf, "“mem", 5)] == [MEMORY]
    assert [one.text for one in await find.suggest(database, shelf, "d", 20)] == [
        "dev",
        "d.example",
        "dev/js",
        "docs.b.example",
    ]
    assert await find.suggest(database, shelf, "  ", 5) == []
    assert await find.suggest(database, shelf, "%_\\'", 5) == []


@pytest.mark.parametrize(("prefix", "first"), [("a", 0), ("a", 21), ("a" * 101, 5), ("a\0", 5)])
async def test_suggestions_are_bounded(database: Database, make: Maker, prefix: str, first: int) -> None:
    with pytest.raises(BadInput):
        await find.suggest(database, await make.viewer(), prefix, first)


async def test_what_ran_is_explained(database: Database, make: Maker) -> None:
    viewer = await make.viewer()
    query = await find.understand(database, viewer, "rust -is:unread", SearchMode.FULL_TEXT)
    assert find.explanation(query, is_capped=False) == "Full text: “rust” and not unread."
    query = await find.understand(database, viewer, "rust", SearchMode.HYBRID)
    assert find.explanation(query, is_capped=True) == (
        "Full text: “rust”. Nothing was searched by meaning: there is no model here."
        " More than 1,000 bookmarks match; the newest 1,000 of them were ranked."
    )


async def test_cursors_belong_to_their_query(database: Database, make: Maker) -> None:
    viewer = await make.viewer()
    orders = [
        (await find.understand(database, viewer, text, SearchMode.HYBRID)).order
        for text in ("a b", "a  AND b", "b a", "a OR b")
    ]
    assert orders[0] == orders[1]
    assert len(set(orders)) == 3
