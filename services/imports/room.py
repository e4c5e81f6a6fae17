"""Whether an account has room for a file: known before the first row is written, and watched with each chunk."""

from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Final
from uuid import UUID

from db.imports import chunks
from db.unit import Rows, Unit
from kit.errors import Conflict
from kit.settings import Settings
from services import quotas
from services.imports.reading import reading

_LOOK_ROWS = 5_000
_FAR: Final = 200_000  # the imports of one account, which write in turn, bring fewer in `_REMEMBERED_SECONDS`
_REMEMBERED_SECONDS: Final = 5.0


@dataclass(slots=True)
class Room:
    """What an account can still take while an import runs: others, or one that was paused, may fill it meanwhile.

    Counting a million bookmarks takes a tenth of a second, so one that was far below its limit is not counted again
    for a few seconds.
    """

    owner_id: UUID
    limit: int
    _roomy_until: float = 0.0

    async def check(self, unit: Unit, coming: int) -> None:
        """Raise `Conflict` when `coming` more bookmarks are too many. Call it with the owner's import lock held."""
        now = monotonic()
        if not coming or now < self._roomy_until:
            return
        held = await chunks.count_held(unit, self.owner_id)
        if held + coming > self.limit:
            raise Conflict(
                f"An account has at most {self.limit:,} bookmarks, the trash included. There are {held:,} now; what "
                "was imported before stays."
            )
        if held + _FAR < self.limit:
            self._roomy_until = now + _REMEMBERED_SECONDS


async def check_room(rows: Rows, owner_id: UUID, path: Path, total: int, settings: Settings) -> None:
    """Raise `Conflict` when the file would bring more bookmarks than the account may hold, the trash included.

    Only when all `total` rows as new bookmarks would be too many is the file read for what is new in it.
    """
    limit = (await quotas.bounds_of(rows, settings, owner_id)).max_bookmarks
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
