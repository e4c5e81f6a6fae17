"""One piece of a transfer: some bookmarks with their tags, collections and all that is known of them.

Locks are taken as everybody takes them: imports, tags, collections, bookmarks, the task, the events; of two accounts
in the order of their ids.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from db import collections as collection_rows
from db import tags as tag_rows
from db import transfers as rows_of
from db.imports import chunks
from db.transfers import FolderRow, Picked, TransferRow
from db.unit import Unit
from kit.errors import Conflict, NotFound
from kit.ids import new_id
from kit.settings import Settings
from services import tags
from services.categorization import categories
from services.collections import MAX_COLLECTIONS
from services.events import BookmarkChange, EventDraft, bookmark_draft
from services.transfers.starting import check_room

CHUNK_ROWS: Final = 500
"""Most bookmarks of one piece: what it writes anew, with the entries of the indexes, takes about a second."""


@dataclass(frozen=True, slots=True)
class Moved:
    """Where a transfer stands after a piece, whether that was the last, and what tells both accounts of it."""

    row: TransferRow
    is_last: bool
    events: Sequence[tuple[UUID, EventDraft]]


async def move_chunk(unit: Unit, row: TransferRow, settings: Settings) -> Moved:
    """Move the next bookmarks. What the other has already is merged there, unless it lay in the trash here.

    Raises `Raced` when somebody changed what this rests on: then the transaction is to run again. `NotFound` when one
    of the accounts is being deleted, `Conflict` when the other is full: what was moved before stays.
    """
    if len(await rows_of.there(unit, [row.from_id, row.to_id])) < 2:  # noqa: PLR2004  both
        raise NotFound("One of the two accounts is being deleted.")
    await _lock(unit, row)
    picked = await rows_of.pick(unit, row.from_id, row.to_id, limit=CHUNK_ROWS)
    coming = [one.id for one in picked if one.twin is None]
    merging = {one.id: one.twin for one in picked if one.twin is not None and not one.is_trashed}
    await check_room(unit, settings, row.to_id, len(coming))
    if any(one.has_category for one in picked):
        await categories.ensure(unit, row.to_id)
    pairs = {key: key for key in coming} | merging
    await _carry_tags(unit, row, pairs)
    await _carry_collections(unit, row, pairs)
    await rows_of.adopt(unit, row.from_id, row.to_id, coming)
    await rows_of.merge(unit, row.from_id, row.to_id, merging)
    await rows_of.drop(unit, row.from_id, [one.id for one in picked if one.twin is not None])
    await tag_rows.refresh_labels(unit, row.to_id, list(pairs.values()))
    skipped = len(picked) - len(pairs)
    now = await rows_of.advance(unit, row.id, moved=len(coming), merged=len(merging), skipped=skipped)
    return Moved(now, len(picked) < CHUNK_ROWS, _events(row, picked))


async def _lock(unit: Unit, row: TransferRow) -> None:
    both = sorted((row.from_id, row.to_id))
    for owner_id in both:
        await chunks.lock_owner(unit, owner_id)
    for owner_id in both:
        await tag_rows.hold(unit, owner_id)
    await tag_rows.grow(unit, row.to_id)
    for owner_id in both:
        lock = collection_rows.reshape if owner_id == row.to_id else collection_rows.hold
        await lock(unit, owner_id)


async def _carry_tags(unit: Unit, row: TransferRow, pairs: dict[UUID, UUID]) -> None:
    """Let the bookmarks bear the tags of the same paths; aliases of the new owner lead to their tags."""
    paths = await rows_of.tags_of(unit, row.from_id, list(pairs))
    started = await chunks.moment(unit)
    named = await tags.ensure(unit, row.to_id, list(paths.values()))
    made = {named[path].id: key for key, path in paths.items() if named[path].created_at == started}
    await rows_of.dress(unit, "tags", made)
    await rows_of.relink(unit, "bookmark_tags", row.to_id, pairs, {key: named[path].id for key, path in paths.items()})


async def _carry_collections(unit: Unit, row: TransferRow, pairs: dict[UUID, UUID]) -> None:
    """Let the bookmarks lie in the collections of the same paths."""
    folders = await rows_of.folders_of(unit, row.from_id, list(pairs))
    places: dict[UUID, UUID] = {}
    level = [folder for folder in folders if folder.parent_id is None]
    while level:
        await _settle(unit, row, level, places)
        above = {folder.id for folder in level}
        level = [folder for folder in folders if folder.parent_id in above]
    await rows_of.relink(unit, "bookmark_collections", row.to_id, pairs, places)


async def _settle(unit: Unit, row: TransferRow, level: Sequence[FolderRow], places: dict[UUID, UUID]) -> None:
    """Find or make the collections of one level, below those that `places` has already; namesakes become one."""
    homes = {folder.id: None if folder.parent_id is None else places[folder.parent_id] for folder in level}
    there: dict[tuple[UUID | None, str], UUID] = {}
    for key, parent, name in await chunks.namesakes(
        unit, row.to_id, list(set(homes.values())), [folder.name for folder in level]
    ):
        there.setdefault((parent, name), key)
    made: dict[UUID, FolderRow] = {}
    for folder in level:
        home = homes[folder.id], folder.name
        if home not in there:
            there[home] = new_id()
            made[there[home]] = folder
        places[folder.id] = there[home]
    if made and await collection_rows.holds_at_least(unit, row.to_id, MAX_COLLECTIONS - len(made) + 1):
        raise Conflict(f"An account has at most {MAX_COLLECTIONS:,} collections.")
    drafts = [(key, homes[one.id], one.name, one.slug, one.description) for key, one in made.items()]
    await chunks.add_collections(unit, row.to_id, drafts)
    await rows_of.dress(unit, "collections", {key: one.id for key, one in made.items()})


def _events(row: TransferRow, picked: Sequence[Picked]) -> list[tuple[UUID, EventDraft]]:
    merged = [one for one in picked if one.twin is not None and not one.is_trashed]
    told = (
        (row.from_id, BookmarkChange.PURGED, [one.id for one in picked]),
        (row.to_id, BookmarkChange.CREATED, [one.id for one in picked if one.twin is None]),
        (row.to_id, BookmarkChange.UPDATED, [one.twin for one in merged if one.twin and not one.twin_is_trashed]),
        (row.to_id, BookmarkChange.RESTORED, [one.twin for one in merged if one.twin and one.twin_is_trashed]),
    )
    return [(owner_id, bookmark_draft(change, keys)) for owner_id, change, keys in told if keys]
