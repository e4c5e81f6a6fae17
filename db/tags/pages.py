"""Lists of tags, read by keyset."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from typing_extensions import TypeVar

from db.query import Query
from db.shapes import Keyset, Shape
from db.tags.rows import WHOLE, TagRow
from db.unit import Rows

R = TypeVar("R", default=TagRow)
Placed = tuple[R, datetime | str, UUID]
"""A row, its value in the order that it was read in, and its key."""


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
    shape: Shape[R] = WHOLE.by_default,
) -> list[Placed[R]]:
    """Return at most `limit` tags beyond `position`, each with its place in the order, in the direction of reading."""
    query = Query(owner_id)
    keyset = Keyset("tags", "t", _SORT_SQL[sort], descending, position, limit)
    return await keyset.page(rows, query, _conditions(query, wanted), shape)


async def count(rows: Rows, owner_id: UUID, wanted: TagFilter) -> int:
    """Return how many tags meet `wanted`."""
    query = Query(owner_id)
    where = " AND ".join(_conditions(query, wanted))
    return int(await rows.fetchval(f"SELECT count(*) FROM tags t WHERE {where}", *query.arguments))


def _conditions(query: Query, wanted: TagFilter) -> list[str]:
    conditions = [f"t.owner_id = {query.owner}"]
    if wanted.parent_id is not None:
        conditions.append(f"t.parent_id = {query.bind(wanted.parent_id)}")
    if wanted.roots_only:
        conditions.append("t.parent_id IS NULL")
    if wanted.path_contains is not None:
        conditions.append(f"strpos(t.path_key, {query.bind(wanted.path_contains)}) > 0")
    if wanted.is_used is not None:
        conditions.append(
            f"{'' if wanted.is_used else 'NOT '}EXISTS (SELECT FROM bookmark_tags link "
            "JOIN bookmarks b ON b.id = link.bookmark_id WHERE link.tag_id = t.id AND b.deleted_at IS NULL)"
        )
    return conditions
