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

from db import bookmarks, embedding
from db.bookmarks import BookmarkRow
from db.embedding import Way
from db.search import queries, suggestions
from db.search.conditions import Among, Condition, Place, Resembling, Tagged, Words, parts_of, replaced, tags_in
from db.search.fusion import NEAREST, RANK_CONSTANT, Aim
from db.search.queries import CAP, FoundRows, HeadlineRow, Position, SearchFacetRow
from db.search.suggestions import SuggestionKind, SuggestionRow
from db.search.walking import Place as WalkedPlace
from db.search.walking import walk as walk_rows
from db.search.words import words_of
from db.unit import Rows
from kit.errors import BadInput
from kit.paging import CursorValue, PageRequest
from kit.text import fold, storable
from services import tags
from services.embedding.meaning import Meaning, Unclear
from services.embedding.similar import worth_telling
from services.permissions import Viewer
from services.search.lexer import refuse
from services.search.meaning import condition_of
from services.search.parser import bookmark_of, parse
from services.search.syntax import Node, Term, Where, explained, printed
from services.search.wording import remaining, resembled, terms_of, words_meant

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
        """How well it matches, from 0 to 1."""
        ...


@dataclass(frozen=True, slots=True)
class Query:
    """A query that was understood, ready to be run by its viewer as often as needed.

    `aim` says where to look by meaning; `unclear` why nobody does, where it was wished.
    """

    node: Node
    condition: Condition
    mode: SearchMode
    aim: Aim | None = None
    unclear: str = ""

    @property
    def order(self) -> str:
        """The name by which cursors know the results of this query: a cursor of another query is refused.

        So is one of the same query ranked in another way: its scores say nothing here.
        """
        digest = blake2b(printed(self.node).encode(), digest_size=8).hexdigest()
        if self.aim is None:
            return f"search:{digest}"
        return f"search:{digest}:{'near' if self.aim.is_alone else 'both'}:{self.aim.space.id}"


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


async def understand(rows: Rows, viewer: Viewer, text: str, mode: SearchMode, meaning: Meaning | None = None) -> Query:
    """Read a query text and look up what it names: tags, and bookmarks with what is like them.

    Raises `BadInput`, with the position of a fault in the text. With `meaning`, VECTOR and HYBRID look by meaning where
    that can be done; where it cannot, they search by full text and say so.
    """
    node = parse(text)
    condition = await _condition(rows, viewer, node)
    if mode is SearchMode.FULL_TEXT:
        return Query(node, condition, mode)
    aim = await _aim(rows, viewer, node, mode, meaning)
    if isinstance(aim, Unclear):
        return Query(node, condition, mode, unclear=aim.reason)
    return Query(node, condition, mode, aim)


async def understandable(rows: Rows, viewer: Viewer, text: str, *, field: tuple[str, ...]) -> None:
    """Check a query text that is kept, to be asked by full text later. Raises `BadInput` that names `field`."""
    try:
        await understand(rows, viewer, text, SearchMode.FULL_TEXT)
    except BadInput as refused:
        raise BadInput(refused.message, field=field, position=refused.position) from refused


async def _condition(rows: Rows, viewer: Viewer, node: Node) -> Condition:
    """Return what a tree asks of a bookmark, everything that it names looked up."""
    condition = await _unaliased(rows, viewer, condition_of(node))
    wanted = {part for part in parts_of(condition) if isinstance(part, Resembling)}
    if wanted:
        await _prove(rows, viewer, node)
        found: dict[Condition, Condition] = {}
        for part in wanted:
            alike = worth_telling(await embedding.neighbours(rows, viewer.id, part.bookmark_id, NEAREST))
            found[part] = Among(tuple(one.bookmark_id for one in alike))
        condition = replaced(condition, found)
    return await queries.resolved(rows, viewer.id, condition)


