"""What an owner's library says about how to sort a bookmark."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from db.unit import Rows

MAX_COUNTED: Final = 10_000
"""How often a tag or collection is used, and how large a library is, is counted no further."""

# A leaf without what separates its words; services.categorization.normal compares exactly.
_JOINED = r"regexp_replace(regexp_replace({key}, '^.*/', ''), '[\s_.\u2010-\u2015-]+', '', 'g')"


@dataclass(frozen=True, slots=True)
class BorneRow:
    """How a bookmark is sorted. Collections that a query fills are left out."""

    bookmark_id: UUID
    tag_ids: list[UUID]
    collection_ids: list[UUID]
    category_id: UUID | None


@dataclass(frozen=True, slots=True)
class AlikeRow:
    """A tag whose path or alias ends in a name that was looked for; `key` is that path's or alias's."""

    tag_id: UUID
    path: str
    key: str


async def borne(rows: Rows, owner_id: UUID, keys: Sequence[UUID]) -> dict[UUID, BorneRow]:
    """Return how the owner's bookmarks among `keys` are sorted, the trash left out, by id."""
    found = await rows.fetch(
        """
        SELECT b.id AS bookmark_id, b.category_id,
            ARRAY(SELECT tag_id FROM bookmark_tags WHERE bookmark_id = b.id ORDER BY tag_id) AS tag_ids,
            ARRAY(
                SELECT c.id FROM bookmark_collections link JOIN collections c ON c.id = link.collection_id
                WHERE link.bookmark_id = b.id AND NOT c.is_smart ORDER BY c.id
            ) AS collection_ids
        FROM bookmarks b WHERE b.owner_id = $1 AND b.id = ANY($2) AND b.deleted_at IS NULL
        """,
        owner_id,
        list(keys),
    )
    return {row["bookmark_id"]: BorneRow(**row) for row in found}


async def frequencies(rows: Rows, *, tags: Iterable[UUID], collections: Iterable[UUID]) -> dict[UUID, int]:
    """Return how many bookmarks bear each of these tags or lie in each of these collections, up to 10,000."""
    counted: dict[UUID, int] = {}
    for table, column, keys in (
        ("bookmark_tags", "tag_id", list(tags)),
        ("bookmark_collections", "collection_id", list(collections)),
    ):
        found = await rows.fetch(
            f"""
            SELECT wanted.id, (
                SELECT count(*) FROM (SELECT FROM {table} WHERE {column} = wanted.id LIMIT {MAX_COUNTED}) AS link
            ) AS number FROM unnest($1::uuid[]) AS wanted (id)
            """,
            keys,
        )
        counted |= {row["id"]: row["number"] for row in found}
    return counted


async def library_size(rows: Rows, owner_id: UUID) -> int:
    """Return how many bookmarks the owner has outside the trash, up to 10,000."""
    return int(
        await rows.fetchval(
            f"""
            SELECT count(*) FROM (
                SELECT FROM bookmarks WHERE owner_id = $1 AND deleted_at IS NULL LIMIT {MAX_COUNTED}
            ) AS b
            """,
            owner_id,
        )
    )


async def tags_alike(rows: Rows, owner_id: UUID, joined: Sequence[str], *, limit: int) -> list[AlikeRow]:
    """Return tags whose innermost name, written in one word, is among `joined`, aliases followed, shortest path first.

    Reads all tags of the owner once: 200,000 at most.
    """
    found = await rows.fetch(
        f"""
        SELECT tag_id, path, key FROM (
            SELECT t.id AS tag_id, t.path, t.path_key AS key FROM tags t
            WHERE t.owner_id = $1 AND {_JOINED.format(key="t.path_key")} = ANY($2)
            UNION ALL
            SELECT t.id, t.path, a.alias_key FROM tag_aliases a JOIN tags t ON t.id = a.tag_id AND t.owner_id = $1
            WHERE a.owner_id = $1 AND {_JOINED.format(key="a.alias_key")} = ANY($2)
        ) AS alike ORDER BY char_length(key), key COLLATE "C", tag_id LIMIT {int(limit)}
        """,
        owner_id,
        list(joined),
    )
    return [AlikeRow(**row) for row in found]
