"""Collections: a tree without cycles, at most 32 deep, and which bookmarks lie in it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, TypedDict, cast
from uuid import UUID

from typing_extensions import TypeVar

from db import bookmarks
from db import collections as rows_of
from db.collections import (
    MAX_COLLECTIONS_OF_BOOKMARK,
    CollectionDraft,
    CollectionFilter,
    CollectionRow,
    CollectionSort,
    Placed,
    SortValue,
)
from db.shapes import Shape
from db.unit import Rows, Unit
from kit.errors import BadInput, Conflict, Field, NotFound
from kit.ids import new_id
from kit.paging import PageRequest
from kit.text import color_of, name_of, one_line, slug_of, sought, storable
from services import idempotency
from services.batches import Missing, check_ids
from services.events import BookmarkChange, record_bookmarks
from services.permissions import Viewer, own

R = TypeVar("R", default=CollectionRow)
MAX_DEPTH: Final = 32
MAX_COLLECTIONS: Final = 50_000
"""Most collections of one account."""

MAX_NAME_CHARS: Final = 200
MAX_DESCRIPTION_CHARS: Final = 20_000
MAX_ICON_CHARS: Final = 64


class CollectionChanges(TypedDict, total=False):
    """What to change of a collection; what is left out stays."""

    name: str
    description: str | None
    color: str | None
    icon: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCollection:
    """What a collection is made of. `position` counts from 0 among its siblings; None puts it last."""

    name: str
    parent_id: UUID | None = None
    description: str | None = None
    color: str | None = None
    icon: str | None = None
    position: int | None = None
    idempotency_key: str | None = None


def order_name(sort: CollectionSort, *, descending: bool) -> str:
    """Return the name by which cursors of this order know it."""
    return f"collections:{sort}:{'DESC' if descending else 'ASC'}"


def order_kinds(sort: CollectionSort) -> tuple[type, ...]:
    """Return the types of a cursor's values in this order."""
    kinds: dict[CollectionSort, type] = {CollectionSort.POSITION: int, CollectionSort.NAME: str}
    return (kinds.get(sort, datetime), UUID)


async def page(
    rows: Rows,
    viewer: Viewer,
    wanted: CollectionFilter,
    request: PageRequest,
    *,
    sort: CollectionSort,
    descending: bool,
    shape: Shape[R] = rows_of.WHOLE.by_default,
) -> list[Placed[R]]:
    """Return one page of the viewer's collections in the direction of reading, and one more when there are more."""
    return await rows_of.page(
        rows,
        viewer.id,
        _searchable(wanted),
        sort=sort,
        descending=descending != request.backward,
        position=cast("tuple[SortValue, UUID] | None", request.position),
        limit=request.limit + 1,
        shape=shape,
    )


async def count(rows: Rows, viewer: Viewer, wanted: CollectionFilter) -> int:
    """Return how many collections of the viewer meet `wanted`."""
    return await rows_of.count(rows, viewer.id, _searchable(wanted))


async def get(rows: Rows, viewer: Viewer, key: UUID) -> CollectionRow | None:
    """Return a collection of the viewer."""
    found = await rows_of.by_ids(rows, viewer.id, [key])
    return found[0] if found else None


async def check_all(rows: Rows, viewer: Viewer, keys: Sequence[UUID], *, field: Field) -> list[UUID]:
    """Return `keys`, each once. Raises `NotFound` at the first that is not the viewer's, `BadInput` beyond 100."""
    if len(keys) > MAX_COLLECTIONS_OF_BOOKMARK:
        raise BadInput(f"A bookmark lies in at most {MAX_COLLECTIONS_OF_BOOKMARK} collections.", field=field)
    found = {row.id: row for row in await rows_of.by_ids(rows, viewer.id, keys)}
    for index, key in enumerate(keys):
        own(viewer, found.get(key), "collection", field=(*field, str(index)))
    return list(dict.fromkeys(keys))


