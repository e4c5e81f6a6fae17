"""Changing a bookmark: only what differs is written."""

from typing import Any
from uuid import UUID

from db import bookmarks as rows_of
from db.bookmarks import BookmarkRow
from db.unit import Unit
from db.validation import health
from kit.errors import Conflict
from services.bookmarks.links import Links, prepare_links, replace_links
from services.bookmarks.values import BookmarkChanges, clean, columns_of, identity_of
from services.categorization import categories
from services.events import BookmarkChange, record_bookmarks
from services.permissions import Owned, Viewer, own


async def update(
    unit: Unit, viewer: Viewer, key: UUID, changes: BookmarkChanges, *, expected_version: int | None = None
) -> BookmarkRow:
    """Change a bookmark; what is the same already changes nothing, not even the version.

    Raises `NotFound`; `BadInput`; `Conflict` when it lies in the trash, is not at `expected_version`, or the new
    address is another bookmark's.
    """
    values = clean(changes)
    if "category" in changes:
        values["category_id"] = await _category(unit, viewer, changes["category"])
    links = await prepare_links(unit, viewer, changes)
    locked = await rows_of.lock(unit, viewer.id, [key])
    bookmark = own(viewer, locked[0] if locked else None, "bookmark", field=("input", "id"))
    row = bookmark.row
    if row.deleted_at is not None:
        raise Conflict("This bookmark lies in the trash; restore it first.", field=("input", "id"))
    if expected_version is not None and expected_version != row.version:
        raise Conflict(
            f"This bookmark has been changed: it is at version {row.version}, not {expected_version}.",
            field=("input", "expectedVersion"),
        )
    if "url" in changes and (identity := identity_of(changes["url"], ("input", "url"))).original != row.url:
        values |= columns_of(identity)
    after, changed = await write(unit, bookmark, values, links)
    if changed:
        await record_bookmarks(unit, viewer.id, BookmarkChange.UPDATED, [key])
    return after


async def _category(unit: Unit, viewer: Viewer, name: str | None) -> UUID | None:
    if name is None:
        return None
    return (await categories.by_name(unit, viewer.id, name, field=("input", "category"))).id


async def write(
    unit: Unit, bookmark: Owned[BookmarkRow], values: dict[str, Any], links: Links
) -> tuple[BookmarkRow, bool]:
    """Write what differs from the locked row; return it as it is now, and whether anything differed."""
    row = bookmark.row
    # What the row does not show (the key and the words of an address) only comes with another address.
    different = {name: value for name, value in values.items() if getattr(row, name, None) != value}
    relinked = await replace_links(unit, row, links)
    if not different and not relinked:
        return row, False
    after = await rows_of.update(unit, row.owner_id, row.id, different)
    if after is None:
        raise Conflict("Another bookmark has this address already.", field=("input", "url"))
    if after.canonical_url != row.canonical_url:
        await health.forget(unit, row.owner_id, row.id)
    return after, True
