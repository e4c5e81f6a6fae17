"""Search."""

import strawberry

from resolvers import paging
from resolvers import search as answer
from resolvers.compiled import answers
from resolvers.inputs.search import SearchMode, SnippetField, SuggestionKind
from resolvers.inputs.users import ApiScope
from schema.bookmarks import Bookmark
from schema.directives import ListSize, requires
from schema.paging import Connection

__all__ = ["SearchMode", "SearchQuery"]


@strawberry.type(description="A piece of a field in which words of the query were found.")
class SearchSnippet:
    """Answered by services.search.find.Snippet."""

    field: SnippetField = strawberry.field(description="Where it was found.")
    html: str = strawberry.field(description="Safe HTML: the text escaped, what was found within `<mark>`.")


@strawberry.type(description="A bookmark that the query found.")
class SearchResult:
    """Answered by resolvers.search.ResultView."""

    bookmark = strawberry.field(
        resolver=answer.result_bookmark, metadata=answers(), graphql_type=Bookmark, description="The bookmark."
    )
    score: float = strawberry.field(
        description="From 0 to 1, to be compared within one search only; 0 where no word was looked for."
    )
    snippets = strawberry.field(
        resolver=answer.snippets,
        graphql_type=list[SearchSnippet],
        description="The fields in which words were found, at most 3; empty when only the address or tags hit.",
    )


@strawberry.type(description="A value and how many results have it.")
class SearchFacet:
    """Answered by db.search.queries.SearchFacetRow."""

    value: str = strawberry.field(description="The domain, or the path of the tag.")
    count: int = strawberry.field(description="How many of the ranked results (at most 1,000) have it.")


@strawberry.type(description="What the results have in common.")
class SearchFacets:
    """Answered by services.search.find.Facets."""

    domains: list[SearchFacet] = strawberry.field(
        description="The most frequent domains, at most 10.", directives=[ListSize(assumed_size=10)]
    )
    tags: list[SearchFacet] = strawberry.field(
        description="The most frequent tags, at most 10.", directives=[ListSize(assumed_size=10)]
    )


@strawberry.type(description="A page of search results, best first; of equals the newest first.")
class SearchResultConnection(Connection[SearchResult]):
    """Answered by resolvers.search.ResultRows."""

    total_count = strawberry.field(
        resolver=paging.total_count,
        graphql_type=int,
        description="How many bookmarks were found, by meaning at most 100; exact up to 1,000 and never more, see"
        " `isTotalCountCapped`.",
    )
    is_total_count_capped: bool = strawberry.field(
        description="Whether more than 1,000 match. Then the newest 1,000 are ranked, counted and paged through."
    )
    query_explanation = strawberry.field(
        resolver=answer.query_explanation,
        graphql_type=str,
        description="In words: how the query was understood, and what was run.",
    )
    facets = strawberry.field(
        resolver=answer.facets,
        graphql_type=SearchFacets,
        description="What the results have in common. Counted when asked.",
    )


@strawberry.type(description="What somebody may be about to type.")
class SearchSuggestion:
    """Answered by services.search.find.Suggestion."""

    kind: SuggestionKind = strawberry.field(description="What it is.")
    text: str = strawberry.field(description="How it is shown.")
    query: str | None = strawberry.field(
        description="A search that finds it; null for a collection, which the query language cannot name yet."
    )
    node_id = strawberry.field(
        resolver=answer.node_id,
        graphql_type=strawberry.ID | None,
        description="The id of the tag, collection or bookmark, for `node(id:)`; null for a domain.",
    )


@strawberry.type
class SearchQuery:
    """Searching."""

    search = strawberry.field(
        resolver=answer.search,
        graphql_type=SearchResultConnection,
        description="Your bookmarks that a query finds, archived ones included, the trash left out.",
        **requires(ApiScope.READ),
    )
    search_suggestions = strawberry.field(
        resolver=answer.search_suggestions,
        graphql_type=list[SearchSuggestion],
        description="Your tags, collections, domains and titles that begin with what was typed so far.",
        **requires(ApiScope.READ),
    )
