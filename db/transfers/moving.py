"""What one piece of a transfer writes. Whoever calls holds the locks of both accounts, and of the bookmarks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Final
from uuid import UUID

import asyncpg

from db.collections import MAX_COLLECTIONS_OF_BOOKMARK
from db.imports.chunks import Raced
from db.tags import MAX_TAGS_OF_BOOKMARK
from db.unit import Unit

FOLLOWING: Final = ("embeddings", "link_checks", "link_health", "pages", "screenshots")
"""Tables whose rows go with their bookmark to its new owner."""

DROPPED: Final = ("suggestions",)
"""Tables whose rows speak of tags, collections and rules of the owner before, and end with the move."""

LEFT: Final = ("a2a_task_items", "import_rows")
"""Tables that tell what was done once, to an account that stays; they name bookmarks that may be gone."""

_LINKS: Final = {
    "bookmark_tags": ("tag_id", "", MAX_TAGS_OF_BOOKMARK),
    "bookmark_collections": ("collection_id", ", min(link.added_at) AS added_at", MAX_COLLECTIONS_OF_BOOKMARK),
}
_CATEGORY: Final = """(
    SELECT new.id FROM categories old JOIN categories new ON new.owner_id = $2 AND new.key = old.key
    WHERE old.id = {row}.category_id
)"""


@dataclass(frozen=True, slots=True)
class Picked:
    """A bookmark that is to go, and the one of the same address that is there already, if any."""

    id: UUID
    is_trashed: bool
    has_category: bool
    twin: UUID | None
    twin_is_trashed: bool | None


@dataclass(frozen=True, slots=True)
class FolderRow:
    """A collection as far as it is made anew elsewhere."""

    id: UUID
    parent_id: UUID | None
    name: str
    slug: str
    description: str | None
    position: int


_FOLDER: Final = ", ".join(f"c.{item.name}" for item in fields(FolderRow))


async def pick(unit: Unit, from_id: UUID, to_id: UUID, *, limit: int) -> list[Picked]:
    """Return the next bookmarks to go, locked with their twins. Raises `Raced` when a twin goes meanwhile."""
    found = await unit.fetch(
        """
        WITH chosen AS (SELECT id FROM bookmarks WHERE owner_id = $1 ORDER BY url_key LIMIT $3)
        SELECT b.id, b.deleted_at IS NOT NULL, b.category_id IS NOT NULL, t.id AS twin, t.deleted_at IS NOT NULL
        FROM chosen JOIN bookmarks b ON b.id = chosen.id AND b.owner_id = $1
        LEFT JOIN bookmarks t ON t.owner_id = $2 AND t.url_key = b.url_key
        ORDER BY b.id FOR UPDATE OF b
        """,
        from_id,
        to_id,
        limit,
    )
    picked = [Picked(*row) for row in found]
    twins = {one.twin: one.twin_is_trashed for one in picked if one.twin is not None}
    locked = await unit.fetch(
        "SELECT id, deleted_at IS NOT NULL FROM bookmarks WHERE id = ANY($1) AND owner_id = $2 ORDER BY id FOR UPDATE",
        list(twins),
        to_id,
    )
    if {row[0]: row[1] for row in locked} != twins:
        raise Raced
    return picked


async def tags_of(unit: Unit, from_id: UUID, keys: Sequence[UUID]) -> dict[UUID, str]:
    """Return the path of every tag that one of these bookmarks bears, by the tag's key."""
    found = await unit.fetch(
        """
        SELECT id, path FROM tags
        WHERE owner_id = $1 AND id IN (SELECT tag_id FROM bookmark_tags WHERE bookmark_id = ANY($2))
        """,
        from_id,
        list(keys),
    )
    return {row["id"]: row["path"] for row in found}


async def folders_of(unit: Unit, from_id: UUID, keys: Sequence[UUID]) -> list[FolderRow]:
    """Return the collections that these bookmarks lie in, and all around them, in their order among siblings."""
    found = await unit.fetch(
        f"""
        WITH RECURSIVE used AS (
            SELECT id, parent_id FROM collections
            WHERE owner_id = $1
                AND id IN (SELECT collection_id FROM bookmark_collections WHERE bookmark_id = ANY($2))
            UNION SELECT up.id, up.parent_id FROM collections up JOIN used ON up.id = used.parent_id
        ) SELECT {_FOLDER} FROM used JOIN collections c ON c.id = used.id ORDER BY c.position, c.id
        """,
        from_id,
        list(keys),
    )
    return [FolderRow(*row) for row in found]


