"""Search by meaning and by both: what is found, in which order, what is left out, and what happens without a model."""

import asyncio
import dataclasses
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db import embedding
from db.embedding import Way
from db.search import queries
from db.search.fusion import FUSED, RANK_CONSTANT
from db.search.queries import FoundRows
from db.unit import Database
from kit.ai import BadAnswer, Provider, ProviderDown, Space
from kit.errors import BadInput
from kit.ids import encode_global_id, new_id
from kit.paging import PageRequest
from services.embedding import meaning as meanings
from services.embedding.meaning import Meaning
from services.permissions import Viewer
from services.search import find
from services.search.find import Query, SearchMode
from services.search.parser import parse
from services.search.syntax import printed
from services.search.wording import remaining, words_meant
from tests.make import Maker
from tests.meaning import Concepts, embed_all

EVERYTHING = PageRequest(limit=100, backward=False, position=None)
VECTOR, HYBRID, FULL_TEXT = SearchMode.VECTOR, SearchMode.HYBRID, SearchMode.FULL_TEXT


def meaning_of(*providers: Provider, seconds: float = 5.0) -> Meaning:
    return Meaning(lambda: providers, timeout_seconds=seconds)


async def understood(
    database: Database, viewer: Viewer, text: str, mode: SearchMode, meaning: Meaning | None = None
) -> Query:
    return await find.understand(database, viewer, text, mode, meaning or meaning_of(Concepts()))


async def search(
    database: Database, viewer: Viewer, text: str, mode: SearchMode, meaning: Meaning | None = None
) -> FoundRows:
    return await find.page(database, viewer, await understood(database, viewer, text, mode, meaning), EVERYTHING)


async def titles(
    database: Database, viewer: Viewer, text: str, mode: SearchMode, meaning: Meaning | None = None
) -> list[str]:
    return [hit.bookmark.title for hit in (await search(database, viewer, text, mode, meaning)).hits]


@pytest.fixture
async def shelf(database: Database, make: Maker) -> Viewer:
    """Five embedded bookmarks, one that has no vector, one in the trash, and somebody else's."""
    viewer, other = await make.viewer(), await make.viewer()
    await make.bookmark(viewer, {"title": "sourdough loaf", "tags": ["kitchen"], "is_unread": True})
    await make.bookmark(viewer, {"title": "baking bike", "tags": ["kitchen/outdoors"]})
    await make.bookmark(viewer, {"title": "bicycle repair", "notes": "with a budget"})
    await make.bookmark(viewer, {"title": "astronomy tonight"})
    await make.bookmark(viewer, {"title": "bread nobody embedded"})
    await make.bookmark(other, {"title": "sourdough bread of somebody else"})
    gone = await make.bookmark(viewer, {"title": "bread in the trash"})
    await embed_all(database, viewer, Concepts())
    await embed_all(database, other, Concepts())
    async with database.unit() as unit:
        await unit.execute("UPDATE bookmarks SET deleted_at = now() WHERE id = $1", gone.id)
        await unit.execute(
            "DELETE FROM embeddings e USING bookmarks b WHERE b.id = e.bookmark_id AND title LIKE '%nobody%'"
        )
    return viewer


async def test_by_meaning_other_words_for_the_same_are_found(database: Database, shelf: Viewer) -> None:
    found = await search(database, shelf, "baking bread", VECTOR)
    assert [hit.bookmark.title for hit in found.hits] == ["sourdough loaf", "baking bike"]
    assert [hit.score for hit in found.hits] == [pytest.approx(1, abs=2e-3), pytest.approx(0.5**0.5, abs=2e-3)]
    assert all(hit.score <= 1 for hit in found.hits)
    assert (found.matches, found.is_capped) == (2, False)
    assert await titles(database, shelf, "planet", VECTOR) == ["astronomy tonight"]