async def _prove(rows: Rows, viewer: Viewer, node: Node) -> None:
    """Refuse a query that names a bookmark which is not there, or not the viewer's: the two are never told apart."""
    named = {bookmark_of(term): term for term in terms_of(node) if term.where is Where.SIMILAR}
    known = {row.id for row in await bookmarks.by_ids(rows, viewer.id, list(named))}
    for key, term in named.items():
        if key not in known:
            raise refuse("there is no such bookmark.", term.span.start)


async def _unaliased(rows: Rows, viewer: Viewer, condition: Condition) -> Condition:
    """Return the condition with the tags' own names in the place of their aliases."""
    named = list(dict.fromkeys(tag for tag in tags_in(condition) if not tag.prefix))
    keys = await tags.search_keys(rows, viewer, [tag.key for tag in named], field=("query",))
    return replaced(condition, {tag: Tagged(key) for tag, key in zip(named, keys, strict=True)})


async def _aim(
    rows: Rows, viewer: Viewer, node: Node, mode: SearchMode, meaning: Meaning | None
) -> Aim | Unclear | None:
    """Return where a query points; None when nothing in it can be looked for by meaning."""
    words, rest = words_meant(node), remaining(node)
    if words:
        if meaning is None:
            return Unclear("there is no model here.")
        meant = await meaning.of(rows, viewer, words)
        if isinstance(meant, Unclear):
            return meant
        where = None if rest is None else await _condition(rows, viewer, rest)
        return Aim(meant.space, meant.way, meant.vector, where, is_alone=mode is SearchMode.VECTOR)
    term, space = resembled(node), await embedding.active_space(rows)
    if term is None or space is None:
        return None
    condition = await _condition(rows, viewer, node)
    return Aim(space, Way.FILTERED, bookmark_of(term), condition, is_alone=True)


def explanation(query: Query, *, is_capped: bool) -> str:
    """Say in a few sentences how the query was understood and what was run."""
    if query.aim is not None and query.aim.is_alone:
        return f"By meaning: {_meant(query)}."
    told = f"Full text: {explained(query.node)}."
    if query.aim is not None:
        told += f" By meaning: {_meant(query)}. Both are fused by their places (k = {RANK_CONSTANT})."
    elif query.unclear:
        told += f" Nothing was searched by meaning: {query.unclear}"
    if is_capped:
        told += f" More than {CAP:,} bookmarks match; the newest {CAP:,} of them were ranked."
    return told


def _meant(query: Query) -> str:
    words, rest = words_meant(query.node), remaining(query.node)
    if not words:
        return f"{explained(query.node)}, the most alike first"
    what = f"at most {NEAREST} bookmarks about “{words}”"
    return f"{what} that are {explained(rest)}" if rest is not None else what


async def page(rows: Rows, viewer: Viewer, query: Query, request: PageRequest) -> FoundRows:
    """Return a page of the viewer's bookmarks, best first, one more than asked for when the list goes on.

    The trash is left out, archived bookmarks are not. At most 1,000 results can be paged through.
    """
    position = cast("Position | None", request.position)
    return await queries.page(
        rows,
        viewer.id,
        query.condition,
        query.aim,
        position=position,
        backward=request.backward,
        limit=request.limit + 1,
    )


async def walk(
    rows: Rows, viewer: Viewer, query: Query | None, *, beyond: WalkedPlace | None, limit: int
) -> list[WalkedPlace]:
    """Return at most `limit` bookmarks that a query finds (None: all), with when they were made, the oldest first.

    However many match, all of them can be walked over. The trash is left out.
    """
    return await walk_rows(rows, viewer.id, None if query is None else query.condition, beyond=beyond, limit=limit)


def position_of(hit: Scored) -> tuple[CursorValue, ...]:
    """Return the sort values of a result, for its cursor."""
    return (hit.score, hit.bookmark.added_at, hit.bookmark.id)


async def facets(rows: Rows, viewer: Viewer, query: Query) -> Facets:
    """Count domains and tags among the results."""
    domains, labels = await queries.facets(rows, viewer.id, query.condition, query.aim, limit=FACET_VALUES)
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
