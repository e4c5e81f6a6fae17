"""Tags by name: found by any spelling or alias, made with all levels above them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

from db import tags as rows_of
from db.tags import Place, TagRow
from db.unit import Rows, Unit
from kit.errors import Conflict, Field
from kit.ids import new_id
from kit.text import MAX_TAG_DEPTH, TagPath, color_of, tag_path
from services.permissions import Viewer

MAX_TAGS: Final = 200_000
"""Most tags of one account."""


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
    drafts: list[Place] = []
    for path in sorted(paths, key=lambda one: len(one.names)):
        parent_id, parent_path = above[path.parent.key] if path.parent else (None, "")
        shown = tag_path(f"{parent_path}/{path.name}")  # the levels above are shown as they are
        above[path.key] = (new_id(), shown.path)
        drafts.append((above[path.key][0], parent_id, shown.name, shown.path, path.key))
    return {row.path_key: row for row in await rows_of.insert(unit, owner_id, drafts)}
