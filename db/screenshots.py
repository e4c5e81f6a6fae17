"""Pictures of pages, by their bookmarks."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from uuid import UUID

from db.unit import Rows, Unit


@dataclass(frozen=True, slots=True)
class ScreenshotRow:
    """A picture without its bytes. `width` and `height` in pixels, `size_bytes` of the PNG."""

    bookmark_id: UUID
    owner_id: UUID
    width: int
    height: int
    size_bytes: int
    taken_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenshotDraft:
    """A picture to be stored: at most 2,000,000 bytes."""

    png: bytes
    width: int
    height: int
    sha256: bytes


_COLUMNS = ", ".join(
    "octet_length(png) AS size_bytes" if item.name == "size_bytes" else item.name for item in fields(ScreenshotRow)
)


async def of_bookmarks(rows: Rows, owner_id: UUID, bookmark_ids: Sequence[UUID]) -> list[ScreenshotRow]:
    """Return the pictures of the owner's bookmarks, without their bytes."""
    found = await rows.fetch(
        f"SELECT {_COLUMNS} FROM screenshots WHERE owner_id = $1 AND bookmark_id = ANY($2)",
        owner_id,
        list(bookmark_ids),
    )
    return [ScreenshotRow(*row) for row in found]


async def png_of(rows: Rows, owner_id: UUID, bookmark_id: UUID) -> bytes | None:
    """Return the picture of the owner's bookmark as PNG."""
    png: bytes | None = await rows.fetchval(
        "SELECT png FROM screenshots WHERE owner_id = $1 AND bookmark_id = $2", owner_id, bookmark_id
    )
    return png


async def save(unit: Unit, owner_id: UUID, bookmark_id: UUID, picture: ScreenshotDraft) -> None:
    """Keep a picture in the place of the one before. The bookmark must be locked, and the owner's."""
    await unit.execute(
        """
        INSERT INTO screenshots (bookmark_id, owner_id, png, width, height, sha256) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (bookmark_id) DO UPDATE SET png = excluded.png, width = excluded.width, height = excluded.height,
            sha256 = excluded.sha256, taken_at = now()
        WHERE screenshots.owner_id = excluded.owner_id
        """,
        bookmark_id,
        owner_id,
        picture.png,
        picture.width,
        picture.height,
        picture.sha256,
    )
