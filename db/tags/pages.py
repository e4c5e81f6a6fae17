"""Lists of tags, read by keyset."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from db.tags.rows import COLUMNS, TagRow
from db.unit import Rows


@dataclass(frozen=True, slots=True, kw_only=True)
class TagFilter:
    """Which tags. None means no condition; `is_used` counts bookmarks that are not in the trash, direct links only."""

    parent_id: UUID | None = None
    roots_only: bool = False
    path_contains: str | None = None
    is_used: bool | None = None


class TagSort(StrEnum):
    """What a list of tags can be ordered by."""

    PATH = "PATH"
    CREATED_AT = "CREATED_AT"


# Byte order, so that a list does not depend on the locale of the server, and a subtree stands together.
_SORT_SQL = {TagSort.PATH: 't.path_key COLLATE "C"', TagSort.CREATED_AT: "t.created_at"}


async def page(
    rows: Rows,
    owner_id: UUID,
    wanted: TagFilter,
    *,
    sort: TagSort,
    descending: bool,
    position: tuple[datetime | str, UUID] | None,
    limit: int,
) -> list[TagRow]:
    """Return at most `limit` tags beyond `position`, in the direction of reading."""
    arguments: list[Any] = [owner_id]
    conditions = _conditions(wanted, arguments)
    expression, direction = _SORT_SQL[sort], "DESC" if descending else "ASC"
    if position is not None:
        arguments += position
        compare = "<" if descending else ">"
        conditions.append(f"({expression}, t.id) {compare} (${len(arguments) - 1}, ${len(arguments)})")
    found = await rows.fetch(
        f"""
        SELECT {COLUMNS} FROM tags t WHERE {" AND ".join(conditions)}
        ORDER BY {expression} {direction}, t.id {direction} LIMIT {int(limit)}
        """,
        *arguments,
    )
    return [TagRow(*row) for row in found]


async def count(rows: Rows, owner_id: UUID, wanted: TagFilter) -> int:
    """Return how many tags meet `wanted`."""
    arguments: list[Any] = [owner_id]
    where = " AND ".join(_conditions(wanted, arguments))
    return int(await rows.fetchval(f"SELECT count(*) FROM tags t WHERE {where}", *arguments))


def _conditions(wanted: TagFilter, arguments: list[Any]) -> list[str]:
    conditions = ["t.owner_id = $1"]
    if wanted.parent_id is not None:
        arguments.append(wanted.parent_id)
        conditions.append(f"t.parent_id = ${len(arguments)}")
    if wanted.roots_only:
        conditions.append("t.parent_id IS NULL")
    if wanted.path_contains is not None:
        arguments.append(wanted.path_contains)
        conditions.append(f"strpos(t.path_key, ${len(arguments)}) > 0")
    if wanted.is_used is not None:
        conditions.append(
            f"{'' if wanted.is_used else 'NOT '}EXISTS (SELECT FROM bookmark_tags link "
            "JOIN bookmarks b ON b.id = link.bookmark_id WHERE link.tag_id = t.id AND b.deleted_at IS NULL)"
        )
    return conditions
