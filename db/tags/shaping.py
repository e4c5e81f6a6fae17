"""Adding tags, moving them, merging and removing them. Whoever calls holds the lock that each asks for."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from db.tags.rows import COLUMNS, TagRow
from db.unit import Unit

Place = tuple[UUID, UUID | None, str, str, str]
"""Which tag stands where: `(id, parent_id, name, path, path_key)`."""


async def insert(unit: Unit, owner_id: UUID, drafts: Sequence[Place]) -> list[TagRow]:
    """Add tags, parents in the same call or there before.

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


async def place(unit: Unit, owner_id: UUID, moved: Sequence[Place]) -> None:
    """Give tags new places. Needs `reshape`, and keys that are free."""
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


async def redirect(unit: Unit, owner_id: UUID, merged: Mapping[UUID, UUID]) -> None:
    """Give the links and aliases of tags to other tags, `{from: to}`; what is linked twice then is linked once."""
    old, new = list(merged), list(merged.values())
    await unit.execute(
        """
        INSERT INTO bookmark_tags (tag_id, bookmark_id, owner_id)
        SELECT merged.new_id, link.bookmark_id, $1 FROM unnest($2::uuid[], $3::uuid[]) AS merged (old_id, new_id)
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
