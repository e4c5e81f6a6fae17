"""Tags as rows: a tree that is also a path, its links to bookmarks, and the names that lead to a tag.

Three advisory locks per owner, held until the transaction ends, taken in this order and before any bookmark is locked:
`hold` (shared) by whoever is about to link bookmarks to tags, so that none of those is renamed or removed meanwhile;
`grow` by whoever adds tags, on top of `hold`; `reshape` (excludes `hold`) by whoever renames, merges or deletes.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from db.unit import Rows, Unit

MAX_TAGS_OF_BOOKMARK = 100
MAX_CHILDREN_SHOWN = 100
MAX_ALIASES_SHOWN = 100
_REFRESH_CHUNK = 1_000  # each statement stays far below the statement timeout
_SHAPE_LOCK, _GROWTH_LOCK = 0x7461_6773, 0x7461_6774


@dataclass(frozen=True, slots=True)
class TagRow:
    """A tag. `path` is `name` behind the parent's path and a slash; `path_key` is its folded form (kit.text)."""

    id: UUID
    owner_id: UUID
    parent_id: UUID | None
    name: str
    path: str
    path_key: str
    color: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TagFilter:
    """Which tags. None means no condition; `is_used` counts bookmarks that are not in the trash, direct links only."""

    parent_id: UUID | None = None
    roots_only: bool = False
    path_contains: str | None = None
    is_used: bool | None = None


class TagSort(StrEnum):
    """What a list of tags can be ordered by."""

    PATH = "PATH"
    CREATED_AT = "CREATED_AT"


COLUMNS = ", ".join(f"t.{item.name}" for item in fields(TagRow))
_WIDTH = len(fields(TagRow))
# Byte order, so that a list does not depend on the locale of the server, and a subtree stands together.
_SORT_SQL = {TagSort.PATH: 't.path_key COLLATE "C"', TagSort.CREATED_AT: "t.created_at"}


async def hold(unit: Unit, owner_id: UUID) -> None:
    """Keep the owner's tags as they are until the transaction ends; several may, and new tags may appear."""
    await unit.execute(
        "SELECT pg_advisory_xact_lock_shared(hashtextextended($1::text, $2))", str(owner_id), _SHAPE_LOCK
    )


async def grow(unit: Unit, owner_id: UUID) -> None:
    """Be the only one who adds tags of this owner until the transaction ends. Call `hold` before."""
    await unit.execute("SELECT pg_advisory_xact_lock(hashtextextended($1::text, $2))", str(owner_id), _GROWTH_LOCK)


async def reshape(unit: Unit, owner_id: UUID) -> None:
    """Be the only one who touches the owner's tags until the transaction ends."""
    await unit.execute("SELECT pg_advisory_xact_lock(hashtextextended($1::text, $2))", str(owner_id), _SHAPE_LOCK)


async def page(
    rows: Rows,
    owner_id: UUID,
    wanted: TagFilter,
    *,
    sort: TagSort,
    descending: bool,
    position: tuple[datetime | str, UUID] | None,
    limit: int,
) -> list[TagRow]:
    """Return at most `limit` tags beyond `position`, in the direction of reading."""
    arguments: list[Any] = [owner_id]
    conditions = _conditions(wanted, arguments)
    expression, direction = _SORT_SQL[sort], "DESC" if descending else "ASC"
    if position is not None:
        arguments += position
        compare = "<" if descending else ">"
        conditions.append(f"({expression}, t.id) {compare} (${len(arguments) - 1}, ${len(arguments)})")
    found = await rows.fetch(
        f"""
        SELECT {COLUMNS} FROM tags t WHERE {" AND ".join(conditions)}
        ORDER BY {expression} {direction}, t.id {direction} LIMIT {int(limit)}
        """,
        *arguments,
    )
    return [TagRow(*row) for row in found]


async def count(rows: Rows, owner_id: UUID, wanted: TagFilter) -> int:
    """Return how many tags meet `wanted`."""
    arguments: list[Any] = [owner_id]
    where = " AND ".join(_conditions(wanted, arguments))
    return int(await rows.fetchval(f"SELECT count(*) FROM tags t WHERE {where}", *arguments))


async def by_ids(rows: Rows, owner_id: UUID, keys: Sequence[UUID]) -> list[TagRow]:
    """Return the owner's tags among `keys`, in the order of their paths."""
    found = await rows.fetch(
        f'SELECT {COLUMNS} FROM tags t WHERE t.owner_id = $1 AND t.id = ANY($2) ORDER BY t.path_key COLLATE "C"',
        owner_id,
        list(keys),
    )
    return [TagRow(*row) for row in found]


