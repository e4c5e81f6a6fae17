"""Pictures of pages: kept one for each bookmark, shown to its owner only."""

from hashlib import sha256
from typing import Final
from uuid import UUID

from db import bookmarks
from db import screenshots as rows_of
from db.screenshots import ScreenshotDraft
from db.unit import Rows, Unit
from kit.errors import NotFound
from services.events import BookmarkChange, EventDraft, bookmark_draft
from services.permissions import Viewer

MAX_PNG_BYTES: Final = 2_000_000
MAX_PIXELS: Final = 10_000
"""Longest side of a picture."""

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
_HEAD_BYTES: Final = len(_SIGNATURE) + 8


class NotAPictureError(Exception):
    """What should be a picture is none, or too large."""


def picture_of(png: bytes | None) -> ScreenshotDraft:
    """Return a PNG ready to be kept, its size read from its head (PNG specification, section 11.2.1)."""
    if png is None or len(png) > MAX_PNG_BYTES:
        raise NotAPictureError(f"the picture has more than {MAX_PNG_BYTES:,} bytes.")
    if not png.startswith(_SIGNATURE) or len(png) < _HEAD_BYTES:
        raise NotAPictureError("the browser sent no picture.")
    width, height = (int.from_bytes(png[start : start + 4], "big") for start in (16, 20))
    if not (0 < width <= MAX_PIXELS and 0 < height <= MAX_PIXELS):
        raise NotAPictureError("the browser sent no picture.")
    return ScreenshotDraft(png=png, width=width, height=height, sha256=sha256(png).digest())


async def keep_picture(unit: Unit, owner_id: UUID, bookmark_id: UUID, picture: ScreenshotDraft) -> list[EventDraft]:
    """Keep the picture of a page in the place of the one before; return what to tell of it.

    A bookmark that is gone or lies in the trash gets none.
    """
    locked = await bookmarks.lock(unit, owner_id, [bookmark_id])
    if not locked or locked[0].deleted_at is not None:
        return []
    await rows_of.save(unit, owner_id, bookmark_id, picture)
    return [bookmark_draft(BookmarkChange.UPDATED, [bookmark_id])]


async def png_of(rows: Rows, viewer: Viewer, bookmark_id: UUID) -> bytes:
    """Return the picture of the viewer's bookmark as PNG; `NotFound` where there is none or it is not theirs."""
    png = await rows_of.png_of(rows, viewer.id, bookmark_id)
    if png is None:
        raise NotFound("There is no such picture.")
    return png
