"""Words as search cuts them, and statements for whatever can be read."""

import contextlib
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from db.migrations.m0001_foundation import words as stored_words
from db.search.words import words_of
from db.unit import Database
from kit.errors import BadInput
from kit.paging import PageRequest
from services.permissions import Viewer
from services.search import find
from services.search.find import SearchMode

printable = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)


@given(st.lists(printable, min_size=1, max_size=20))
@settings(max_examples=40, deadline=None)
async def test_words_end_where_the_stored_text_is_cut(pool: Database, texts: list[str]) -> None:
    rows = await pool.fetch(
        f"SELECT {stored_words('t')} AS cut FROM unnest($1::text[]) WITH ORDINALITY AS u (t, n) ORDER BY n", texts
    )
    assert [words_of(row["cut"]) for row in rows] == [words_of(text) for text in texts]
    for row in rows:
        assert row["cut"].split() == list(words_of(row["cut"]))


pieces = [
    "a",
    "-b",
    "OR",
    "(c",
    ")",
    '"d e"',
    "f*",
    "url:g",
    "#h",
    "is:unread",
    "title:i'\\",
    "domain:j.k",
    "-(",
    "🎉",
    "the",
]


@given(st.lists(st.sampled_from(pieces), min_size=1, max_size=14).map(" ".join))
@settings(max_examples=150, deadline=None)
async def test_every_query_that_is_read_becomes_statements_that_run(pool: Database, text: str) -> None:
    nobody = Viewer(id=UUID(int=7))
    with contextlib.suppress(BadInput):
        query = await find.understand(pool, nobody, text, SearchMode.HYBRID)
        found = await find.page(pool, nobody, query, PageRequest(limit=5, backward=False, position=None))
        assert (found.hits, found.matches, found.is_capped) == ([], 0, False)
        assert await find.facets(pool, nobody, query) == find.Facets([], [])
        assert await find.snippets(pool, nobody, query, [nobody.id]) == {}