async def by_keys(rows: Rows, owner_id: UUID, path_keys: Iterable[str]) -> dict[str, TagRow]:
    """Return the owner's tags with these path keys, by path key."""
    found = await rows.fetch(
        f"SELECT {COLUMNS} FROM tags t WHERE t.owner_id = $1 AND t.path_key = ANY($2)", owner_id, list(path_keys)
    )
    return {row["path_key"]: TagRow(*row) for row in found}


async def aliased(rows: Rows, owner_id: UUID, alias_keys: Iterable[str]) -> dict[str, TagRow]:
    """Return the tags that these keys are other names of, by alias key."""
    found = await rows.fetch(
        f"""
        SELECT {COLUMNS}, alias.alias_key FROM tag_aliases alias JOIN tags t ON t.id = alias.tag_id
        WHERE alias.owner_id = $1 AND alias.alias_key = ANY($2)
        """,
        owner_id,
        list(alias_keys),
    )
    return {row["alias_key"]: TagRow(*row[:_WIDTH]) for row in found}


async def families(rows: Rows, owner_id: UUID, path_keys: Sequence[str]) -> dict[str, list[UUID]]:
    """Return for each path key the ids of its tag and of all below it, in order."""
    found: dict[str, list[UUID]] = {key: [] for key in path_keys}
    for row in await rows.fetch(
        """
        SELECT wanted.key, t.id FROM unnest($2::text[]) AS wanted (key)
        JOIN tags t ON t.owner_id = $1 AND (t.path_key = wanted.key OR starts_with(t.path_key, wanted.key || '/'))
        ORDER BY t.id
        """,
        owner_id,
        list(found),
    ):
        found[row["key"]].append(row["id"])
    return found


async def subtrees(rows: Rows, owner_id: UUID, roots: Sequence[UUID]) -> list[TagRow]:
    """Return these tags and everything below them, parents before their children."""
    found = await rows.fetch(
        f"""
        WITH RECURSIVE below AS (
            SELECT id FROM tags WHERE owner_id = $1 AND id = ANY($2)
            UNION SELECT child.id FROM tags child JOIN below ON child.parent_id = below.id
        )
        SELECT {COLUMNS} FROM tags t JOIN below USING (id) ORDER BY t.path_key COLLATE "C"
        """,
        owner_id,
        list(roots),
    )
    return [TagRow(*row) for row in found]


async def holds_at_least(rows: Rows, owner_id: UUID, number: int) -> bool:
    """Tell whether the owner has `number` tags or more."""
    return bool(
        await rows.fetchval(
            "SELECT count(*) >= $2 FROM (SELECT FROM tags WHERE owner_id = $1 LIMIT $2) AS held", owner_id, number
        )
    )


async def insert(unit: Unit, owner_id: UUID, drafts: Sequence[tuple[UUID, UUID | None, str, str, str]]) -> list[TagRow]:
    """Add tags, each `(id, parent_id, name, path, path_key)`, parents in the same call or there before.

    Needs `grow` or `reshape`: then no path key can be taken between looking and adding.
    """
    found = await unit.fetch(
        f"""
        INSERT INTO tags AS t (owner_id, id, parent_id, name, path, path_key)
        SELECT $1, draft.* FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[]) AS draft
        RETURNING {COLUMNS}
        """,
        owner_id,
        *([draft[column] for draft in drafts] for column in range(5)),
    )
    return [TagRow(*row) for row in found]


async def set_color(unit: Unit, owner_id: UUID, key: UUID, color: str | None) -> None:
    """Give a tag a colour `#rrggbb`, or none."""
    await unit.execute(
        "UPDATE tags SET color = $3, updated_at = now() WHERE owner_id = $1 AND id = $2", owner_id, key, color
    )


async def place(unit: Unit, owner_id: UUID, moved: Sequence[tuple[UUID, UUID | None, str, str, str]]) -> None:
    """Give tags new `(id, parent_id, name, path, path_key)`. Needs `reshape`, and keys that are free."""
    await unit.execute(
        """
        UPDATE tags t SET parent_id = moved.parent_id, name = moved.name, path = moved.path,
            path_key = moved.path_key, updated_at = now()
        FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[])
            AS moved (id, parent_id, name, path, path_key)
        WHERE t.owner_id = $1 AND t.id = moved.id
        """,
        owner_id,
        *([one[column] for one in moved] for column in range(5)),
    )


async def delete(unit: Unit, owner_id: UUID, keys: Sequence[UUID]) -> int:
    """Remove tags with everything below them, their links and aliases; return how many of `keys` went."""
    return await unit.execute("DELETE FROM tags WHERE owner_id = $1 AND id = ANY($2)", owner_id, list(keys))


