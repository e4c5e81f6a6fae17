"""Similar bookmarks in the graph."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

import strawberry

from db import bookmarks as rows
from db.bookmarks import BookmarkRow
from db.embedding import Neighbour
from db.unit import Rows
from resolvers.context import Info, viewer_of
from resolvers.loaders import load, load_row
from resolvers.shaped import shape_of
from services.embedding.similar import check_first, similar

FirstSimilar = Annotated[int | None, strawberry.argument(description="How many at most: 1 to 50.")]


@dataclass(frozen=True, slots=True)
class SimilarView:
    """A bookmark and how like another one it is."""

    key: UUID
    score: float


async def of_bookmark(
    bookmark: strawberry.Parent[BookmarkRow], info: Info, first: FirstSimilar = 10
) -> list[SimilarView]:
    """Return what is like a bookmark; one statement for all bookmarks of a page."""
    viewer, most = viewer_of(info), check_first(10 if first is None else first)

    async def fetch(rows: Rows, _owner_id: UUID, keys: Sequence[UUID]) -> Mapping[UUID, list[Neighbour]]:
        return await similar(rows, viewer, keys, most)

    found = await load(info, ("similar", most), bookmark.id, fetch) or []
    return [SimilarView(one.bookmark_id, min(1.0, one.similarity)) for one in found]


async def similar_bookmark(view: strawberry.Parent[SimilarView], info: Info) -> BookmarkRow | None:
    """Return the bookmark that is similar."""
    return await load_row(info, rows.SOURCE, view.key, shape_of(info, "Bookmark", rows.WHOLE))
