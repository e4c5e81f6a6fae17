"""What a page may fill in, and what it may not touch."""

from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db import enrichment as rows_of
from db.bookmarks import BookmarkRow
from db.enrichment import PageDraft
from db.unit import Database
from kit.paging import PageRequest
from services import bookmarks
from services.enrichment import MAX_PAGE_WORDS, Reading, decide, keep_reading, page_words
from services.enrichment.filling import FILLED, told
from services.enrichment.words import MAX_PAGE_WORDS_BYTES
from services.permissions import Viewer
from services.search import find
from services.search.find import SearchMode
from tests.make import Maker

EMPTY: dict[str, Any] = {
    **dict.fromkeys(FILLED),
    "title": "",
    "keywords": [],
    "url": "https://www.site.example/a/",
    "canonical_url": "https://www.site.example/a/",
    "domain": "www.site.example",
}
WHEN = datetime(2024, 2, 3, tzinfo=UTC)
FOUND: dict[str, Any] = {
    "title": "Bread",
    "description": "How to bake.",
    "author": "Ann",
    "published_at": WHEN,
    "keywords": ["bread"],
    "word_count": 0,
}


def test_what_is_empty_is_filled() -> None:
    decision = decide(EMPTY, FOUND, {})
    assert decision.values == FOUND
    assert decision.written == {**FOUND, "published_at": "2024-02-03T00:00:00+00:00"}


def test_what_a_person_wrote_stays() -> None:
    mine = {**EMPTY, "title": "My bread", "description": "Mine"}
    decision = decide(mine, FOUND, {})
    assert {"title", "description"}.isdisjoint(decision.values)
    assert {"title", "description"}.isdisjoint(decision.written)
    assert decision.values["author"] == "Ann"


def test_what_was_filled_in_follows_the_page_until_a_person_changes_it() -> None:
    first = decide(EMPTY, FOUND, {})
    filled = {**EMPTY, **first.values}
    again = decide(filled, {**FOUND, "title": "Bread, second edition"}, first.written)
    assert again.values == {"title": "Bread, second edition"}
    changed = {**filled, "title": "My bread"}
    assert decide(changed, {**FOUND, "title": "Bread, third edition"}, first.written).values == {}


@pytest.mark.parametrize(("name", "cleared"), [("title", ""), ("description", None), ("keywords", [])])
def test_what_a_person_cleared_stays_cleared(name: str, cleared: object) -> None:
    first = decide(EMPTY, FOUND, {})
    filled = {**EMPTY, **first.values, name: cleared}
    again = decide(filled, {**FOUND, name: "else" if name != "keywords" else ["else"]}, first.written)
    assert name not in again.values
    assert again.written == first.written


def test_a_page_that_says_nothing_more_takes_nothing_away() -> None:
    first = decide(EMPTY, FOUND, {})
    again = decide({**EMPTY, **first.values}, {}, first.written)
    assert (again.values, again.written) == ({}, first.written)


@pytest.mark.parametrize(
    ("title", "is_address"),
    [
        ("https://www.site.example/a/", True),
        ("http://site.example/a", True),
        ("Site.example/a", True),
        ("www.site.example", True),
        ("site.example", True),
        ("https://site.example/b", False),
        ("A", False),
    ],
)
def test_a_title_that_is_only_the_address_counts_as_empty(title: str, is_address: bool) -> None:
    assert ("title" in decide({**EMPTY, "title": title}, FOUND, {}).values) is is_address


VALUES = st.fixed_dictionaries(
    {
        name: st.sampled_from([None, "", "one", "two"])
        if name != "keywords"
        else st.sampled_from([[], ["one"], ["two"]])
        for name in FILLED
    }
)


@given(VALUES, VALUES, VALUES)
def test_only_what_is_empty_or_was_filled_in_changes(
    present: dict[str, Any], found: dict[str, Any], written: dict[str, Any]
) -> None:
    bookmark = {**EMPTY, **present}
    decision = decide(bookmark, found, written)
    for name, value in decision.values.items():
        assert value == found[name]
        assert value not in (None, "", [])
        assert bookmark[name] in (None, "", []) or told(bookmark[name]) == written[name]
    again = decide({**bookmark, **decision.values}, found, decision.written)
    assert (again.values, again.written) == ({}, decision.written)  # a second reading changes nothing