async def dress(unit: Unit, table: str, made: Mapping[UUID, UUID]) -> None:
    """Give new `collections` or `tags` the colour, and collections the icon, of those that they were made after."""
    icon = ", icon = old.icon" if table == "collections" else ""
    await unit.execute(
        f"""
        UPDATE {table} fresh SET color = old.color{icon}
        FROM unnest($1::uuid[], $2::uuid[]) AS made (new_id, old_id) JOIN {table} old ON old.id = made.old_id
        WHERE fresh.id = made.new_id
        """,
        list(made),
        list(made.values()),
    )


async def relink(unit: Unit, table: str, to_id: UUID, pairs: Mapping[UUID, UUID], places: Mapping[UUID, UUID]) -> None:
    """Link bookmarks to tags or collections of their new owner, as far as there is room.

    `table` is one of the two tables of links, `pairs` has `{bookmark: bookmark that it becomes}`, `places`
    `{tag or collection: that of the new owner}`. Links of the owner before stay; they do not count.
    """
    column, also, most = _LINKS[table]
    more = ", added_at" if also else ""
    await unit.execute(
        f"""
        INSERT INTO {table} (bookmark_id, {column}, owner_id{more})
        SELECT target, place, $1{more} FROM (
            SELECT wanted.*, row_number() OVER (PARTITION BY target ORDER BY place)
                + (SELECT count(*) FROM {table} WHERE bookmark_id = target AND owner_id = $1) AS number
            FROM (
                SELECT pair.target, place.new_id AS place{also} FROM {table} link
                JOIN unnest($2::uuid[], $3::uuid[]) AS pair (source, target) ON pair.source = link.bookmark_id
                JOIN unnest($4::uuid[], $5::uuid[]) AS place (old_id, new_id) ON place.old_id = link.{column}
                GROUP BY 1, 2
            ) AS wanted
            WHERE NOT EXISTS (SELECT FROM {table} had WHERE had.bookmark_id = target AND had.{column} = place)
        ) AS numbered WHERE number <= {most}
        """,
        to_id,
        list(pairs),
        list(pairs.values()),
        list(places),
        list(places.values()),
    )


async def adopt(unit: Unit, from_id: UUID, to_id: UUID, keys: Sequence[UUID]) -> None:
    """Give bookmarks and what hangs on them to another account; what they were linked to before they are no more.

    Raises `Raced` when somebody has saved one of the addresses meanwhile.
    """
    for table in _LINKS:
        await unit.execute(f"DELETE FROM {table} WHERE bookmark_id = ANY($1) AND owner_id = $2", list(keys), from_id)
    for table in DROPPED:
        await unit.execute(f"DELETE FROM {table} WHERE bookmark_id = ANY($1)", list(keys))
    for table in FOLLOWING:
        await unit.execute(f"UPDATE {table} SET owner_id = $2 WHERE bookmark_id = ANY($1)", list(keys), to_id)
    try:
        await unit.execute(
            f"""
            UPDATE bookmarks b SET owner_id = $2, version = version + 1, category_id = {_CATEGORY.format(row="b")}
            WHERE b.owner_id = $1 AND b.id = ANY($3)
            """,
            from_id,
            to_id,
            list(keys),
        )
    except asyncpg.UniqueViolationError as error:
        raise Raced from error


async def merge(unit: Unit, from_id: UUID, to_id: UUID, pairs: Mapping[UUID, UUID]) -> None:
    """Fill what is empty in bookmarks from those of the same address, `{from: to}`, and take them out of the trash."""
    await unit.execute(
        f"""
        UPDATE bookmarks t SET version = t.version + 1, updated_at = now(), deleted_at = NULL,
            title = coalesce(nullif(t.title, ''), s.title),
            description = coalesce(nullif(t.description, ''), s.description),
            notes = coalesce(nullif(t.notes, ''), s.notes),
            favicon_url = coalesce(nullif(t.favicon_url, ''), s.favicon_url),
            is_favorite = t.is_favorite OR s.is_favorite,
            category_id = coalesce(t.category_id, {_CATEGORY.format(row="s")})
        FROM unnest($3::uuid[], $4::uuid[]) AS pair (source, target)
        JOIN bookmarks s ON s.id = pair.source AND s.owner_id = $1
        WHERE t.id = pair.target AND t.owner_id = $2
        """,
        from_id,
        to_id,
        list(pairs),
        list(pairs.values()),
    )


async def drop(unit: Unit, from_id: UUID, keys: Sequence[UUID]) -> None:
    """Remove bookmarks of which nothing is needed any more, with what hangs on them."""
    await unit.execute("DELETE FROM bookmarks WHERE owner_id = $1 AND id = ANY($2)", from_id, list(keys))
