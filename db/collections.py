"""Collections as rows: a tree per owner, and which bookmarks lie where.

Two advisory locks per owner, held until the transaction ends and taken before any bookmark is locked: `hold` (shared)
by whoever is about to put bookmarks into collections, `reshape` (excludes it) by whoever changes the tree.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from db.unit import Rows, Unit

MAX_COLLECTIONS_OF_BOOKMARK = 100
MAX_CHILDREN_SHOWN = 100
_SHAPE_LOCK = 0x636F_6C6C


@dataclass(frozen=True, slots=True)
class CollectionRow:
    """A collection. `position` orders the children of one parent, ties broken by the id; the roots are one family."""

    id: UUID
    owner_id: UUID
    parent_id: UUID | None
    name: str
    slug: str
    description: str | None
    color: str | None
    icon: str | None
    is_smart: bool
    query: str | None
    position: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionDraft:
    """A collection before it is stored."""

    id: UUID
    parent_id: UUID | None
    name: str
    slug: str
    description: str | None = None
    color: str | None = None
    icon: str | None = None
    position: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionFilter:
    """Which collections. None means no condition."""

    parent_id: UUID | None = None
    roots_only: bool = False
    name_contains: str | None = None


class CollectionSort(StrEnum):
    """What a list of collections can be ordered by."""

    POSITION = "POSITION"
    NAME = "NAME"
    CREATED_AT = "CREATED_AT"
    UPDATED_AT = "UPDATED_AT"


SortValue = int | str | datetime
Placed = tuple[CollectionRow, SortValue]
"""A row and its value in the order that it was read in."""

COLUMNS = ", ".join(f"c.{item.name}" for item in fields(CollectionRow))
_WIDTH = len(fields(CollectionRow))
_DRAFT_COLUMNS = [item.name for item in fields(CollectionDraft)]
_SORT_SQL = {
    CollectionSort.POSITION: "c.position",
    CollectionSort.NAME: "lower(c.name)",
    CollectionSort.CREATED_AT: "c.created_at",
    CollectionSort.UPDATED_AT: "c.updated_at",
}


async def hold(unit: Unit, owner_id: UUID) -> None:
    """Keep the owner's tree as it is until the transaction ends; several may hold it at once."""
    await unit.execute(
        "SELECT pg_advisory_xact_lock_shared(hashtextextended($1::text, $2))", str(owner_id), _SHAPE_LOCK
    )


async def reshape(unit: Unit, owner_id: UUID) -> None:
    """Be the only one who changes or uses the owner's tree until the transaction ends."""
    await unit.execute("SELECT pg_advisory_xact_lock(hashtextextended($1::text, $2))", str(owner_id), _SHAPE_LOCK)


async def page(
    rows: Rows,
    owner_id: UUID,
    wanted: CollectionFilter,
    *,
    sort: CollectionSort,
    descending: bool,
    position: tuple[SortValue, UUID] | None,
    limit: int,
) -> list[Placed]:
    """Return at most `limit` collections beyond `position`, each with its value in the order, in reading direction."""
    arguments: list[Any] = [owner_id]
    conditions = _conditions(wanted, arguments)
    expression, direction = _SORT_SQL[sort], "DESC" if descending else "ASC"
    if position is not None:
        arguments += position
        compare = "<" if descending else ">"
        value = f"${len(arguments) - 1}{'::bigint' if sort is CollectionSort.POSITION else ''}"
        conditions.append(f"({expression}, c.id) {compare} ({value}, ${len(arguments)})")
    found = await rows.fetch(
        f"""
        SELECT {COLUMNS}, {expression} FROM collections c WHERE {" AND ".join(conditions)}
        ORDER BY {expression} {direction}, c.id {direction} LIMIT {int(limit)}
        """,
        *arguments,
    )
    return [(CollectionRow(*row[:_WIDTH]), row[_WIDTH]) for row in found]


async def count(rows: Rows, owner_id: UUID, wanted: CollectionFilter) -> int:
    """Return how many collections meet `wanted`."""
    arguments: list[Any] = [owner_id]
    where = " AND ".join(_conditions(wanted, arguments))
    return int(await rows.fetchval(f"SELECT count(*) FROM collections c WHERE {where}", *arguments))


async def by_ids(rows: Rows, owner_id: UUID, keys: Sequence[UUID]) -> list[CollectionRow]:
    """Return the owner's collections among `keys`."""
    found = await rows.fetch(
        f"SELECT {COLUMNS} FROM collections c WHERE c.owner_id = $1 AND c.id = ANY($2) ORDER BY c.id",
        owner_id,
        list(keys),
    )
    return [CollectionRow(*row) for row in found]


async def lineage(rows: Rows, owner_id: UUID, key: UUID) -> list[UUID]:
    """Return the ids from this collection up to its root."""
    found = await rows.fetch(
        """
        WITH RECURSIVE above AS (
            SELECT id, parent_id, 1 AS level FROM collections WHERE owner_id = $1 AND id = $2
            UNION ALL SELECT up.id, up.parent_id, above.level + 1
            FROM collections up JOIN above ON up.id = above.parent_id
        ) SELECT id FROM above ORDER BY level
        """,
        owner_id,
        key,
    )
    return [row["id"] for row in found]


