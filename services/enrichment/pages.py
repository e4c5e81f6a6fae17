"""Writing down what a page said, and what of it its bookmark takes."""

from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from db import bookmarks
from db import enrichment as rows_of
from db.bookmarks import BookmarkRow
from db.enrichment import PageDraft, PageRow
from db.unit import Rows, Unit
from services.enrichment.filling import FILLED, decide
from services.enrichment.words import page_words
from services.events import BookmarkChange, EventDraft, bookmark_draft


@dataclass(frozen=True, slots=True)
class Reading:
    """A page that was read: `page` to remember, `found` by the names of the bookmark's columns."""

    page: PageDraft
    found: dict[str, Any] = field(default_factory=dict)


async def remembered(rows: Rows, owner_id: UUID, bookmark_id: UUID) -> PageRow | None:
    """Return what is remembered of the page of an owner's bookmark."""
    return await rows_of.of_bookmark(rows, owner_id, bookmark_id)


async def keep_reading(unit: Unit, owner_id: UUID, bookmark_id: UUID, reading: Reading | None) -> list[EventDraft]:
    """Remember a page and fill its bookmark; return what to tell of it. None: the page is as it was.

    A bookmark that is gone or lies in the trash is left alone.
    """
    locked = await bookmarks.lock(unit, owner_id, [bookmark_id])
    if not locked or locked[0].deleted_at is not None:
        return []
    if reading is None:
        await rows_of.touch(unit, owner_id, bookmark_id)
        return []
    before = await rows_of.of_bookmark(unit, owner_id, bookmark_id)
    decision = decide(_columns(locked[0]), reading.found, before.written if before else {})
    await rows_of.save(unit, owner_id, bookmark_id, replace(reading.page, written=decision.written))
    await rows_of.index_words(unit, owner_id, bookmark_id, page_words(reading.page.text))
    if not decision.values:
        return []
    await bookmarks.update(unit, owner_id, bookmark_id, decision.values)
    return [bookmark_draft(BookmarkChange.UPDATED, [bookmark_id])]


def _columns(row: BookmarkRow) -> dict[str, Any]:
    return {name: getattr(row, name) for name in (*FILLED, "url", "canonical_url", "domain")}
