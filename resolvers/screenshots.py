"""Pictures of pages, in the graph."""

import strawberry

from db import screenshots as rows
from db.bookmarks import BookmarkRow
from db.screenshots import ScreenshotRow
from resolvers.context import Info
from resolvers.loaders import load_row
from resolvers.shaped import shape_of

TYPE = "Screenshot"
SOURCE, OF_BOOKMARK = rows.SOURCE, rows.OF_BOOKMARK


async def screenshot_of(row: strawberry.Parent[BookmarkRow], info: Info) -> ScreenshotRow | None:
    """Return what is known of the picture of a bookmark's page."""
    return await load_row(info, SOURCE, row.id, shape_of(info, TYPE, rows.WHOLE))
