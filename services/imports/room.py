"""Whether an account has room for a file, known before the first row is written."""

from pathlib import Path
from uuid import UUID

from db.imports import chunks
from db.unit import Rows
from kit.errors import Conflict
from kit.settings import Settings
from services.imports.reading import reading

_LOOK_ROWS = 5_000


async def check_room(rows: Rows, owner_id: UUID, path: Path, total: int, settings: Settings) -> None:
    """Raise `Conflict` when the file would bring more bookmarks than the account may hold, the trash included.

    Only when all `total` rows as new bookmarks would be too many is the file read for what is new in it.
    """
    limit = settings.max_bookmarks_per_user
    held = await chunks.count_held(rows, owner_id)
    if held + total <= limit:
        return
    new = await _count_new(rows, owner_id, path)
    if held + new > limit:
        raise Conflict(
            f"An account has at most {limit:,} bookmarks, the trash included. There are {held:,}, and this file has "
            f"{new:,} new ones; nothing was imported."
        )


async def _count_new(rows: Rows, owner_id: UUID, path: Path) -> int:
    new = 0
    async with reading(path, chunk_rows=_LOOK_ROWS) as file:
        async for chunk in file.chunks():
            keys = [row.key for row in chunk if row.key is not None and row.first_row == row.row]
            new += len(keys) - await chunks.count_existing(rows, owner_id, keys)
    return new
