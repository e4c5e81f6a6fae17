"""The tree of an owner's collections: found, grown, arranged."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any
from uuid import UUID

from db.collections.rows import COLUMNS, SOURCE, CollectionDraft, CollectionRow
from db.shapes import One, Several
from db.unit import Rows, Unit

PARENT = One(SOURCE, needs=("parent_id",), key="parent_id")
"""The collection that a collection lies below."""
CHILDREN = Several(SOURCE, needs=("id",), key="parent_id", order="{row}.position, {row}.id", limit=100)
"""The collections right below a collection, in their order."""
_DRAFT_COLUMNS = [item.name for item in fields(CollectionDraft)]


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
