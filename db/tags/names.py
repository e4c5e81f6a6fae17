"""The other names that lead to a tag."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from db.shapes import Kind, Value
from db.tags.rows import COLUMNS, WIDTH, TagRow
from db.unit import Rows, Unit

MAX_ALIASES_SHOWN = 100
ALIASES = Value(
    "array_to_json(ARRAY(SELECT alias FROM tag_aliases WHERE owner_id = {owner} AND tag_id = {row}.id "
    f'ORDER BY alias_key COLLATE "C" LIMIT {MAX_ALIASES_SHOWN}))',
    Kind.TEXTS,
)
"""The other names of a tag, in order."""


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
    return {row["alias_key"]: TagRow(*row[:WIDTH]) for row in found}


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
