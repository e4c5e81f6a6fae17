"""The trash: into it, out of it, and gone for ever."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from db import bookmarks as rows_of
from db.bookmarks import BookmarkRow
from db.unit import Unit
from services import collections
from services.batches import Missing, check_ids
from services.events import BookmarkChange, record_bookmarks
from services.permissions import Viewer

_PURGE_CHUNK: Final = 1_000


async def delete(
    unit: Unit, viewer: Viewer, keys: Sequence[UUID], *, permanently: bool
) -> tuple[list[UUID], list[Missing]]:
    """Move bookmarks to the trash, or remove them for ever wherever they are.

    Return the ids of all that are there (or gone) now, and the items that were not found. What lies in the trash
    already stays as it is.
    """
    check_ids(keys)
    there, missing = await collections.lock_bookmarks(unit, viewer, keys)
    if permanently:
        await rows_of.purge(unit, viewer.id, there)
        await record_bookmarks(unit, viewer.id, BookmarkChange.PURGED, there)
    else:
        moved = await rows_of.set_trashed(unit, viewer.id, there, trashed=True)
        await record_bookmarks(unit, viewer.id, BookmarkChange.DELETED, [row.id for row in moved])
    return there, missing


async def restore(unit: Unit, viewer: Viewer, keys: Sequence[UUID]) -> tuple[list[BookmarkRow], list[Missing]]:
    """Take bookmarks out of the trash; return all that were found, as they are now, and the items that were not."""
    check_ids(keys)
    there, missing = await collections.lock_bookmarks(unit, viewer, keys)
    moved = await rows_of.set_trashed(unit, viewer.id, there, trashed=False)
    found = await rows_of.by_ids(unit, viewer.id, there)
    await record_bookmarks(unit, viewer.id, BookmarkChange.RESTORED, [row.id for row in moved])
    return found, missing


async def empty_trash(unit: Unit, viewer: Viewer) -> int:
    """Remove everything in the trash for ever; return how many bookmarks went. Small statements, one transaction."""
    gone: list[UUID] = []
    while chunk := await rows_of.trashed_ids(unit, viewer.id, limit=_PURGE_CHUNK):
        await rows_of.purge(unit, viewer.id, chunk)
        gone += chunk
    await record_bookmarks(unit, viewer.id, BookmarkChange.PURGED, gone)
    return len(gone)


async def purge_old(unit: Unit, *, older_than_days: int, limit: int) -> int:
    """Remove at most `limit` bookmarks of all owners that have lain in the trash for so many days; return how many."""
    gone = await rows_of.purge_trash(unit, older_than_days=older_than_days, limit=limit)
    for owner_id, keys in gone.items():
        await record_bookmarks(unit, owner_id, BookmarkChange.PURGED, keys)
    return sum(map(len, gone.values()))
