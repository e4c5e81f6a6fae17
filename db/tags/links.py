"""Which bookmarks bear a tag, and the words by which search finds them."""

from collections.abc import Sequence
from uuid import UUID

from db.shapes import Link, Several
from db.tags.rows import SOURCE
from db.unit import Unit

MAX_TAGS_OF_BOOKMARK = 100
OF_BOOKMARK = Several(
    SOURCE,
    needs=("id",),
    link=Link("bookmark_tags", "bookmark_id", "tag_id"),
    order='{row}.path_key COLLATE "C"',
    limit=MAX_TAGS_OF_BOOKMARK,
)
"""The tags of a bookmark in the order of their paths."""
_REFRESH_CHUNK = 1_000  # each statement stays far below the statement timeout


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
