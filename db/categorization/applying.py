"""Putting tags, collections and categories on bookmarks, in sets.

Whoever calls holds the owner's tags and collections and has locked the bookmarks, in this order (db.tags).
"""

from collections.abc import Iterable, Sequence
from uuid import UUID

from db.collections import MAX_COLLECTIONS_OF_BOOKMARK
from db.tags import MAX_TAGS_OF_BOOKMARK
from db.unit import Unit

Pair = tuple[UUID, UUID]
"""A bookmark and what belongs to it."""

# A pair beyond the limit is left out, as is one whose tag or collection has meanwhile gone.
_ADD = """
WITH come AS (
    INSERT INTO {table} (bookmark_id, {column}, owner_id) SELECT wanted.bookmark_id, wanted.target_id, $1 FROM (
        SELECT pair.*, row_number() OVER (PARTITION BY pair.bookmark_id ORDER BY pair.place) AS nth
        FROM unnest($2::uuid[], $3::uuid[]) WITH ORDINALITY AS pair (bookmark_id, target_id, place)
        WHERE NOT EXISTS (
            SELECT FROM {table} link WHERE link.bookmark_id = pair.bookmark_id AND link.{column} = pair.target_id
        )
    ) AS wanted
    JOIN bookmarks b ON b.id = wanted.bookmark_id AND b.owner_id = $1
    JOIN {home} home ON home.id = wanted.target_id AND home.owner_id = $1
    WHERE (SELECT count(*) FROM {table} link WHERE link.bookmark_id = wanted.bookmark_id) + wanted.nth <= {limit}
    ON CONFLICT DO NOTHING RETURNING bookmark_id, {column} AS target_id
) SELECT bookmark_id, target_id FROM come
"""
_TAGS = {"table": "bookmark_tags", "column": "tag_id"}
_COLLECTIONS = {"table": "bookmark_collections", "column": "collection_id"}


async def add_tags(unit: Unit, owner_id: UUID, pairs: Sequence[Pair]) -> set[Pair]:
    """Let bookmarks bear tags, as far as there is room; return the pairs that are new."""
    return await _add(unit, owner_id, pairs, _ADD.format(**_TAGS, home="tags", limit=MAX_TAGS_OF_BOOKMARK))


async def add_collections(unit: Unit, owner_id: UUID, pairs: Sequence[Pair]) -> set[Pair]:
    """Put bookmarks into collections, as far as there is room; return the pairs that are new."""
    sql = _ADD.format(**_COLLECTIONS, home="collections", limit=MAX_COLLECTIONS_OF_BOOKMARK)
    return await _add(unit, owner_id, pairs, sql)


async def remove_links(unit: Unit, owner_id: UUID, *, tags: Iterable[Pair], collections: Iterable[Pair]) -> set[Pair]:
    """Take tags off bookmarks and bookmarks out of collections; return the pairs that were there."""
    gone: set[Pair] = set()
    for names, pairs in ((_TAGS, list(tags)), (_COLLECTIONS, list(collections))):
        if pairs:
            found = await unit.fetch(
                """
                DELETE FROM {table} link
                USING unnest($2::uuid[], $3::uuid[]) AS pair (bookmark_id, target_id), bookmarks b
                WHERE link.bookmark_id = pair.bookmark_id AND link.{column} = pair.target_id
                    AND b.id = link.bookmark_id AND b.owner_id = $1
                RETURNING link.bookmark_id, link.{column}
                """.format(**names),
                owner_id,
                *_columns(pairs),
            )
            gone |= {(row[0], row[1]) for row in found}
    return gone


async def set_category(unit: Unit, owner_id: UUID, pairs: Sequence[tuple[UUID, UUID | None]]) -> set[UUID]:
    """Give bookmarks their category, None for none; return the ids of those that had another."""
    if not pairs:
        return set()
    found = await unit.fetch(
        """
        UPDATE bookmarks b SET category_id = pair.category_id
        FROM unnest($2::uuid[], $3::uuid[]) AS pair (bookmark_id, category_id)
        WHERE b.owner_id = $1 AND b.id = pair.bookmark_id AND b.category_id IS DISTINCT FROM pair.category_id
        RETURNING b.id
        """,
        owner_id,
        *_columns(pairs),
    )
    return {row["id"] for row in found}


async def _add(unit: Unit, owner_id: UUID, pairs: Sequence[Pair], sql: str) -> set[Pair]:
    if not pairs:
        return set()
    found = await unit.fetch(sql, owner_id, *_columns(pairs))
    return {(row["bookmark_id"], row["target_id"]) for row in found}


def _columns(pairs: Sequence[tuple[UUID, UUID | None]]) -> tuple[list[UUID], list[UUID | None]]:
    return [one for one, _ in pairs], [other for _, other in pairs]
