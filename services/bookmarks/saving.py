"""Saving an address, and meeting the bookmark that has it already."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from db import bookmarks as rows_of
from db.bookmarks import BookmarkDraft, BookmarkRow
from db.unit import Unit
from kit.errors import Conflict
from kit.ids import new_id
from kit.settings import BookmarkWorkflow, Settings
from kit.text import storable
from services import idempotency, quotas, rules
from services.agents import start_on_new
from services.bookmarks.changing import write
from services.bookmarks.links import Links, prepare_links, replace_links, united
from services.bookmarks.lists import get
from services.bookmarks.room import check_room
from services.bookmarks.values import MAX_NOTES_CHARS, BookmarkChanges, clean, columns_of, identity_of
from services.events import BookmarkChange, record_bookmarks
from services.permissions import Owned, Viewer, own
from services.rules import Ready, RuleEvent

_TRIES: Final = 3


class DuplicatePolicy(StrEnum):
    """What to do when the address is a bookmark already. All but ERROR take it out of the trash."""

    RETURN_EXISTING = "RETURN_EXISTING"
    MERGE = "MERGE"
    UPDATE = "UPDATE"
    ERROR = "ERROR"


class BookmarkSource(StrEnum):
    """How a bookmark came in."""

    MANUAL = "MANUAL"
    IMPORT = "IMPORT"
    API = "API"


@dataclass(frozen=True, slots=True)
class Saved:
    """What `create` did: the bookmark as it is now, and whether it is new."""

    bookmark: BookmarkRow
    created: bool


async def create(
    unit: Unit,
    viewer: Viewer,
    changes: BookmarkChanges,
    *,
    on_duplicate: DuplicatePolicy,
    settings: Settings,
    idempotency_key: str | None = None,
    source: BookmarkSource = BookmarkSource.MANUAL,
) -> Saved:
    """Save an address, `changes["url"]`; the database decides whether it is new.

    Of the same address saved twice at the same time one is created and the other meets it as a duplicate. A new one is
    given to the owner's rules before it is shown. Raises
    `BadInput`, `NotFound` for a collection, `Conflict` by policy and at the account's limit of bookmarks.
    """
    identity, values, key = identity_of(changes["url"], ("input", "url")), clean(changes), new_id()
    request = {**values, **_sets(changes), "url": identity.original, "onDuplicate": on_duplicate.value}
    earlier = await idempotency.earlier(
        unit,
        viewer,
        idempotency_key,
        operation="createBookmark",
        request=request,
        subject_id=key,
        hours=settings.idempotency_hours,
    )
    existing = await rows_of.by_url_key(unit, viewer.id, identity.key)
    if earlier is not None:
        return await _repeat(unit, viewer, earlier, existing)
    if existing is None:
        await check_room(unit, viewer.id, (await quotas.bounds_of(unit, settings, viewer.id)).max_bookmarks)
    elif on_duplicate in {DuplicatePolicy.RETURN_EXISTING, DuplicatePolicy.ERROR}:
        return await _meet(unit, own(viewer, existing, "bookmark"), values, Links(), on_duplicate)
    ready = await rules.prepare(unit, viewer, RuleEvent.BOOKMARK_CREATED) if existing is None else Ready([])
    links = await prepare_links(unit, viewer, changes)
    draft = BookmarkDraft(id=key, source=source.value, **columns_of(identity), **values)
    for _ in range(_TRIES):
        row = await rows_of.insert(unit, viewer.id, draft)
        if row is not None:
            await replace_links(unit, row, links)
            row = await _ruled(unit, viewer, ready, row)
            await record_bookmarks(unit, viewer.id, BookmarkChange.CREATED, [row.id])
            if settings.new_bookmark_workflow is BookmarkWorkflow.REPROCESS:
                await start_on_new(unit, viewer, row.id)
            return Saved(row, created=True)
        existing = await rows_of.lock_by_url_key(unit, viewer.id, identity.key)
        if existing is not None:  # else it was purged between the two statements, and the address is free again
            return await _meet(unit, own(viewer, existing, "bookmark"), values, links, on_duplicate)
    raise Conflict("This bookmark is being changed by somebody else; try again.", field=("input", "url"))


async def _ruled(unit: Unit, viewer: Viewer, ready: Ready, row: BookmarkRow) -> BookmarkRow:
    """Let the owner's rules have a new bookmark; return it as it is then."""
    if not await rules.run(unit, viewer, ready, [row.id], count_up=False):
        return row
    return own(viewer, await get(unit, viewer, row.id), "bookmark").row


async def _meet(
    unit: Unit, bookmark: Owned[BookmarkRow], values: dict[str, Any], links: Links, policy: DuplicatePolicy
) -> Saved:
    """Do with the bookmark that has the address already what the policy says. It is locked unless nothing changes."""
    row, owner_id = bookmark.row, bookmark.row.owner_id
    if policy is DuplicatePolicy.ERROR:
        where = "is a bookmark already" if row.deleted_at is None else "lies in the trash; restore it"
        raise Conflict(f"This address {where}.", field=("input", "url"))
    restored = await rows_of.set_trashed(unit, owner_id, [row.id], trashed=False)
    row = restored[0] if restored else row
    changed = False
    if policy is not DuplicatePolicy.RETURN_EXISTING:
        if policy is DuplicatePolicy.MERGE:
            values, links = _merged(row, values), await united(unit, row, links)
        row, changed = await write(unit, own(bookmark.viewer, row, "bookmark"), values, links)
    if restored:
        await record_bookmarks(unit, owner_id, BookmarkChange.RESTORED, [row.id])
    elif changed:
        await record_bookmarks(unit, owner_id, BookmarkChange.UPDATED, [row.id])
    return Saved(row, created=False)


async def _repeat(unit: Unit, viewer: Viewer, made: UUID, existing: BookmarkRow | None) -> Saved:
    """Answer a repeated request as the first one was answered."""
    row = await get(unit, viewer, made) or existing
    if row is None:
        raise Conflict("What this request made has been removed since.", field=("input", "idempotencyKey"))
    return Saved(row, created=row.id == made)


def _merged(row: BookmarkRow, values: dict[str, Any]) -> dict[str, Any]:
    """Return what MERGE writes: empty texts are filled, flags only ever set, a note appended unless it is there.

    A note is there when its paragraphs are, side by side: the second click on the same button adds nothing.
    """
    merged = {name: getattr(row, name) or value for name, value in values.items()}
    notes = values.get("notes")
    if row.notes and notes and f"\n\n{notes}\n\n" not in f"\n\n{row.notes}\n\n":
        joined = f"{row.notes}\n\n{notes}"
        merged["notes"] = storable(joined, what="A note", max_chars=MAX_NOTES_CHARS, field=("input", "notes"))
    return merged


def _sets(changes: BookmarkChanges) -> dict[str, list[str]]:
    return {
        "tags": list(changes.get("tags", [])),
        "collections": [str(key) for key in changes.get("collection_ids", [])],
    }
