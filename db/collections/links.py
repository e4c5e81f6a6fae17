"""Which bookmarks lie in which collections."""

from collections.abc import Sequence
from uuid import UUID

from db.collections.rows import SOURCE
from db.shapes import Link, Several
from db.unit import Rows, Unit

MAX_COLLECTIONS_OF_BOOKMARK = 100
OF_BOOKMARK = Several(
    SOURCE,
    needs=("id",),
    link=Link("bookmark_collections", "bookmark_id", "collection_id"),
    order="link.added_at, link.collection_id",  # as their index has it: nothing is sorted
    limit=MAX_COLLECTIONS_OF_BOOKMARK,
)
"""The collections that a bookmark lies in, the one that it was put into first leading."""


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
            INSERT INTO bookmark_collections (bookmark_id, collection_id, owner_id)
            SELECT b.id, collection, b.owner_id FROM bookmarks b, unnest($2::uuid[]) AS collection
            WHERE b.id = ANY($1)
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
