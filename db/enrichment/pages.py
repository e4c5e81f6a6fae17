"""Pages by their bookmarks."""

from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from db.unit import Rows, Unit


@dataclass(frozen=True, slots=True)
class PageRow:
    """What is remembered of a page besides its text. `written` maps columns of the bookmark to JSON values.

    `etag` and `last_modified` are what the server sent with it, to ask next time whether it has changed.
    """

    bookmark_id: UUID
    owner_id: UUID
    url: str
    said: dict[str, Any]
    written: dict[str, Any]
    digest: bytes | None
    etag: str | None
    last_modified: str | None
    fetched_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PageDraft:
    """A page as it is stored; `said` and `written` are JSON."""

    url: str
    content_type: str
    said: dict[str, Any] = field(default_factory=dict)
    written: dict[str, Any] = field(default_factory=dict)
    text: str = ""
    digest: bytes | None = None
    fingerprint: int | None = None
    etag: str | None = None
    last_modified: str | None = None
    is_rendered: bool = False


_DRAFT = [item.name for item in fields(PageDraft)]
_ROW = ", ".join(item.name for item in fields(PageRow))
_SAVE = f"""
INSERT INTO pages (bookmark_id, owner_id, {", ".join(_DRAFT)})
VALUES ($1, $2, {", ".join(f"${number}" for number in range(3, len(_DRAFT) + 3))})
ON CONFLICT (bookmark_id) DO UPDATE SET fetched_at = now(), {", ".join(f"{name} = excluded.{name}" for name in _DRAFT)}
WHERE pages.owner_id = excluded.owner_id
"""


async def of_bookmark(rows: Rows, owner_id: UUID, bookmark_id: UUID) -> PageRow | None:
    """Return what is remembered of the page of the owner's bookmark."""
    row = await rows.fetchrow(
        f"SELECT {_ROW} FROM pages WHERE owner_id = $1 AND bookmark_id = $2", owner_id, bookmark_id
    )
    return PageRow(*row) if row else None


async def save(unit: Unit, owner_id: UUID, bookmark_id: UUID, page: PageDraft) -> None:
    """Remember a page in the place of the one before. The bookmark must be locked, and the owner's."""
    await unit.execute(_SAVE, bookmark_id, owner_id, *(getattr(page, name) for name in _DRAFT))


async def touch(unit: Unit, owner_id: UUID, bookmark_id: UUID) -> None:
    """Remember that the page was looked at just now and is as it was."""
    await unit.execute(
        "UPDATE pages SET fetched_at = now() WHERE owner_id = $1 AND bookmark_id = $2", owner_id, bookmark_id
    )


async def index_words(unit: Unit, owner_id: UUID, bookmark_id: UUID, words: str) -> None:
    """Let the full-text search find the bookmark by `words` of its page. Neither version nor time of change move."""
    await unit.execute(
        "UPDATE bookmarks SET page_words = $3 WHERE owner_id = $1 AND id = $2 AND page_words <> $3",
        owner_id,
        bookmark_id,
        words,
    )