async def add_aliases(unit: Unit, owner_id: UUID, aliases: Mapping[str, tuple[str, UUID]]) -> None:
    """Make keys lead to tags: `{alias_key: (alias, tag_id)}`."""
    await unit.execute(
        """
        INSERT INTO tag_aliases (owner_id, alias_key, alias, tag_id)
        SELECT $1, new.* FROM unnest($2::text[], $3::text[], $4::uuid[]) AS new
        ON CONFLICT (owner_id, alias_key) DO UPDATE SET alias = excluded.alias, tag_id = excluded.tag_id
        """,
        owner_id,
        list(aliases),
        [alias for alias, _ in aliases.values()],
        [tag_id for _, tag_id in aliases.values()],
    )


async def delete_aliases(unit: Unit, owner_id: UUID, alias_keys: Sequence[str]) -> None:
    """Forget other names of tags."""
    await unit.execute(
        "DELETE FROM tag_aliases WHERE owner_id = $1 AND alias_key = ANY($2)", owner_id, list(alias_keys)
    )


async def redirect(unit: Unit, owner_id: UUID, merged: Mapping[UUID, UUID]) -> None:
    """Give the links and aliases of tags to other tags, `{from: to}`; what is linked twice then is linked once."""
    old, new = list(merged), list(merged.values())
    await unit.execute(
        """
        INSERT INTO bookmark_tags (tag_id, bookmark_id)
        SELECT merged.new_id, link.bookmark_id FROM unnest($2::uuid[], $3::uuid[]) AS merged (old_id, new_id)
        JOIN tags t ON t.id = merged.old_id AND t.owner_id = $1 JOIN bookmark_tags link ON link.tag_id = t.id
        ON CONFLICT DO NOTHING
        """,
        owner_id,
        old,
        new,
    )
    await unit.execute(
        """
        UPDATE tag_aliases alias SET tag_id = merged.new_id
        FROM unnest($2::uuid[], $3::uuid[]) AS merged (old_id, new_id)
        WHERE alias.owner_id = $1 AND alias.tag_id = merged.old_id
        """,
        owner_id,
        old,
        new,
    )


async def park(unit: Unit, owner_id: UUID, keys: Sequence[UUID]) -> None:
    """Take tags out of the tree for a moment, under keys that no path has, so that `place` finds every key free."""
    await unit.execute(
        "UPDATE tags SET parent_id = NULL, path_key = '//' || id::text WHERE owner_id = $1 AND id = ANY($2)",
        owner_id,
        list(keys),
    )


async def replace_links(unit: Unit, bookmark_id: UUID, tag_ids: Sequence[UUID]) -> bool:
    """Let a bookmark bear exactly these tags; tell whether that changed anything. Whoever calls has locked it."""
    gone = await unit.execute(
        "DELETE FROM bookmark_tags WHERE bookmark_id = $1 AND tag_id <> ALL($2)", bookmark_id, list(tag_ids)
    )
    come = await unit.execute(
        "INSERT INTO bookmark_tags (bookmark_id, tag_id) SELECT $1, unnest($2::uuid[]) ON CONFLICT DO NOTHING",
        bookmark_id,
        list(tag_ids),
    )
    return gone + come > 0


async def lock_bookmarks(unit: Unit, owner_id: UUID, tag_ids: Sequence[UUID]) -> list[UUID]:
    """Return the ids of all bookmarks that bear one of these tags, the trash included, locked in their order.

    Without the lock a bookmark could be purged between looking at its links and writing others.
    """
    found = await unit.fetch(
        """
        SELECT id FROM bookmarks WHERE owner_id = $1
            AND id IN (SELECT bookmark_id FROM bookmark_tags WHERE tag_id = ANY($2))
        ORDER BY id FOR NO KEY UPDATE
        """,
        owner_id,
        list(tag_ids),
    )
    return [row["id"] for row in found]


async def refresh_words(unit: Unit, owner_id: UUID, bookmark_ids: Sequence[UUID]) -> None:
    """Bring `bookmarks.tag_words`, which full-text search reads, in step with the tags that they bear now.

    Whoever calls has locked the bookmarks.
    """
    ordered = sorted(bookmark_ids)
    for start in range(0, len(ordered), _REFRESH_CHUNK):
        chunk = ordered[start : start + _REFRESH_CHUNK]
        await unit.execute(
            """
            UPDATE bookmarks b SET tag_words = fresh.words FROM (
                SELECT wanted.id, coalesce(string_agg(replace(t.path, '/', ' '), ' ' ORDER BY t.path_key), '') AS words
                FROM unnest($2::uuid[]) AS wanted (id)
                LEFT JOIN bookmark_tags link ON link.bookmark_id = wanted.id LEFT JOIN tags t ON t.id = link.tag_id
                GROUP BY wanted.id
            ) AS fresh
            WHERE b.owner_id = $1 AND b.id = fresh.id AND b.tag_words <> fresh.words
            """,
            owner_id,
            chunk,
        )


