"""A bookmark as the database keeps it."""

from dataclasses import dataclass, fields
from datetime import datetime
from uuid import UUID

from db.shapes import Source, Whole
from db.tables.bookmarks import Bookmark


@dataclass(frozen=True, slots=True)
class BookmarkRow:
    """A bookmark. `deleted_at` is set while it lies in the trash; `version` grows with every change made to it."""

    id: UUID
    owner_id: UUID
    url: str
    canonical_url: str
    domain: str
    title: str
    description: str | None
    notes: str | None
    is_favorite: bool
    is_archived: bool
    is_unread: bool
    favicon_url: str | None
    image_url: str | None
    language: str | None
    author: str | None
    site_name: str | None
    published_at: datetime | None
    word_count: int | None
    reading_time_seconds: int | None
    summary: str | None
    keywords: list[str]
    source: str
    added_at: datetime
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    version: int
    category_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BookmarkDraft:
    """A bookmark before it is stored; times, version and what enrichment finds are the database's."""

    id: UUID
    url: str
    canonical_url: str
    url_key: bytes
    url_key_version: int
    domain: str
    url_words: str
    title: str = ""
    description: str | None = None
    notes: str | None = None
    is_favorite: bool = False
    is_archived: bool = False
    is_unread: bool = False
    source: str = "MANUAL"


SOURCE = Source(table=Bookmark)
WHOLE = Whole(BookmarkRow)
COLUMNS = ", ".join(f"b.{item.name}" for item in fields(BookmarkRow))