async def test_by_both_what_both_find_leads(database: Database, shelf: Viewer) -> None:
    found = await search(database, shelf, "bread", HYBRID)
    # By words only the one without a vector, by meaning two that have not the word.
    assert [hit.bookmark.title for hit in found.hits] == ["bread nobody embedded", "sourdough loaf", "baking bike"]
    first = RANK_CONSTANT / (RANK_CONSTANT + 1) / 2
    assert [hit.score for hit in found.hits][:2] == pytest.approx([first, first])
    assert found.matches == 3
    both = await search(database, shelf, "bicycle", HYBRID)
    assert [hit.bookmark.title for hit in both.hits] == ["bicycle repair", "baking bike"]
    assert both.hits[0].score == pytest.approx(2 * first)
    assert await titles(database, shelf, "bread", FULL_TEXT) == ["bread nobody embedded"]


@pytest.mark.parametrize(
    ("text", "by_meaning", "by_both"),
    [
        ("bread is:unread", ["sourdough loaf"], ["sourdough loaf"]),
        ("bread #kitchen", ["sourdough loaf", "baking bike"], ["sourdough loaf", "baking bike"]),
        ("bread #kitchen/outdoors", ["baking bike"], ["baking bike"]),
        ("bread -bike", ["sourdough loaf"], ["bread nobody embedded", "sourdough loaf"]),
        ('bread "baking bike"', ["baking bike"], ["baking bike"]),
        ("bread title:loaf", ["sourdough loaf"], ["sourdough loaf"]),
        ("bread loa*", ["sourdough loaf"], ["sourdough loaf"]),
        ("bread (is:unread OR planet)", ["sourdough loaf", "baking bike", "astronomy tonight"], None),
        ("bread domain:nowhere.example", [], []),
    ],
)
async def test_conditions_hold_for_both(
    database: Database, shelf: Viewer, text: str, by_meaning: list[str], by_both: list[str] | None
) -> None:
    assert sorted(await titles(database, shelf, text, VECTOR)) == sorted(by_meaning)
    if by_both is not None:
        assert sorted(await titles(database, shelf, text, HYBRID)) == sorted(by_both)


@pytest.mark.parametrize("text", ["is:unread", "#kitchen -is:unread", "title:loaf", "https://example.org/1", "loa*"])
async def test_conditions_alone_ask_no_model(database: Database, shelf: Viewer, text: str) -> None:
    provider = Concepts()
    meaning = meaning_of(provider)
    for mode in (VECTOR, HYBRID):
        assert await titles(database, shelf, text, mode, meaning) == await titles(database, shelf, text, FULL_TEXT)
        query = await understood(database, shelf, text, mode, meaning)
        assert find.explanation(query, is_capped=False).startswith("Full text: ")
        assert "meaning" not in find.explanation(query, is_capped=False)
    assert provider.asked == []


@pytest.mark.parametrize(
    ("text", "words", "rest"),
    [
        ("rust book", "rust book", None),
        ('rust "the book" -go', "rust the book", '"the book" -go'),
        ("rust OR go", "rust go", None),
        ("rust (go OR #dev) is:unread", "rust go", "is:unread"),
        ("#dev OR is:unread", "", "#dev OR is:unread"),
        ("NOT (rust go)", "", "-(rust go)"),
        ("title:rust url:x https://a.example/b c*", "", "title:rust url:x https://a.example/b c*"),
    ],
)
def test_plain_words_are_meant_and_the_rest_must_hold(text: str, words: str, rest: str | None) -> None:
    node = parse(text)
    assert words_meant(node) == words
    kept = remaining(node)
    assert (None if kept is None else printed(kept)) == rest


@pytest.mark.parametrize("mode", [VECTOR, HYBRID])
async def test_pages_follow_each_other(database: Database, make: Maker, mode: SearchMode) -> None:
    viewer = await make.viewer()
    for number in range(23):
        await make.bookmark(viewer, {"title": "bread " + "bike " * (number % 2) + "loaf " * (number % 3)})
    await embed_all(database, viewer, Concepts())
    query = await understood(database, viewer, "bread", mode)
    whole = (await find.page(database, viewer, query, EVERYTHING)).hits
    assert len(whole) == 23
    seen: list[Any] = []
    position = None
    while True:
        request = PageRequest(limit=4, backward=False, position=position)
        part = await find.page(database, viewer, query, request)
        assert part.matches == 23
        seen += part.hits[:4]
        if len(part.hits) <= 4:
            break
        position = find.position_of(seen[-1])
    assert seen == whole
    back = PageRequest(limit=5, backward=True, position=find.position_of(whole[10]))
    assert (await find.page(database, viewer, query, back)).hits[:5] == list(reversed(whole[5:10]))


