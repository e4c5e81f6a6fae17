"""Statements whose condition on the owner is taken out on purpose: behind the wall they find nothing of others."""

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID

import pytest

from db import bookmarks, collections, events, tags
from db.bookmarks import BookmarkFilter, BookmarkSort, Home, Slice
from db.search import matching, queries, suggestions
from db.search.conditions import Words
from db.shapes import by_keys
from db.unit import Database, Rows
from services.permissions import Viewer
from tests.make import Maker

_OWNED = re.compile(r"\b(?:\w+\.)?owner_id = (\$1|\w+\.owner_id)\b")
_CUT = Slice(BookmarkSort.ADDED_AT, descending=True, position=None, backward=False, limit=50)
_BY_TITLE = Slice(BookmarkSort.TITLE, descending=False, position=None, backward=False, limit=50)
_WORD = Words(("shared",))
SECRET = "shared secret"


class Filterless:
    """Runs statements without what they say of owners, and counts in how many it found that."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.found = 0

    def of(self, owner_id: UUID) -> "Filterless":
        """See `Database.of`."""
        return Filterless(self._database.of(owner_id))

    def __getattr__(self, name: str) -> Any:
        given = getattr(self._database, name)
        if name not in {"fetch", "fetchrow", "fetchval", "execute"}:
            return given

        async def run(sql: str, *arguments: Any) -> Any:
            without, number = _OWNED.subn("($1::uuid IS NOT NULL)", sql)
            self.found += number
            return await given(without, *arguments)

        return run


async def library(make: Maker, viewer: Viewer, word: str) -> dict[str, UUID]:
    """Give an account a bookmark, a tag and a collection whose names tell whose they are."""
    place = await make.collection(viewer, f"{word} place")
    title = f"{SECRET} {word}"
    row = await make.bookmark(viewer, {"title": title, "tags": [f"{word}tag"], "collection_ids": [place.id]})
    (tag,) = await make.database.fetch("SELECT id FROM tags WHERE owner_id = $1", viewer.id)
    return {"bookmark": row.id, "collection": place.id, "tag": tag["id"]}


Ask = Callable[[Rows, UUID, dict[str, UUID]], Awaitable[Any]]
ASKED: dict[str, Ask] = {
    "a list": lambda rows, me, _: bookmarks.page(rows, me, BookmarkFilter(), _CUT),
    "a list by title": lambda rows, me, _: bookmarks.page(rows, me, BookmarkFilter(), _BY_TITLE),
    "their number": lambda rows, me, _: bookmarks.count(rows, me, BookmarkFilter()),
    "one by its key": lambda rows, me, keys: by_keys(rows, bookmarks.SOURCE, me, list(keys.values()), bookmarks.WHOLE),
    "a collection": lambda rows, me, keys: by_keys(
        rows, collections.SOURCE, me, list(keys.values()), collections.WHOLE
    ),
    "a tag": lambda rows, me, keys: by_keys(rows, tags.SOURCE, me, list(keys.values()), tags.WHOLE),
    "what lies in a collection": lambda rows, me, keys: bookmarks.counts_under(
        rows, me, Home.COLLECTION, [keys["collection"]], BookmarkFilter()
    ),
    "a search": lambda rows, me, _: queries.page(rows, me, _WORD, position=None, backward=False, limit=50),
    "facets": lambda rows, me, _: queries.facets(rows, me, _WORD, limit=10),
    "a search without a page": lambda rows, me, _: matching.count(rows, me, _WORD, most=100),
    "suggestions": lambda rows, me, _: suggestions.beginning_with(rows, me, "their", _WORD, limit=10),
    "events": lambda rows, me, _: events.after(rows, me, "bookmark.changed", 0, limit=100),
}


def told(answer: Any) -> str:
    """Return an answer as text, in which names and keys can be looked for."""
    if isinstance(answer, Sequence) and not isinstance(answer, str):
        return "\n".join(map(told, answer))
    return repr(answer)


@pytest.mark.parametrize("name", ASKED)
async def test_a_forgotten_filter_shows_nothing(database: Database, make: Maker, name: str) -> None:
    ada, bob = await make.viewer(), await make.viewer()
    mine = await library(make, ada, "mine")
    theirs = await library(make, bob, "their")
    ask = ASKED[name]
    keys = {f"{kind} {number}": key for number, one in enumerate((mine, theirs)) for kind, key in one.items()}
    keys |= theirs
    right = told(await ask(database, ada.id, keys))
    open_, walled = Filterless(database), Filterless(database.of(ada.id))
    wrong = told(await ask(open_, ada.id, keys))
    assert open_.found, "there is a filter to forget"
    assert wrong != right, "without a wall it does show something"
    assert told(await ask(walled, ada.id, keys)) == right
