"""Tags: found by any spelling or alias, made with all levels above them, renamed and merged with all below."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, TypedDict, cast
from uuid import UUID

from db import tags as rows_of
from db.tags import TagFilter, TagRow, TagSort
from db.unit import Rows, Unit
from kit.errors import BadInput, Conflict, Field, NotFound
from kit.ids import new_id
from kit.paging import PageRequest
from kit.text import MAX_TAG_DEPTH, TagPath, color_of, fold, sought, tag_path
from services.batches import Missing, check_ids
from services.events import BookmarkChange, record_bookmarks
from services.permissions import Owned, Viewer, own

MAX_TAGS: Final = 200_000
"""Most tags of one account."""

_Place = tuple[UUID, UUID | None, str, str, str]


class TagChanges(TypedDict, total=False):
    """What to change of a tag; what is left out stays."""

    name: str
    parent_id: UUID | None
    color: str | None


def order_name(sort: TagSort, *, descending: bool) -> str:
    """Return the name by which cursors of this order know it."""
    return f"tags:{sort}:{'DESC' if descending else 'ASC'}"


def order_kinds(sort: TagSort) -> tuple[type, ...]:
    """Return the types of a cursor's values in this order."""
    return (str if sort is TagSort.PATH else datetime, UUID)


def position_of(sort: TagSort, row: TagRow) -> tuple[str | datetime, UUID]:
    """Return where a row stands in this order."""
    return (row.path_key if sort is TagSort.PATH else row.created_at, row.id)


async def page(
    rows: Rows, viewer: Viewer, wanted: TagFilter, request: PageRequest, *, sort: TagSort, descending: bool
) -> list[TagRow]:
    """Return one page of the viewer's tags in the direction of reading, and one more when there are more."""
    return await rows_of.page(
        rows,
        viewer.id,
        _searchable(wanted),
        sort=sort,
        descending=descending != request.backward,
        position=cast("tuple[datetime | str, UUID] | None", request.position),
        limit=request.limit + 1,
    )


async def count(rows: Rows, viewer: Viewer, wanted: TagFilter) -> int:
    """Return how many tags of the viewer meet `wanted`."""
    return await rows_of.count(rows, viewer.id, _searchable(wanted))


async def get(rows: Rows, viewer: Viewer, key: UUID) -> TagRow | None:
    """Return a tag of the viewer by its key."""
    found = await rows_of.by_ids(rows, viewer.id, [key])
    return found[0] if found else None


async def named(rows: Rows, viewer: Viewer, name: str) -> TagRow | None:
    """Return the tag that a path or an alias leads to. Raises `BadInput` for what cannot be a tag."""
    (path,) = (await _unaliased(rows, viewer.id, [tag_path(name, field=("name",))])).values()
    return (await rows_of.by_keys(rows, viewer.id, [path.key])).get(path.key)


async def search_keys(rows: Rows, viewer: Viewer, names: Sequence[str], *, field: Field) -> tuple[str, ...]:
    """Return the path keys that names and aliases stand for, whether such tags exist or not."""
    paths = [tag_path(name, field=field) for name in names]
    return tuple(path.key for path in (await _unaliased(rows, viewer.id, paths)).values()) if paths else ()


async def families(rows: Rows, viewer: Viewer, names: Sequence[str], *, field: Field) -> tuple[tuple[UUID, ...], ...]:
    """Return for each name or alias the ids of its tag and of all below it; none where there is no such tag."""
    if not names:
        return ()
    keys = await search_keys(rows, viewer, names, field=field)
    found = await rows_of.families(rows, viewer.id, keys)
    return tuple(tuple(found[key]) for key in keys)


async def ensure(unit: Unit, owner_id: UUID, names: Iterable[str], *, field: Field = ()) -> dict[str, TagRow]:
    """Return the tag of each name, made with all levels above it where it is new; aliases lead to their tags.

    Set-based: a fixed number of statements however many names. Until the transaction ends none of these tags can be
    renamed or removed. Call it before bookmarks are locked. Raises `BadInput` for what cannot be a tag.
    """
    paths = {name: tag_path(name, field=field) for name in names}
    if not paths:
        return {}
    await rows_of.hold(unit, owner_id)
    real = await _unaliased(unit, owner_id, list(paths.values()))
    levels: dict[str, TagPath] = {}
    for level in (level for path in real.values() for level in path.lineage()):
        levels.setdefault(level.key, level)  # shown as it was written first
    tags = await rows_of.by_keys(unit, owner_id, levels)
    if len(tags) < len(levels):
        await rows_of.grow(unit, owner_id)
        tags = await rows_of.by_keys(unit, owner_id, levels)
        tags |= await _add(unit, owner_id, [level for key, level in levels.items() if key not in tags], tags)
    return {name: tags[real[path.key].key] for name, path in paths.items()}


async def create(unit: Unit, viewer: Viewer, *, name: str, color: str | None) -> tuple[TagRow, bool]:
    """Return the tag of this name or alias and whether it is new. `color` is only given to a new one."""
    shade = None if color is None else color_of(color, field=("input", "color"))
    await rows_of.hold(unit, viewer.id)
    await rows_of.grow(unit, viewer.id)
    (key,) = await search_keys(unit, viewer, [name], field=("input", "name"))
    before = await rows_of.by_keys(unit, viewer.id, [key])
    if key in before:
        return before[key], False
    tag = (await ensure(unit, viewer.id, [name], field=("input", "name")))[name]
    if shade is not None:
        await rows_of.set_color(unit, viewer.id, tag.id, shade)
    return replace(tag, color=shade), True


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
    await rows_of.refresh_words(unit, viewer.id, touched)
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
    moved = [
        _placed(row, new_parent if row.id == old.id else row.parent_id, _shifted(row, old, path)) for row in family
    ]
    touched = await rows_of.lock_bookmarks(unit, owner_id, [row.id for row in family])
    await rows_of.place(unit, owner_id, moved)
    await _settle(unit, owner_id, moved, touched)


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
    await _settle(unit, owner_id, plan.moved, touched)


