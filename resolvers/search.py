"""Search in the graph: a connection of results, what is asked about them, and suggestions while typing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

import strawberry

from db import bookmarks as rows
from db.bookmarks import BookmarkRow
from db.unit import Rows
from kit.ids import encode_global_id
from kit.paging import page_request
from resolvers.context import Info, viewer_of
from resolvers.inputs.search import SearchMode, SuggestionKind
from resolvers.loaders import load, load_row
from resolvers.paging import After, ConnectionRows, First, connection
from resolvers.shaped import shape_of
from services.search import find
from services.search.find import Facets, Query, Snippet, Suggestion

QueryText = Annotated[
    str,
    strawberry.argument(
        description="At most 1,000 characters and 50 terms. Words side by side must all be there; `OR`, `NOT` or `-`,"
        ' parentheses, "phrases", `prefix*`; `title:` `url:` `domain:` `tag:` (`#a` also finds `a/b`);'
        " `is:favorite` `is:archived` `is:unread` `is:tagged` `is:untagged`; `similar:` and a bookmark's id."
        " A fault is BAD_USER_INPUT with"
        " `extensions.position`, counted in characters from 0."
    ),
]
Mode = Annotated[SearchMode | None, strawberry.argument(description="How to search.")]
Prefix = Annotated[str, strawberry.argument(description="What was typed so far, at most 100 characters.")]
FirstSuggestions = Annotated[int | None, strawberry.argument(description="How many at most: 1 to 20.")]

_NODE_TYPES = {SuggestionKind.TAG: "Tag", SuggestionKind.COLLECTION: "Collection", SuggestionKind.TITLE: "Bookmark"}


@dataclass(frozen=True, slots=True)
class ResultView:
    """A bookmark that a query found."""

    bookmark: BookmarkRow
    score: float
    query: Query


@dataclass(frozen=True)
class ResultRows(ConnectionRows[ResultView]):
    """A page of results. `is_total_count_capped` says that more match than were ranked."""

    query: Query
    is_total_count_capped: bool


async def search(
    info: Info, query: QueryText, mode: Mode = SearchMode.HYBRID, first: First = None, after: After = None
) -> ResultRows:
    """Return a page of the bookmarks that a query finds, best first."""
    viewer, database = viewer_of(info), info.context.database
    wanted = await find.understand(database, viewer, query, mode or SearchMode.HYBRID, info.context.services.meaning)
    request = page_request(wanted.order, find.KINDS, first=first, after=after)
    found = await find.page(database, viewer, wanted, request)

    async def count() -> int:
        return found.matches

    views = [ResultView(hit.bookmark, hit.score, wanted) for hit in found.hits]
    page = connection(request, wanted.order, [(view, *find.position_of(view)) for view in views], count)
    return ResultRows(
        **vars(page),
        query=wanted,
        is_total_count_capped=found.is_capped,
    )


def query_explanation(page: strawberry.Parent[ResultRows]) -> str:
    """Say in words how the query was understood."""
    return find.explanation(page.query, is_capped=page.is_total_count_capped)


async def facets(info: Info, page: strawberry.Parent[ResultRows]) -> Facets:
    """Count what the results have in common."""
    return await find.facets(info.context.database, viewer_of(info), page.query)


async def result_bookmark(result: strawberry.Parent[ResultView], info: Info) -> BookmarkRow | None:
    """Return the bookmark of a result: the row that was found, or in the shape that is asked for, read once more."""
    shape = shape_of(info, "Bookmark", rows.WHOLE)
    if shape is rows.WHOLE:
        return result.bookmark
    return await load_row(info, rows.SOURCE, result.bookmark.id, shape)


async def snippets(info: Info, result: strawberry.Parent[ResultView]) -> list[Snippet]:
    """Return where the words of the query stand; one statement for all results of a page."""
    viewer, query = viewer_of(info), result.query

    async def fetch(rows: Rows, _owner_id: UUID, keys: Sequence[UUID]) -> Mapping[UUID, list[Snippet]]:
        return await find.snippets(rows, viewer, query, keys)

    return await load(info, f"snippets of {query.order}", result.bookmark.id, fetch) or []


async def search_suggestions(info: Info, prefix: Prefix, first: FirstSuggestions = 10) -> list[Suggestion]:
    """Return what somebody may be about to type."""
    return await find.suggest(info.context.database, viewer_of(info), prefix, 10 if first is None else first)


def node_id(suggestion: strawberry.Parent[Suggestion]) -> strawberry.ID | None:
    """Return the global id of what is suggested; None for a domain."""
    if suggestion.id is None:
        return None
    return strawberry.ID(encode_global_id(_NODE_TYPES[suggestion.kind], suggestion.id))
