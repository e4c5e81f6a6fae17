"""Bookmarks that lead to the same page under different addresses, group by group, each found by walking an index."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from db.unit import Rows

MIN_WORDS: Final = 30
"""Pages of fewer words say the same by chance. The index of m0003 is made for this number."""

MIN_TITLE_CHARS: Final = 10
"""Shorter titles ("Home") are alike by chance."""

MAX_MEMBERS: Final = 100
"""Most bookmarks of a group that are named."""


class DuplicateReason(StrEnum):
    """What bookmarks have in common."""

    FINAL_URL = "FINAL_URL"
    CANONICAL = "CANONICAL"
    CONTENT = "CONTENT"
    TITLE = "TITLE"


@dataclass(frozen=True, slots=True)
class DuplicateRow:
    """A group: its place in the order of groups, how many bookmarks it has, and the first 100, the oldest leading."""

    key: str
    size: int
    bookmark_ids: list[UUID]


_HEALTH: Final = "link_health h JOIN bookmarks b ON b.id = h.bookmark_id"
_SOURCES: Final = {
    DuplicateReason.FINAL_URL: (_HEALTH, "h", "h.final_key", "bytea", "h.final_key IS NOT NULL"),
    DuplicateReason.CANONICAL: (_HEALTH, "h", "h.canonical_key", "bytea", "h.canonical_key IS NOT NULL"),
    DuplicateReason.CONTENT: (_HEALTH, "h", "h.content_simhash", "bigint", f"h.content_words >= {MIN_WORDS}"),
    DuplicateReason.TITLE: (
        "bookmarks b",
        "b",
        "left(lower(b.title), 100)",
        "text",
        f"char_length(b.title) >= {MIN_TITLE_CHARS}",
    ),
}
_READ: Final = {"bytea": "decode({0}, 'hex')", "bigint": "{0}::text::bigint", "text": "{0}"}
_SHOWN: Final = {"bytea": "encode({0}, 'hex')", "bigint": "({0})::text", "text": "{0}"}


async def groups(
    rows: Rows, owner_id: UUID, reason: DuplicateReason, *, position: str | None, limit: int
) -> list[DuplicateRow]:
    """Return at most `limit` groups of two or more bookmarks outside the trash, behind `position`, a group's key."""
    source, alias, value, kind, condition = _SOURCES[reason]
    after = "" if position is None else f"AND {value} > {_READ[kind].format('$2::text')}"
    found = await rows.fetch(
        f"""
        SELECT {_SHOWN[kind].format(value)} AS key, count(*)::int AS size,
            (array_agg(b.id ORDER BY b.added_at, b.id))[1:{MAX_MEMBERS}] AS bookmark_ids
        FROM {source} WHERE {alias}.owner_id = $1 AND b.deleted_at IS NULL AND {condition} {after}
        GROUP BY {value} HAVING count(*) > 1 ORDER BY {value} LIMIT {int(limit)}
        """,
        owner_id,
        *(() if position is None else (position,)),
    )
    return [DuplicateRow(row["key"], row["size"], list(row["bookmark_ids"])) for row in found]


async def count(rows: Rows, owner_id: UUID, reason: DuplicateReason) -> int:
    """Return how many groups there are."""
    source, alias, value, _, condition = _SOURCES[reason]
    return int(
        await rows.fetchval(
            f"""
            SELECT count(*) FROM (
                SELECT FROM {source} WHERE {alias}.owner_id = $1 AND b.deleted_at IS NULL AND {condition}
                GROUP BY {value} HAVING count(*) > 1
            ) AS groups
            """,
            owner_id,
        )
    )