async def create(unit: Unit, viewer: Viewer, new: NewCollection, *, idempotency_hours: int) -> CollectionRow:
    """Make a collection. Raises `BadInput`, `NotFound` for the parent, `Conflict` beyond 50,000 collections."""
    values = _clean({"name": new.name, "description": new.description, "color": new.color, "icon": new.icon})
    key = new_id()
    request = {**values, "parent": str(new.parent_id), "position": new.position}
    before = await idempotency.earlier(
        unit,
        viewer,
        new.idempotency_key,
        operation="createCollection",
        request=request,
        subject_id=key,
        hours=idempotency_hours,
    )
    if before is not None:
        return own(viewer, await get(unit, viewer, before), "collection").row
    await rows_of.reshape(unit, viewer.id)
    if await rows_of.holds_at_least(unit, viewer.id, MAX_COLLECTIONS):
        raise Conflict(f"An account has at most {MAX_COLLECTIONS:,} collections.")
    await _check_place(unit, viewer, new.parent_id, height=1)
    await rows_of.insert(unit, viewer.id, CollectionDraft(id=key, parent_id=new.parent_id, **values))
    await _arrange(unit, viewer.id, key, new.parent_id, new.position)
    return own(viewer, await get(unit, viewer, key), "collection").row


async def update(unit: Unit, viewer: Viewer, key: UUID, changes: CollectionChanges) -> CollectionRow:
    """Change what a collection is called and looks like. Raises `NotFound`, `BadInput`."""
    own(viewer, await get(unit, viewer, key), "collection", field=("input", "id"))
    values = _clean(dict(changes))
    if values:
        await rows_of.update(unit, viewer.id, key, values)
    return own(viewer, await get(unit, viewer, key), "collection").row


async def move(unit: Unit, viewer: Viewer, key: UUID, *, parent_id: UUID | None, position: int | None) -> CollectionRow:
    """Put a collection below `parent_id` (None: at the top), at `position` among its siblings (None: last).

    Raises `NotFound`, and `BadInput` when it would come to lie below itself or deeper than 32.
    """
    await rows_of.reshape(unit, viewer.id)
    own(viewer, await get(unit, viewer, key), "collection", field=("input", "id"))
    below = await rows_of.subtree(unit, viewer.id, key)
    if parent_id in {below_id for below_id, _ in below}:
        raise BadInput(
            "A collection cannot be moved into itself or a collection below it.", field=("input", "parentId")
        )
    await _check_place(unit, viewer, parent_id, height=max(level for _, level in below))
    await _arrange(unit, viewer.id, key, parent_id, position)
    return own(viewer, await get(unit, viewer, key), "collection").row


async def reposition(unit: Unit, viewer: Viewer, key: UUID, *, position: int | None) -> CollectionRow:
    """Put a collection elsewhere among its siblings (None: last). Raises `NotFound`."""
    await rows_of.reshape(unit, viewer.id)
    row = own(viewer, await get(unit, viewer, key), "collection", field=("input", "id")).row
    return await move(unit, viewer, key, parent_id=row.parent_id, position=position)


async def delete(unit: Unit, viewer: Viewer, key: UUID, *, with_children: bool) -> list[UUID]:
    """Remove a collection and return the ids of all that went; bookmarks stay.

    The collections below it go as well, or else move to its place, in their order. Raises `NotFound`.
    """
    await rows_of.reshape(unit, viewer.id)
    row = own(viewer, await get(unit, viewer, key), "collection", field=("input", "id")).row
    gone = [key]
    if with_children:
        gone = [below_id for below_id, _ in await rows_of.subtree(unit, viewer.id, key)]
    else:
        children = await rows_of.family(unit, viewer.id, key)
        siblings = await rows_of.family(unit, viewer.id, row.parent_id)
        place = siblings.index(key)
        await rows_of.arrange(unit, viewer.id, row.parent_id, [*siblings[:place], *children, *siblings[place + 1 :]])
    touched = await rows_of.linked_bookmarks(unit, viewer.id, gone)
    await rows_of.delete(unit, viewer.id, key)
    await record_bookmarks(unit, viewer.id, BookmarkChange.UPDATED, touched)
    return gone