async def test_cursors_of_another_ranking_are_refused(database: Database, shelf: Viewer) -> None:
    orders = [(await understood(database, shelf, "bread", mode)).order for mode in SearchMode]
    down = (
        await understood(database, shelf, "bread", HYBRID, meaning_of(Concepts(failure=ProviderDown("Away."))))
    ).order
    assert len(set(orders)) == 3
    assert down == orders[list(SearchMode).index(FULL_TEXT)]


async def test_facets_and_snippets_are_of_what_was_found(database: Database, shelf: Viewer) -> None:
    query = await understood(database, shelf, "bread", VECTOR)
    facets = await find.facets(database, shelf, query)
    assert [(one.value, one.count) for one in facets.tags] == [("kitchen", 1), ("kitchen/outdoors", 1)]
    assert [(one.value, one.count) for one in facets.domains] == [("example.org", 2)]
    query = await understood(database, shelf, "bread", HYBRID)
    assert [one.count for one in (await find.facets(database, shelf, query)).domains] == [3]
    hits = (await find.page(database, shelf, query, EVERYTHING)).hits
    marked = await find.snippets(database, shelf, query, [hit.bookmark.id for hit in hits])
    assert [snippet.html for snippet in marked[hits[0].bookmark.id]] == ["<mark>bread</mark> nobody embedded"]
    assert all(not marked[hit.bookmark.id] for hit in hits[1:])


async def test_what_ran_is_explained(database: Database, shelf: Viewer) -> None:
    async def told(text: str, mode: SearchMode, meaning: Meaning | None = None) -> str:
        return find.explanation(await understood(database, shelf, text, mode, meaning), is_capped=False)

    assert await told("bread", VECTOR) == "By meaning: at most 100 bookmarks about “bread”."
    assert await told("bread -#x", HYBRID) == (
        "Full text: “bread” and not the tag “x” or one below it."
        " By meaning: at most 100 bookmarks about “bread” that are not the tag “x” or one below it."
        " Both are fused by their places (k = 60)."
    )
    assert await told("bread", HYBRID, meaning_of(Concepts(failure=ProviderDown("The model is away.")))) == (
        "Full text: “bread”. Nothing was searched by meaning: The model is away."
    )
    assert await told("unknown words", VECTOR) == (
        "Full text: “unknown” and “words”. Nothing was searched by meaning: the model knows none of these words."
    )


@pytest.mark.parametrize(
    "failure", [ProviderDown("Away."), BadAnswer("Nonsense."), RuntimeError("a fault"), ValueError("another")]
)
async def test_search_goes_on_without_the_model(database: Database, shelf: Viewer, failure: Exception) -> None:
    meaning = meaning_of(Concepts(failure=failure))
    for mode in (VECTOR, HYBRID):
        assert await titles(database, shelf, "bread", mode, meaning) == ["bread nobody embedded"]


async def test_before_anything_is_embedded_words_are_searched(database: Database, make: Maker) -> None:
    viewer, other = await make.viewer(), await make.viewer()
    await make.bookmark(viewer, {"title": "bread"})
    for _ in range(2):  # without any space, and with a space that has nothing of the viewer's
        query = await understood(database, viewer, "bread", VECTOR)
        assert query.aim is None
        assert query.unclear == "none of your bookmarks is embedded yet."
        assert await titles(database, viewer, "bread", VECTOR) == ["bread"]
        await make.bookmark(other, {"title": "bread"})
        await embed_all(database, other, Concepts())


