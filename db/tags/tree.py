"""Finding tags by their place in the tree."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from db.shapes import One, Several
from db.tags.rows import COLUMNS, SOURCE, TagRow
from db.unit import Rows

PARENT = One(SOURCE, needs=("parent_id",), key="parent_id")
"""The tag that a tag lies below."""
CHILDREN = Several(SOURCE, needs=("id",), key="parent_id", order='{row}.path_key COLLATE "C"', limit=100)
"""The tags right below a tag, in the order of their paths."""


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
