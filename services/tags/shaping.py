"""Renaming, moving and removing tags, with all below them."""

from collections.abc import Sequence
from typing import TypedDict
from uuid import UUID

from db import tags as rows_of
from db.tags import Place, TagRow
from db.unit import Unit
from kit.errors import BadInput, Conflict, Field, NotFound
from kit.text import TagPath, color_of, tag_path
from services.batches import Missing, check_ids
from services.events import BookmarkChange, record_bookmarks
from services.permissions import Owned, Viewer, own
from services.tags.names import get


class TagChanges(TypedDict, total=False):
    """What to change of a tag; what is left out stays."""

    name: str
    parent_id: UUID | None
    color: str | None


async def update(unit: Unit, viewer: Viewer, key: UUID, changes: TagChanges) -> TagRow:
    """Change a tag: its colour, its name, what it lies below; everything below it goes along.

    Raises `NotFound`; `Conflict` when another tag or alias has the new path; `BadInput` when the tag would come to lie
    below itself, or a path would become too long or too deep.
    """
    await rows_of.reshape(unit, viewer.id)
    tag = own(viewer, await get(unit, viewer, key), "tag", field=("input", "id"))
    if "color" in changes:
        color = changes["color"]
        shade = None if color is None else color_of(color, field=("input", "color"))
        await rows_of.set_color(unit, viewer.id, key, shade)
    parent_id = changes.get("parent_id", tag.row.parent_id)
    parent = None
    if parent_id is not None:
        parent = own(viewer, await get(unit, viewer, parent_id), "tag", field=("input", "parentId")).row
    leaf = single_name(changes["name"], field=("input", "name")) if "name" in changes else tag.row.name
    await _move(unit, tag, leaf, parent)
    return own(viewer, await get(unit, viewer, key), "tag").row


async def delete(
    unit: Unit, viewer: Viewer, keys: Sequence[UUID], *, include_descendants: bool
) -> tuple[list[UUID], list[Missing]]:
    """Remove tags; bookmarks stay. Return the ids of all that went, and the items that were left alone.

    A tag with tags below it is left alone unless `include_descendants`, or all below it are in the list as well.
    """
    check_ids(keys)
    await rows_of.reshape(unit, viewer.id)
    family = await rows_of.subtrees(unit, viewer.id, keys)
    listed, present = set(keys), {row.id for row in family}
    kept = set() if include_descendants else _ancestors_of_unlisted(family, listed)
    missing = [Missing(index, _why_kept(key, present)) for index, key in enumerate(keys) if key not in present - kept]
    gone = [row.id for row in family if (include_descendants or row.id in listed) and row.id not in kept]
    touched = await rows_of.lock_bookmarks(unit, viewer.id, gone)
    await rows_of.delete(unit, viewer.id, gone)
    await rows_of.refresh_labels(unit, viewer.id, touched)
    await record_bookmarks(unit, viewer.id, BookmarkChange.UPDATED, touched)
    return gone, missing


def single_name(name: str, *, field: Field) -> str:
    """Return one name of a path. Raises `BadInput` when it is none, or more than one."""
    path = tag_path(name, field=field)
    if len(path.names) != 1:
        raise BadInput("This is the tag's own name, without “/”; `parentId` says what it lies below.", field=field)
    return path.name


async def _move(unit: Unit, tag: Owned[TagRow], leaf: str, parent: TagRow | None) -> None:
    owner_id, old = tag.row.owner_id, tag.row
    path = tag_path(leaf if parent is None else f"{parent.path}/{leaf}", field=("input", "name"))
    if path.path == old.path:
        return
    if parent is not None and f"{parent.path_key}/".startswith(f"{old.path_key}/"):
        raise BadInput("A tag cannot be put below itself.", field=("input", "parentId"))
    if path.key != old.path_key:
        await _refuse_taken(unit, owner_id, old, path)
    family = await rows_of.subtrees(unit, owner_id, [old.id])
    new_parent = None if parent is None else parent.id
    moved = [placed(row, new_parent if row.id == old.id else row.parent_id, shifted(row, old, path)) for row in family]
    touched = await rows_of.lock_bookmarks(unit, owner_id, [row.id for row in family])
    await rows_of.place(unit, owner_id, moved)
    await settle(unit, owner_id, moved, touched)


async def settle(unit: Unit, owner_id: UUID, moved: Sequence[Place], touched: Sequence[UUID]) -> None:
    """Finish a change of the tree: a tag's path is nobody's alias, and bookmarks show the new names."""
    await rows_of.delete_aliases(unit, owner_id, [path_key for *_, path_key in moved])
    await rows_of.refresh_labels(unit, owner_id, touched)
    await record_bookmarks(unit, owner_id, BookmarkChange.UPDATED, touched)


def shifted(row: TagRow, old: TagRow, new: TagPath) -> TagPath:
    """Return the path of `row` when `old`, at or above it, has become `new`."""
    depth = old.path.count("/") + 1
    rest = row.path.split("/")[depth:]
    return tag_path("/".join([new.path, *rest]), field=("input",))


def placed(row: TagRow, parent_id: UUID | None, path: TagPath) -> Place:
    """Return the place of `row` below `parent_id` at `path`."""
    return (row.id, parent_id, path.name, path.path, path.key)


async def _refuse_taken(unit: Unit, owner_id: UUID, old: TagRow, path: TagPath) -> None:
    if path.key in await rows_of.by_keys(unit, owner_id, [path.key]):
        raise Conflict(f"There is a tag “{path.path}” already; merge the two instead.", field=("input", "name"))
    alias = (await rows_of.aliased(unit, owner_id, [path.key])).get(path.key)
    if alias is not None and alias.id != old.id:
        raise Conflict(f"“{path.path}” is another name of “{alias.path}”.", field=("input", "name"))
    if alias is not None:
        await rows_of.delete_aliases(unit, owner_id, [path.key])


def _ancestors_of_unlisted(family: Sequence[TagRow], listed: set[UUID]) -> set[UUID]:
    """Return the tags that would take unlisted tags below them along."""
    kept: set[UUID] = set()
    for row in reversed(family):  # children come first
        if row.parent_id is not None and (row.id not in listed or row.id in kept):
            kept.add(row.parent_id)
    return kept


def _why_kept(key: UUID, present: set[UUID]) -> NotFound | Conflict:
    if key not in present:
        return NotFound("There is no such tag.")
    return Conflict("There are tags below it; set `includeDescendants` to delete them as well.")