async def test_a_model_that_does_not_answer_is_not_waited_for(database: Database, shelf: Viewer) -> None:
    gate = asyncio.Event()
    provider = Concepts(gate=gate)
    meaning = meaning_of(provider, seconds=0.05)
    query = await understood(database, shelf, "bread", VECTOR, meaning)
    assert query.unclear == "the model did not answer in time."
    gate.set()
    await asyncio.gather(*meaning._under_way.values())  # noqa: SLF001  nobody else waits for it any more
    assert (await understood(database, shelf, "bread", VECTOR, meaning)).aim is not None
    assert provider.asked == [["bread"]]  # its late answer was worth having
    await meaning.aclose()


async def test_texts_are_asked_for_once(database: Database, shelf: Viewer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meanings, "MAX_REMEMBERED", 2)
    provider = Concepts()
    meaning = meaning_of(provider)
    await asyncio.gather(*(search(database, shelf, "bread", HYBRID, meaning) for _ in range(5)))
    assert provider.asked == [["bread"]]
    for text in ("bike", "star", "bread is:unread", "star"):
        await search(database, shelf, text, HYBRID, meaning)
    assert provider.asked == [["bread"], ["bike"], ["star"], ["bread"]]


async def test_only_so_many_texts_wait_for_the_model(
    database: Database, shelf: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(meanings, "MAX_UNDER_WAY", 2)
    gate = asyncio.Event()
    provider = Concepts(gate=gate, met=asyncio.Barrier(3))
    meaning = meaning_of(provider)
    waiting = [asyncio.create_task(understood(database, shelf, text, VECTOR, meaning)) for text in ("bike", "star")]
    assert provider.met is not None
    await asyncio.wait_for(provider.met.wait(), 5)
    refused = await understood(database, shelf, "bread", VECTOR, meaning)
    assert refused.unclear == "too many searches wait for the model just now."
    gate.set()
    assert all(query.aim is not None for query in await asyncio.gather(*waiting))


async def test_while_the_model_changes_the_old_space_is_searched(database: Database, shelf: Viewer) -> None:
    new = Concepts(space=Space("test/new", 5))
    both = meaning_of(new, Concepts())
    assert (await understood(database, shelf, "bread", VECTOR, meaning_of(new))).unclear == (
        "the model that your bookmarks were embedded with is not set up here any more."
    )
    space = await embed_all(database, shelf, new)
    assert not space.is_active
    query = await understood(database, shelf, "bread", VECTOR, both)
    assert query.aim is not None
    assert query.aim.space.name == "test/concepts"
    only_new = await understood(database, shelf, "bread", VECTOR, meaning_of(new))
    assert only_new.aim is not None
    assert only_new.aim.space == space
    async with database.unit() as unit:
        await embedding.activate(unit, space.id)
    query = await understood(database, shelf, "bread", VECTOR, both)
    assert query.aim is not None
    assert query.aim.space.name == "test/new"


async def test_similar_bookmarks_are_a_condition_like_others(database: Database, shelf: Viewer, make: Maker) -> None:
    (loaf,) = (await search(database, shelf, "title:loaf", FULL_TEXT)).hits
    named = f"similar:{encode_global_id('Bookmark', loaf.bookmark.id)}"
    assert await titles(database, shelf, named, FULL_TEXT) == ["baking bike"]
    for mode in (VECTOR, HYBRID):
        found = await search(database, shelf, named, mode)
        assert [hit.bookmark.title for hit in found.hits] == ["baking bike"]
        assert found.hits[0].score == pytest.approx(0.5**0.5, abs=2e-3)
    assert await titles(database, shelf, f"{named} is:unread", HYBRID) == []
    assert await titles(database, shelf, f"bicycle -{named}", VECTOR) == ["bicycle repair"]
    assert sorted(await titles(database, shelf, f"{named} OR is:unread", FULL_TEXT)) == [
        "baking bike",
        "sourdough loaf",
    ]
    query = await understood(database, shelf, named, HYBRID)
    assert find.explanation(query, is_capped=False) == (
        f"By meaning: similar to the bookmark “{named.partition(':')[2]}”, the most alike first."
    )
    plain = await make.bookmark(shelf, {"title": "new"})
    assert await titles(database, shelf, f"similar:{encode_global_id('Bookmark', plain.id)}", HYBRID) == []


async def test_a_bookmark_of_somebody_else_is_like_nothing(database: Database, shelf: Viewer) -> None:
    theirs = await database.fetchval("SELECT id FROM bookmarks WHERE title LIKE '%somebody else'")
    messages: set[str] = set()
    for key in (theirs, new_id()):
        with pytest.raises(BadInput) as refused:
            await search(database, shelf, f"bread similar:{encode_global_id('Bookmark', key)}", HYBRID)
        assert refused.value.position == 6
        messages.add(refused.value.message)
    assert messages == {"At character 7 of the query: there is no such bookmark."}


@pytest.mark.parametrize("value", ["nonsense", encode_global_id("Tag", UUID(int=1)), "Qm9v*", '""'])
def test_what_is_no_bookmark_is_refused(value: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse(f"a similar:{value}")
    assert refused.value.position == 2


@pytest.mark.parametrize("text", ["bread", "bread #kitchen", "bread -bike"])
async def test_every_way_finds_the_same(
    database: Database, shelf: Viewer, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    query = await understood(database, shelf, text, VECTOR)
    assert query.aim is not None
    monkeypatch.setattr("db.search.fusion.NEAREST", 2)
    monkeypatch.setattr(queries, "NEAREST", 2)
    found = []
    for way in Way:
        aim = dataclasses.replace(query.aim, way=way)
        page = await queries.page(database, shelf.id, query.condition, aim, position=None, backward=False, limit=10)
        found.append([(hit.bookmark.id, round(hit.score, 6)) for hit in page.hits])
    assert len(found) == 3
    assert all(one == found[0] for one in found)


async def test_an_index_that_gives_too_few_is_not_trusted(database: Database, shelf: Viewer) -> None:
    query = await understood(database, shelf, "bread", VECTOR)
    assert query.aim is not None
    aim = dataclasses.replace(query.aim, way=Way.INDEX)
    await database.execute("SET hnsw.max_scan_tuples = 1")
    page = await queries.page(database, shelf.id, query.condition, aim, position=None, backward=False, limit=10)
    assert len(page.hits) == 2
    assert aim.surer() == query.aim
    assert query.aim.surer() is None


places = st.lists(st.integers(0, 40), unique=True, max_size=30)


async def fused(database: Database, by_words: Sequence[int], near: Sequence[int]) -> list[tuple[int, float]]:
    """Run the fusion on two rankings of numbers; the earlier number is the newer of two with equal scores."""
    ranking = """SELECT n AS id, timestamptz '2026-01-01' - n * interval '1 s' AS added_at, place
        FROM unnest({}::int[]) WITH ORDINALITY AS ranked (n, place)"""
    rows = await database.fetch(
        f"""
        WITH by_words AS ({ranking.format("$1")}), near AS ({ranking.format("$2")}), fused AS ({FUSED})
        SELECT id, score FROM fused ORDER BY score DESC, added_at DESC, id DESC
        """,
        list(by_words),
        list(near),
    )
    return [(row["id"], row["score"]) for row in rows]


@given(by_words=places, near=places)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_fusion_keeps_its_promises(database: Database, by_words: list[int], near: list[int]) -> None:
    found = await fused(database, by_words, near)
    scores = dict(found)
    assert set(scores) == set(by_words) | set(near)
    assert all(0 < score < 1 for score in scores.values())
    for one, score in found:
        inside = [ranking.index(one) + 1 for ranking in (by_words, near) if one in ranking]
        expected = sum(RANK_CONSTANT / (RANK_CONSTANT + place) for place in inside) / 2
        assert score == pytest.approx(expected)
    for ranking, other in ((by_words, near), (near, by_words)):
        alone = [one for one in ranking if one not in other]
        assert [one for one, _ in found if one in alone] == alone  # nobody changes places among their like
    assert await fused(database, near, by_words) == found  # neither leg counts more
