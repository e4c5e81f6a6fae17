"""Embedding: what is like what."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from resolvers import embedding as answer
from resolvers.compiled import answers

if TYPE_CHECKING:
    from schema.bookmarks import Bookmark

LazyBookmark = Annotated["Bookmark", strawberry.lazy("schema.bookmarks")]


@strawberry.type(description="A bookmark that is like another one.")
class SimilarBookmark:
    """Answered by resolvers.embedding.SimilarView."""

    bookmark = strawberry.field(
        resolver=answer.similar_bookmark,
        metadata=answers(),
        graphql_type=LazyBookmark | None,
        description="The bookmark; null when it was removed for ever at this very moment.",
    )
    score: float = strawberry.field(description="How alike they are: 1 is the same, 0 has nothing in common.")