async def subtree(rows: Rows, owner_id: UUID, key: UUID) -> list[tuple[UUID, int]]:
    """Return this collection and all below it, each with its level: 1 for the collection itself."""
    found = await rows.fetch(
        """
        WITH RECURSIVE below AS (
            SELECT id, 1 AS level FROM collections WHERE owner_id = $1 AND id = $2
            UNION ALL SELECT child.id, below.level + 1 FROM collections child JOIN below ON child.parent_id = below.id
        ) SELECT id, level FROM below ORDER BY level, id
        """,
        owner_id,
        key,
    )
    return [(row["id"], row["level"]) for row in found]


async def holds_at_least(rows: Rows, owner_id: UUID, number: int) -> bool:
    """Tell whether the owner has `number` collections or more."""
    return bool(
        await rows.fetchval(
            "SELECT count(*) >= $2 FROM (SELECT FROM collections WHERE owner_id = $1 LIMIT $2) AS held",
            owner_id,
            number,
        )
    )


async def family(rows: Rows, owner_id: UUID, parent_id: UUID | None) -> list[UUID]:
    """Return the ids of the children of one parent (of the roots when None) in their order."""
    found = await rows.fetch(
        """
        SELECT id FROM collections WHERE owner_id = $1 AND parent_id IS NOT DISTINCT FROM $2 ORDER BY position, id
        """,
        owner_id,
        parent_id,
    )
    return [row["id"] for row in found]


async def insert(unit: Unit, owner_id: UUID, draft: CollectionDraft) -> None:
    """Add a collection. Needs `reshape`."""
    await unit.execute(
        f"""
        INSERT INTO collections (owner_id, {", ".join(_DRAFT_COLUMNS)})
        VALUES ($1, {", ".join(f"${number}" for number in range(2, len(_DRAFT_COLUMNS) + 2))})
        """,
        owner_id,
        *(getattr(draft, name) for name in _DRAFT_COLUMNS),
    )


async def update(unit: Unit, owner_id: UUID, key: UUID, values: Mapping[str, Any]) -> None:
    """Set columns of one collection; `values` maps column names to new values."""
    sets = "".join(f", {name} = ${number}" for number, name in enumerate(values, start=3))
    await unit.execute(
        f"UPDATE collections SET updated_at = now(){sets} WHERE owner_id = $1 AND id = $2",
        owner_id,
        key,
        *values.values(),
    )


async def arrange(unit: Unit, owner_id: UUID, parent_id: UUID | None, ordered: Sequence[UUID]) -> None:
    """Make `ordered` the children of one parent, in this order. Needs `reshape`."""
    await unit.execute(
        """
        UPDATE collections c SET parent_id = $2, position = wanted.place - 1,
            updated_at = CASE WHEN c.parent_id IS DISTINCT FROM $2 THEN now() ELSE c.updated_at END
        FROM unnest($3::uuid[]) WITH ORDINALITY AS wanted (id, place)
        WHERE c.owner_id = $1 AND c.id = wanted.id
            AND (c.position <> wanted.place - 1 OR c.parent_id IS DISTINCT FROM $2)
        """,
        owner_id,
        parent_id,
        list(ordered),
    )


async def delete(unit: Unit, owner_id: UUID, key: UUID) -> bool:
    """Remove a collection with everything below it; bookmarks stay. Needs `reshape`. False when it is not there."""
    return bool(await unit.execute("DELETE FROM collections WHERE owner_id = $1 AND id = $2", owner_id, key))


async def linked_bookmarks(rows: Rows, owner_id: UUID, keys: Sequence[UUID]) -> list[UUID]:
    """Return the ids of all bookmarks in these collections, the trash included, in order."""
    found = await rows.fetch(
        """
        SELECT DISTINCT link.bookmark_id FROM bookmark_collections link JOIN collections c ON c.id = link.collection_id
        WHERE c.owner_id = $1 AND c.id = ANY($2) ORDER BY 1
        """,
        owner_id,
        list(keys),
    )
    return [row["bookmark_id"] for row in found]


async def add_links(unit: Unit, bookmark_ids: Sequence[UUID], collection_ids: Sequence[UUID]) -> list[UUID]:
    """Put every one of these bookmarks into every one of these collections; return the ids of those that moved.

    Whoever calls has locked the bookmarks and holds the tree.
    """
    found = await unit.fetch(
        """
        WITH come AS (
            INSERT INTO bookmark_collections (bookmark_id, collection_id)
            SELECT bookmark, collection FROM unnest($1::uuid[]) AS bookmark, unnest($2::uuid[]) AS collection
            ON CONFLICT DO NOTHING RETURNING bookmark_id
        ) SELECT DISTINCT bookmark_id FROM come ORDER BY 1
        """,
        list(bookmark_ids),
        list(collection_ids),
    )
    return [row["bookmark_id"] for row in found]


