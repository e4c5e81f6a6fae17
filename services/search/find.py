"""Finding bookmarks with the query language: results, their number, snippets, facets, suggestions."""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b
from itertools import zip_longest
from typing import Final, Protocol, cast
from uuid import UUID

from db.bookmarks import BookmarkRow
from db.search import queries, suggestions
from db.search.conditions import Condition, Place, Tagged, Words, tags_in, with_tags
from db.search.queries import CAP, FoundRows, HeadlineRow, Position, SearchFacetRow
from db.search.suggestions import SuggestionKind, SuggestionRow
from db.search.words import words_of
from db.unit import Rows
from kit.errors import BadInput
from kit.paging import CursorValue, PageRequest
from kit.text import fold, storable
from services import tags
from services.permissions import Viewer
from services.search.meaning import condition_of
from services.search.parser import parse
from services.search.syntax import Node, Term, Where, explained, printed

KINDS: Final = (float, datetime, UUID)
"""The sort values of a result: score, time of adding, id."""

MAX_PREFIX_CHARS: Final = 100
MAX_SUGGESTIONS: Final = 20
FACET_VALUES: Final = 10
_SUGGESTED_TITLE_WORDS: Final = 20
_NOT_BARE: Final = frozenset('()"\u201c\u201d')
_MARKS: Final = (("\x02", "<mark>"), ("\x03", "</mark>"))


class SearchMode(StrEnum):
    """How to search."""

    FULL_TEXT = "FULL_TEXT"
    VECTOR = "VECTOR"
    HYBRID = "HYBRID"


class SnippetField(StrEnum):
    """Where the words of a query were found."""

    TITLE = "TITLE"
    DESCRIPTION = "DESCRIPTION"
    NOTES = "NOTES"


class Scored(Protocol):
    """A bookmark with its score."""

    @property
    def bookmark(self) -> BookmarkRow:
        """The bookmark."""
        ...

    @property
    def score(self) -> float:
        """How well it matches, from 0 to below 1."""
        ...


@dataclass(frozen=True, slots=True)
class Query:
    """A query that was understood, ready to be run by its viewer as often as needed."""

    node: Node
    condition: Condition
    mode: SearchMode

    @property
    def order(self) -> str:
        """The name by which cursors know the results of this query: a cursor of another query is refused."""
        digest = blake2b(printed(self.node).encode(), digest_size=8).hexdigest()
        return f"search:{digest}"


@dataclass(frozen=True, slots=True)
class Snippet:
    """A piece of one field as safe HTML: the text escaped, what was found within `<mark>`."""

    field: SnippetField
    html: str


@dataclass(frozen=True, slots=True)
class Facets:
    """What the ranked bookmarks (at most 1,000) have in common, the most frequent first, at most 10 each."""

    domains: list[SearchFacetRow]
    tags: list[SearchFacetRow]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What somebody may be about to type. `query` finds it; None where the query language has no word for it yet."""

    kind: SuggestionKind
    text: str
    query: str | None
    id: UUID | None


async def understand(rows: Rows, viewer: Viewer, text: str, mode: SearchMode) -> Query:
    """Read a query text and look up the tags that it names.

    Raises `BadInput`, with the position of a fault in the text, or for a mode that this server cannot run. HYBRID
    means the best that the server can do: full text until embeddings are set up.
    """
    if mode is SearchMode.VECTOR:
        raise BadInput("Embeddings are not set up on this server; search with FULL_TEXT or HYBRID.", field=("mode",))
    node = parse(text)
    condition = await _unaliased(rows, viewer, condition_of(node))
    return Query(node, await queries.resolved(rows, viewer.id, condition), mode)


async def _unaliased(rows: Rows, viewer: Viewer, condition: Condition) -> Condition:
    """Return the condition with the tags' own names in the place of their aliases."""
    named = list(dict.fromkeys(tag for tag in tags_in(condition) if not tag.prefix))
    keys = await tags.search_keys(rows, viewer, [tag.key for tag in named], field=("query",))
    return with_tags(condition, {tag: Tagged(key) for tag, key in zip(named, keys, strict=True)})


