"""The page of a bookmark as it is shown to its owner."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db.shapes import Kind, One, Source, Value, Whole
from db.tables.bookmarks import Bookmark


@dataclass(frozen=True, slots=True)
class PageView:
    """A page: its main text (at most 50,000 characters), and where, as what and when it was read."""

    id: UUID
    url: str
    content_type: str
    text: str
    is_rendered: bool
    fetched_at: datetime


SOURCE = Source(
    table=Bookmark,
    joins="JOIN pages {row}_page ON {row}_page.bookmark_id = {row}.id",
    computed={
        "url": Value("{row}_page.url", Kind.TEXT),
        "content_type": Value("{row}_page.content_type", Kind.TEXT),
        "text": Value("{row}_page.text", Kind.TEXT),
        "is_rendered": Value("{row}_page.is_rendered", Kind.BOOLEAN),
        "fetched_at": Value("{row}_page.fetched_at", Kind.TIME),
    },
)
WHOLE = Whole(PageView, tuple((name, value.template) for name, value in SOURCE.computed.items()))
OF_BOOKMARK = One(SOURCE, needs=("id",), key="id")
