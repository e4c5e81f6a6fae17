"""Merging tags: one takes the place of others and of what lies below them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast
from uuid import UUID

from db import tags as rows_of
from db.tags import Place, TagRow
from db.unit import Unit
from kit.errors import BadInput
from kit.text import TagPath
from services.batches import check_ids
from services.permissions import Owned, Viewer, own
from services.tags.names import get
from services.tags.shaping import placed, settle, shifted


async def merge(unit: Unit, viewer: Viewer, source_ids: Sequence[UUID], target_id: UUID) -> TagRow:
    """Let a tag take the place of others: their bookmarks, the tags below them, and their paths as aliases.

    A tag below a source moves below the target; where the target has one of that name, the two are merged as well.
    Raises `NotFound`, or `BadInput` when the target is or lies below a source, or a path would become too long.
    """
    check_ids(source_ids, field=("input", "sourceIds"))
    await rows_of.reshape(unit, viewer.id)
    target = own(viewer, await get(unit, viewer, target_id), "tag", field=("input", "targetId"))
    found = {row.id: row for row in await rows_of.by_ids(unit, viewer.id, source_ids)}
    sources = []
    for index, key in enumerate(source_ids):
        field = ("input", "sourceIds", str(index))
        source = own(viewer, found.get(key), "tag", field=field)
        if f"{target.row.path_key}/".startswith(f"{source.row.path_key}/"):
            raise BadInput(f"“{source.row.path}” cannot be merged into itself or into a tag below it.", field=field)
        sources.append(source)
    await _merge(unit, target, sources)
    return own(viewer, await get(unit, viewer, target_id), "tag").row


async def _merge(unit: Unit, target: Owned[TagRow], sources: Sequence[Owned[TagRow]]) -> None:
    owner_id, aim = target.row.owner_id, target.row
    family = await rows_of.subtrees(unit, owner_id, [source.row.id for source in sources])
    plan = _merge_plan(aim, family, sources, await rows_of.subtrees(unit, owner_id, [aim.id]))
    touched = await rows_of.lock_bookmarks(unit, owner_id, [row.id for row in family])
    await rows_of.redirect(unit, owner_id, plan.merged)
    await rows_of.park(unit, owner_id, [row.id for row in family])
    await rows_of.delete(unit, owner_id, list(plan.merged))
    await rows_of.place(unit, owner_id, plan.moved)
    aliases = {row.path_key: (row.path, plan.merged[row.id]) for row in family if row.id in plan.merged}
    await rows_of.add_aliases(unit, owner_id, aliases)
    await settle(unit, owner_id, plan.moved, touched)


@dataclass(frozen=True, slots=True)
class _Plan:
    merged: dict[UUID, UUID]
    moved: list[Place]


def _merge_plan(aim: TagRow, family: list[TagRow], sources: Sequence[Owned[TagRow]], below: list[TagRow]) -> _Plan:
    """Decide for each tag of `family` whether it merges into one that stays, or moves below the target."""
    roots = {source.row.id: source.row for source in sources}
    leaving = {row.id for row in family}
    occupied = {row.path_key: row.id for row in below if row.id not in leaving}
    merged: dict[UUID, UUID] = {}
    moved: list[Place] = []
    root_of: dict[UUID, TagRow] = {}
    for row in family:  # parents come first, so what a child hangs on is decided already
        root = roots.get(row.id) or root_of[cast("UUID", row.parent_id)]
        root_of[row.id] = root
        if row.id == root.id:
            merged[row.id] = aim.id
            continue
        path = shifted(row, root, TagPath((), aim.path, aim.path_key))
        if path.key in occupied:
            merged[row.id] = occupied[path.key]
            continue
        occupied[path.key] = row.id
        old_parent = cast("UUID", row.parent_id)
        moved.append(placed(row, merged.get(old_parent, old_parent), path))
    return _Plan(merged, moved)