async def of_bookmarks(rows: Rows, owner_id: UUID, bookmark_ids: Sequence[UUID]) -> dict[UUID, list[TagRow]]:
    """Return the tags of each bookmark in the order of their paths, at most 100 each."""
    found = await rows.fetch(
        f"""
        SELECT t.*, wanted.id AS bookmark_id FROM unnest($2::uuid[]) AS wanted (id) CROSS JOIN LATERAL (
            SELECT {COLUMNS} FROM bookmark_tags link JOIN tags t ON t.id = link.tag_id
            WHERE link.bookmark_id = wanted.id AND t.owner_id = $1
            ORDER BY t.path_key COLLATE "C" LIMIT {MAX_TAGS_OF_BOOKMARK}
        ) AS t ORDER BY t.path_key COLLATE "C"
        """,
        owner_id,
        list(bookmark_ids),
    )
    return _grouped(found, bookmark_ids)


async def children(rows: Rows, owner_id: UUID, parents: Sequence[UUID]) -> dict[UUID, list[TagRow]]:
    """Return the tags right below each of `parents` in the order of their paths, at most 100 each."""
    found = await rows.fetch(
        f"""
        SELECT t.*, wanted.id AS home FROM unnest($2::uuid[]) AS wanted (id) CROSS JOIN LATERAL (
            SELECT {COLUMNS} FROM tags t WHERE t.parent_id = wanted.id AND t.owner_id = $1
            ORDER BY t.path_key COLLATE "C" LIMIT {MAX_CHILDREN_SHOWN}
        ) AS t ORDER BY t.path_key COLLATE "C"
        """,
        owner_id,
        list(parents),
    )
    return _grouped(found, parents)


async def aliases(rows: Rows, owner_id: UUID, tag_ids: Sequence[UUID]) -> dict[UUID, list[str]]:
    """Return the other names of each tag in order, at most 100 each."""
    named: dict[UUID, list[str]] = {key: [] for key in tag_ids}
    for row in await rows.fetch(
        f"""
        SELECT wanted.id, a.alias FROM unnest($2::uuid[]) AS wanted (id) CROSS JOIN LATERAL (
            SELECT alias, alias_key FROM tag_aliases WHERE owner_id = $1 AND tag_id = wanted.id
            ORDER BY alias_key COLLATE "C" LIMIT {MAX_ALIASES_SHOWN}
        ) AS a ORDER BY a.alias_key COLLATE "C"
        """,
        owner_id,
        list(tag_ids),
    ):
        named[row["id"]].append(row["alias"])
    return named


async def bookmark_counts(rows: Rows, owner_id: UUID, tag_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Return how many bookmarks outside the trash bear each tag itself."""
    counts = dict.fromkeys(tag_ids, 0)
    for row in await rows.fetch(
        """
        SELECT link.tag_id, count(*) AS number FROM bookmark_tags link JOIN bookmarks b ON b.id = link.bookmark_id
        WHERE link.tag_id = ANY($2) AND b.owner_id = $1 AND b.deleted_at IS NULL GROUP BY link.tag_id
        """,
        owner_id,
        list(tag_ids),
    ):
        counts[row["tag_id"]] = row["number"]
    return counts


def _grouped(found: Sequence[Any], homes: Sequence[UUID]) -> dict[UUID, list[TagRow]]:
    """Sort rows, whose last column is where they belong, under their homes."""
    grouped: dict[UUID, list[TagRow]] = {key: [] for key in homes}
    for row in found:
        grouped[row[_WIDTH]].append(TagRow(*row[:_WIDTH]))
    return grouped


def _conditions(wanted: TagFilter, arguments: list[Any]) -> list[str]:
    conditions = ["t.owner_id = $1"]
    if wanted.parent_id is not None:
        arguments.append(wanted.parent_id)
        conditions.append(f"t.parent_id = ${len(arguments)}")
    if wanted.roots_only:
        conditions.append("t.parent_id IS NULL")
    if wanted.path_contains is not None:
        arguments.append(wanted.path_contains)
        conditions.append(f"strpos(t.path_key, ${len(arguments)}) > 0")
    if wanted.is_used is not None:
        conditions.append(
            f"{'' if wanted.is_used else 'NOT '}EXISTS (SELECT FROM bookmark_tags link "
            "JOIN bookmarks b ON b.id = link.bookmark_id WHERE link.tag_id = t.id AND b.deleted_at IS NULL)"
        )
    return conditions
