"""Pictures of pages, by their bookmarks."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db.shapes import Kind, One, Source, Value, Whole
from db.tables.bookmarks import Bookmark
from db.unit import Rows, Unit


@dataclass(frozen=True, slots=True)
class ScreenshotRow:
    """A picture without its bytes. `path` is where this server gives it, `width` and `height` are in pixels."""

    id: UUID
    path: str
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


SOURCE = Source(
    table=Bookmark,
    joins="JOIN screenshots {row}_shot ON {row}_shot.bookmark_id = {row}.id",
    computed={
        # What has changed has another address, so that a browser may keep what it has.
        "path": Value(
            "'/screenshots/' || {row}.id || '.png?of=' || left(encode({row}_shot.sha256, 'hex'), 16)", Kind.TEXT
        ),
        "width": Value("{row}_shot.width", Kind.INTEGER),
        "height": Value("{row}_shot.height", Kind.INTEGER),
        "size_bytes": Value("octet_length({row}_shot.png)", Kind.INTEGER),
        "taken_at": Value("{row}_shot.taken_at", Kind.TIME),
    },
)
WHOLE = Whole(ScreenshotRow, tuple((name, value.template) for name, value in SOURCE.computed.items()))
OF_BOOKMARK = One(SOURCE, needs=("id",), key="id")


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