async def _settle(unit: Unit, owner_id: UUID, moved: Sequence[_Place], touched: Sequence[UUID]) -> None:
    """Finish a change of the tree: a tag's path is nobody's alias, and bookmarks know the new words."""
    await rows_of.delete_aliases(unit, owner_id, [path_key for *_, path_key in moved])
    await rows_of.refresh_words(unit, owner_id, touched)
    await record_bookmarks(unit, owner_id, BookmarkChange.UPDATED, touched)


@dataclass(frozen=True, slots=True)
class _Plan:
    merged: dict[UUID, UUID]
    moved: list[_Place]


def _merge_plan(aim: TagRow, family: list[TagRow], sources: Sequence[Owned[TagRow]], below: list[TagRow]) -> _Plan:
    """Decide for each tag of `family` whether it merges into one that stays, or moves below the target."""
    roots = {source.row.id: source.row for source in sources}
    leaving = {row.id for row in family}
    occupied = {row.path_key: row.id for row in below if row.id not in leaving}
    merged: dict[UUID, UUID] = {}
    moved: list[_Place] = []
    root_of: dict[UUID, TagRow] = {}
    for row in family:  # parents come first, so what a child hangs on is decided already
        root = roots.get(row.id) or root_of[cast("UUID", row.parent_id)]
        root_of[row.id] = root
        if row.id == root.id:
            merged[row.id] = aim.id
            continue
        path = _shifted(row, root, TagPath((), aim.path, aim.path_key))
        if path.key in occupied:
            merged[row.id] = occupied[path.key]
            continue
        occupied[path.key] = row.id
        old_parent = cast("UUID", row.parent_id)
        moved.append(_placed(row, merged.get(old_parent, old_parent), path))
    return _Plan(merged, moved)


def _shifted(row: TagRow, old: TagRow, new: TagPath) -> TagPath:
    """Return the path of `row` when `old`, at or above it, has become `new`."""
    depth = old.path.count("/") + 1
    rest = row.path.split("/")[depth:]
    return tag_path("/".join([new.path, *rest]), field=("input",))


def _placed(row: TagRow, parent_id: UUID | None, path: TagPath) -> _Place:
    return (row.id, parent_id, path.name, path.path, path.key)


async def _refuse_taken(unit: Unit, owner_id: UUID, old: TagRow, path: TagPath) -> None:
    if path.key in await rows_of.by_keys(unit, owner_id, [path.key]):
        raise Conflict(f"There is a tag “{path.path}” already; merge the two instead.", field=("input", "name"))
    alias = (await rows_of.aliased(unit, owner_id, [path.key])).get(path.key)
    if alias is not None and alias.id != old.id:
        raise Conflict(f"“{path.path}” is another name of “{alias.path}”.", field=("input", "name"))
    if alias is not None:
        await rows_of.delete_aliases(unit, owner_id, [path.key])


async def _unaliased(rows: Rows, owner_id: UUID, paths: Sequence[TagPath]) -> dict[str, TagPath]:
    """Return for each path's key the path that it leads to when aliases, also of levels above, are followed."""
    real: dict[str, TagPath] = {}
    for path in paths:
        real.setdefault(path.key, path)  # of two spellings the first is kept
    for _ in range(MAX_TAG_DEPTH):  # each round follows at least one level
        levels = {level.key for path in real.values() for level in path.lineage()}
        aliases = await rows_of.aliased(rows, owner_id, levels)
        if not aliases:
            break
        real = {key: _redirected(path, aliases) for key, path in real.items()}
    return real


def _redirected(path: TagPath, aliases: Mapping[str, TagRow]) -> TagPath:
    for level in reversed(path.lineage()):
        target = aliases.get(level.key)
        if target is not None:
            return tag_path("/".join([target.path, *path.names[len(level.names) :]]))
    return path


async def _add(unit: Unit, owner_id: UUID, paths: Sequence[TagPath], known: Mapping[str, TagRow]) -> dict[str, TagRow]:
    if not paths:
        return {}
    if await rows_of.holds_at_least(unit, owner_id, MAX_TAGS - len(paths) + 1):
        raise Conflict(f"An account has at most {MAX_TAGS:,} tags.")
    above = {key: (row.id, row.path) for key, row in known.items()}
    drafts: list[_Place] = []
    for path in sorted(paths, key=lambda one: len(one.names)):
        parent_id, parent_path = above[path.parent.key] if path.parent else (None, "")
        shown = tag_path(f"{parent_path}/{path.name}")  # the levels above are shown as they are
        above[path.key] = (new_id(), shown.path)
        drafts.append((above[path.key][0], parent_id, shown.name, shown.path, path.key))
    return {row.path_key: row for row in await rows_of.insert(unit, owner_id, drafts)}


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


def _searchable(wanted: TagFilter) -> TagFilter:
    if wanted.path_contains is None:
        return wanted
    return replace(wanted, path_contains=fold(sought(wanted.path_contains, "pathContains")))
