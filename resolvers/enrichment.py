"""What pages say, in the graph."""

import strawberry

from db.bookmarks import BookmarkRow
from db.enrichment import shown as rows
from db.enrichment.shown import PageView
from resolvers.context import Info
from resolvers.loaders import load_row
from resolvers.shaped import shape_of

TYPE = "Page"
SOURCE, OF_BOOKMARK = rows.SOURCE, rows.OF_BOOKMARK


async def page_of(row: strawberry.Parent[BookmarkRow], info: Info) -> PageView | None:
    """Return the page of a bookmark, as it was last read."""
    return await load_row(info, SOURCE, row.id, shape_of(info, TYPE, rows.WHOLE))