def test_the_words_of_a_page() -> None:
    assert page_words("Bread and bread, an oven. 2024 ok") == "bread a and a oven"
    many = page_words(" ".join(f"word{number}" for number in range(1_000)))
    assert len(many.split(" a ")) == MAX_PAGE_WORDS
    assert page_words("x" * 41) == ""


@given(st.text(max_size=500))
def test_the_words_of_a_page_are_bounded(text: str) -> None:
    assert len(page_words(text).encode()) <= MAX_PAGE_WORDS_BYTES


PAGE = PageDraft(
    url="https://site.example/a",
    content_type="text/html",
    said={"title": "Bread"},
    text="Sourdough starters love rye.",
    digest=b"d" * 32,
    fingerprint=-5,
    etag='"1"',
)


async def keep(database: Database, viewer: Viewer, row: BookmarkRow, reading: Reading | None) -> list[Any]:
    """Write a reading down in a transaction."""
    async with database.unit() as unit:
        return await keep_reading(unit, viewer.id, row.id, reading)


async def test_a_reading_fills_its_bookmark_and_nothing_else(database: Database, make: Maker) -> None:
    viewer, other = await make.viewer(), await make.viewer()
    row, neighbour, foreign = await make.bookmark(viewer), await make.bookmark(viewer), await make.bookmark(other)
    events = await keep(database, viewer, row, Reading(PAGE, FOUND))
    after = await bookmarks.get(database, viewer, row.id)
    assert after is not None
    assert after == replace(row, **FOUND, version=row.version + 1, updated_at=after.updated_at)
    assert [event.payload for event in events] == [{"change": "UPDATED", "ids": [str(row.id)]}]
    assert await bookmarks.get(database, viewer, neighbour.id) == neighbour
    assert await bookmarks.get(database, other, foreign.id) == foreign
    page = await rows_of.of_bookmark(database, viewer.id, row.id)
    assert page is not None
    assert page.said == {"title": "Bread"}
    assert page.written == {name: told(value) for name, value in FOUND.items()}


async def test_the_same_reading_again_moves_no_version_and_tells_nobody(database: Database, make: Maker) -> None:
    viewer = await make.viewer()
    row = await make.bookmark(viewer)
    await keep(database, viewer, row, Reading(PAGE, FOUND))
    before = await bookmarks.get(database, viewer, row.id)
    assert await keep(database, viewer, row, Reading(PAGE, FOUND)) == []
    assert await keep(database, viewer, row, None) == []
    assert await bookmarks.get(database, viewer, row.id) == before


async def test_somebody_elses_bookmark_one_in_the_trash_and_one_that_is_gone_are_left_alone(
    database: Database, make: Maker
) -> None:
    viewer, other = await make.viewer(), await make.viewer()
    row, trashed = await make.bookmark(viewer), await make.trashed(viewer)
    assert await keep(database, other, row, Reading(PAGE, FOUND)) == []
    assert await keep(database, viewer, trashed, Reading(PAGE, FOUND)) == []
    assert await bookmarks.get(database, viewer, row.id) == row
    assert await database.fetchval("SELECT count(*) FROM pages") == 0


async def test_a_bookmark_is_found_by_the_words_of_its_page_below_its_own(database: Database, make: Maker) -> None:
    viewer, other = await make.viewer(), await make.viewer()
    row = await make.bookmark(viewer, {"url": "https://one.example/", "title": "Bread"})
    titled = await make.bookmark(viewer, {"url": "https://two.example/", "title": "Rye"})
    await make.bookmark(other, {"url": "https://one.example/", "title": "Bread"})
    await keep(database, viewer, row, Reading(PAGE, {}))

    async def found(text: str) -> list[Any]:
        query = await find.understand(database, viewer, text, SearchMode.FULL_TEXT)
        page = await find.page(database, viewer, query, PageRequest(limit=10, backward=False, position=None))
        return [hit.bookmark.id for hit in page.hits]

    assert await found("rye") == [titled.id, row.id]
    assert await found("starter bread") == [row.id]
    assert await found('"starters love"') == []  # words of a page stand alone
    assert await found("url:rye") == []
    assert await found("title:sourdough") == []
    assert (await bookmarks.get(database, viewer, row.id)) == row


def test_every_column_that_is_filled_is_one() -> None:
    assert set(FILLED) < set(BookmarkRow.__dataclass_fields__)
    assert asdict(PAGE)["url"] == PAGE.url