async def add_bookmarks(
    unit: Unit, viewer: Viewer, key: UUID, bookmark_ids: Sequence[UUID]
) -> tuple[CollectionRow, list[UUID], list[Missing]]:
    """Put bookmarks into a collection: return it, the ids of those that were not in it, and what was not found."""
    check_ids(bookmark_ids, field=("input", "bookmarkIds"))
    await rows_of.hold(unit, viewer.id)
    row = own(viewer, await get(unit, viewer, key), "collection", field=("input", "collectionId")).row
    there, missing = await lock_bookmarks(unit, viewer, bookmark_ids)
    moved = await rows_of.add_links(unit, there, [key])
    if moved and await rows_of.fullest(unit, moved) > MAX_COLLECTIONS_OF_BOOKMARK:
        raise Conflict(f"A bookmark lies in at most {MAX_COLLECTIONS_OF_BOOKMARK} collections.")
    await bookmarks.touch(unit, viewer.id, moved)
    await record_bookmarks(unit, viewer.id, BookmarkChange.UPDATED, moved)
    return row, moved, missing


async def remove_bookmarks(
    unit: Unit, viewer: Viewer, key: UUID, bookmark_ids: Sequence[UUID]
) -> tuple[CollectionRow, list[UUID], list[Missing]]:
    """Take bookmarks out of a collection: return it, the ids of those that were in it, and what was not found."""
    check_ids(bookmark_ids, field=("input", "bookmarkIds"))
    await rows_of.hold(unit, viewer.id)
    row = own(viewer, await get(unit, viewer, key), "collection", field=("input", "collectionId")).row
    there, missing = await lock_bookmarks(unit, viewer, bookmark_ids)
    moved = await rows_of.remove_links(unit, there, key)
    await bookmarks.touch(unit, viewer.id, moved)
    await record_bookmarks(unit, viewer.id, BookmarkChange.UPDATED, moved)
    return row, moved, missing


async def lock_bookmarks(unit: Unit, viewer: Viewer, keys: Sequence[UUID]) -> tuple[list[UUID], list[Missing]]:
    """Lock the viewer's bookmarks among `keys`; return their ids in order, and the items that are not the viewer's."""
    there = [row.id for row in await bookmarks.lock(unit, viewer.id, keys)]
    known = set(there)
    return there, [
        Missing(index, NotFound("There is no such bookmark.")) for index, key in enumerate(keys) if key not in known
    ]


async def _check_place(unit: Unit, viewer: Viewer, parent_id: UUID | None, *, height: int) -> None:
    """Raise unless `parent_id` is the viewer's and has room below it for a tree of `height` levels."""
    if parent_id is None:
        return
    above = await rows_of.lineage(unit, viewer.id, parent_id)
    if not above:
        raise NotFound("There is no such collection.", field=("input", "parentId"))
    if len(above) + height > MAX_DEPTH:
        raise BadInput(f"Collections are nested at most {MAX_DEPTH} deep.", field=("input", "parentId"))


async def _arrange(unit: Unit, owner_id: UUID, key: UUID, parent_id: UUID | None, position: int | None) -> None:
    if position is not None and position < 0:
        raise BadInput("`position` counts from 0.", field=("input", "position"))
    siblings = [sibling for sibling in await rows_of.family(unit, owner_id, parent_id) if sibling != key]
    siblings.insert(len(siblings) if position is None else position, key)
    await rows_of.arrange(unit, owner_id, parent_id, siblings)


def _clean(given: dict[str, Any]) -> dict[str, Any]:
    """Return the columns for what was given. Raises `BadInput` naming the field."""
    values = dict(given)
    if "name" in given:
        values["name"] = name_of(
            given["name"], what="A collection's name", max_chars=MAX_NAME_CHARS, field=("input", "name")
        )
        values["slug"] = slug_of(values["name"])
    if given.get("description") is not None:
        text = storable(
            given["description"],
            what="A description",
            max_chars=MAX_DESCRIPTION_CHARS,
            field=("input", "description"),
        )
        values["description"] = text.strip() or None
    if given.get("color") is not None:
        values["color"] = color_of(given["color"], field=("input", "color"))
    if given.get("icon") is not None:
        icon = storable(given["icon"], what="An icon", max_chars=MAX_ICON_CHARS, field=("input", "icon"))
        values["icon"] = one_line(icon) or None
    return values


def _searchable(wanted: CollectionFilter) -> CollectionFilter:
    if wanted.name_contains is None:
        return wanted
    return replace(wanted, name_contains=sought(wanted.name_contains, "nameContains"))