async def remove_links(unit: Unit, bookmark_ids: Sequence[UUID], collection_id: UUID) -> list[UUID]:
    """Take bookmarks out of a collection; return the ids of those that were in it."""
    found = await unit.fetch(
        """
        WITH gone AS (
            DELETE FROM bookmark_collections WHERE collection_id = $2 AND bookmark_id = ANY($1) RETURNING bookmark_id
        ) SELECT bookmark_id FROM gone ORDER BY 1
        """,
        list(bookmark_ids),
        collection_id,
    )
    return [row["bookmark_id"] for row in found]


async def replace_links(unit: Unit, bookmark_id: UUID, collection_ids: Sequence[UUID]) -> bool:
    """Let a bookmark lie in exactly these collections; tell whether that changed anything."""
    gone = await unit.execute(
        "DELETE FROM bookmark_collections WHERE bookmark_id = $1 AND collection_id <> ALL($2)",
        bookmark_id,
        list(collection_ids),
    )
    return bool(await add_links(unit, [bookmark_id], collection_ids)) or gone > 0


async def fullest(unit: Unit, bookmark_ids: Sequence[UUID]) -> int:
    """Return in how many collections that one of these bookmarks lies which lies in most."""
    return int(
        await unit.fetchval(
            """
            SELECT coalesce(max(number), 0) FROM (
                SELECT count(*) AS number FROM bookmark_collections WHERE bookmark_id = ANY($1) GROUP BY bookmark_id
            ) AS counted
            """,
            list(bookmark_ids),
        )
    )


async def of_bookmarks(rows: Rows, owner_id: UUID, bookmark_ids: Sequence[UUID]) -> dict[UUID, list[CollectionRow]]:
    """Return the collections of each bookmark, the one that it was put into first leading, at most 100 each."""
    found = await rows.fetch(
        f"""
        SELECT c.*, wanted.id AS home FROM unnest($2::uuid[]) AS wanted (id) CROSS JOIN LATERAL (
            SELECT {COLUMNS}, link.added_at
            FROM bookmark_collections link JOIN collections c ON c.id = link.collection_id
            WHERE link.bookmark_id = wanted.id AND c.owner_id = $1
            ORDER BY link.added_at, c.id LIMIT {MAX_COLLECTIONS_OF_BOOKMARK}
        ) AS c ORDER BY c.added_at, c.id
        """,
        owner_id,
        list(bookmark_ids),
    )
    return _grouped(found, bookmark_ids)


async def children(rows: Rows, owner_id: UUID, parents: Sequence[UUID]) -> dict[UUID, list[CollectionRow]]:
    """Return the collections right below each of `parents` in their order, at most 100 each."""
    found = await rows.fetch(
        f"""
        SELECT c.*, wanted.id AS home FROM unnest($2::uuid[]) AS wanted (id) CROSS JOIN LATERAL (
            SELECT {COLUMNS} FROM collections c WHERE c.parent_id = wanted.id AND c.owner_id = $1
            ORDER BY c.position, c.id LIMIT {MAX_CHILDREN_SHOWN}
        ) AS c ORDER BY c.position, c.id
        """,
        owner_id,
        list(parents),
    )
    return _grouped(found, parents)


async def bookmark_counts(rows: Rows, owner_id: UUID, keys: Sequence[UUID]) -> dict[UUID, int]:
    """Return how many bookmarks outside the trash lie in each collection itself."""
    counts = dict.fromkeys(keys, 0)
    for row in await rows.fetch(
        """
        SELECT link.collection_id, count(*) AS number
        FROM bookmark_collections link JOIN bookmarks b ON b.id = link.bookmark_id
        WHERE link.collection_id = ANY($2) AND b.owner_id = $1 AND b.deleted_at IS NULL GROUP BY link.collection_id
        """,
        owner_id,
        list(keys),
    ):
        counts[row["collection_id"]] = row["number"]
    return counts


def _grouped(found: Sequence[Any], homes: Sequence[UUID]) -> dict[UUID, list[CollectionRow]]:
    grouped: dict[UUID, list[CollectionRow]] = {key: [] for key in homes}
    for row in found:
        grouped[row["home"]].append(CollectionRow(*row[:_WIDTH]))
    return grouped


def _conditions(wanted: CollectionFilter, arguments: list[Any]) -> list[str]:
    conditions = ["c.owner_id = $1"]
    if wanted.parent_id is not None:
        arguments.append(wanted.parent_id)
        conditions.append(f"c.parent_id = ${len(arguments)}")
    if wanted.roots_only:
        conditions.append("c.parent_id IS NULL")
    if wanted.name_contains is not None:
        arguments.append(wanted.name_contains)
        conditions.append(f"strpos(lower(c.name), lower(${len(arguments)})) > 0")
    return conditions