def explanation(query: Query, *, is_capped: bool) -> str:
    """Say in one or two sentences how the query was understood and what was run."""
    told = f"Full text: {explained(query.node)}."
    if query.mode is SearchMode.HYBRID:
        told += " Embeddings are not set up, so nothing was searched by meaning."
    if is_capped:
        told += f" More than {CAP:,} bookmarks match; the newest {CAP:,} of them were ranked."
    return told


async def page(rows: Rows, viewer: Viewer, query: Query, request: PageRequest) -> FoundRows:
    """Return a page of the viewer's bookmarks, best first, one more than asked for when the list goes on.

    The trash is left out, archived bookmarks are not. At most 1,000 results can be paged through.
    """
    position = cast("Position | None", request.position)
    return await queries.page(
        rows,
        viewer.id,
        query.condition,
        position=position,
        backward=request.backward,
        limit=request.limit + 1,
    )


def position_of(hit: Scored) -> tuple[CursorValue, ...]:
    """Return the sort values of a result, for its cursor."""
    return (hit.score, hit.bookmark.added_at, hit.bookmark.id)


async def facets(rows: Rows, viewer: Viewer, query: Query) -> Facets:
    """Count domains and tags among the results."""
    domains, labels = await queries.facets(rows, viewer.id, query.condition, limit=FACET_VALUES)
    return Facets(domains, labels)


async def snippets(rows: Rows, viewer: Viewer, query: Query, ids: Sequence[UUID]) -> dict[UUID, list[Snippet]]:
    """Return, for each bookmark of `ids`, the fields in which words of the query were found."""
    found = await queries.headlines(rows, viewer.id, query.condition, ids)
    return {row.id: list(_snippets(row)) for row in found}


def _snippets(row: HeadlineRow) -> list[Snippet]:
    fields = (
        (SnippetField.TITLE, row.title),
        (SnippetField.DESCRIPTION, row.description),
        (SnippetField.NOTES, row.notes),
    )
    return [Snippet(field, _safe(marked)) for field, marked in fields if marked is not None]


def _safe(marked: str) -> str:
    """Return text as HTML in which only the marks are markup."""
    escaped = html.escape(marked.replace("\x01", ""))
    for sign, tag in _MARKS:
        escaped = escaped.replace(sign, tag)
    return escaped


async def suggest(rows: Rows, viewer: Viewer, prefix: str, first: int) -> list[Suggestion]:
    """Return at most `first` things that begin with `prefix`: tags, collections, domains, titles, in turn.

    Raises `BadInput` when `first` is not between 1 and 20 or `prefix` is longer than 100 characters.
    """
    if not 1 <= first <= MAX_SUGGESTIONS:
        raise BadInput(f"`first` must be between 1 and {MAX_SUGGESTIONS}; it is {first}.", field=("first",))
    storable(prefix, what="A prefix", max_chars=MAX_PREFIX_CHARS, field=("prefix",))
    folded = fold(prefix)
    if not folded:
        return []
    words = words_of(prefix)
    title = Words(words, Place.TITLE, prefix=True) if words else None
    kinds = await suggestions.beginning_with(rows, viewer.id, folded, title, limit=first)
    in_turn = [row for turn in zip_longest(*kinds) for row in turn if row is not None]
    return [Suggestion(row.kind, row.text, _query_of(row), row.id) for row in in_turn[:first]]


def _query_of(row: SuggestionRow) -> str | None:
    match row.kind:
        case SuggestionKind.TAG:
            return printed(_term(row.text, Where.TAG))
        case SuggestionKind.DOMAIN:
            return printed(_term(row.text, Where.DOMAIN))
        case SuggestionKind.TITLE:
            return printed(Term(" ".join(words_of(row.text)[:_SUGGESTED_TITLE_WORDS]), Where.TITLE, quoted=True))
        case SuggestionKind.COLLECTION:
            return None


def _term(text: str, where: Where) -> Term:
    bare = not text.endswith("*") and not any(char.isspace() or char in _NOT_BARE for char in text)
    return Term(text, where, quoted=not bare)
