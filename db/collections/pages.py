"""Lists of collections, read by keyset."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from db.collections.rows import COLUMNS, WIDTH, CollectionRow
from db.unit import Rows


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionFilter:
    """Which collections. None means no condition."""

    parent_id: UUID | None = None
    roots_only: bool = False
    name_contains: str | None = None


class CollectionSort(StrEnum):
    """What a list of collections can be ordered by."""

    POSITION = "POSITION"
    NAME = "NAME"
    CREATED_AT = "CREATED_AT"
    UPDATED_AT = "UPDATED_AT"


SortValue = int | str | datetime
Placed = tuple[CollectionRow, SortValue]
"""A row and its value in the order that it was read in."""
_SORT_SQL = {
    CollectionSort.POSITION: "c.position",
    CollectionSort.NAME: "lower(c.name)",
    CollectionSort.CREATED_AT: "c.created_at",
    CollectionSort.UPDATED_AT: "c.updated_at",
}


async def page(
    rows: Rows,
    owner_id: UUID,
    wanted: CollectionFilter,
    *,
    sort: CollectionSort,
    descending: bool,
    position: tuple[SortValue, UUID] | None,
    limit: int,
) -> list[Placed]:
    """Return at most `limit` collections beyond `position`, each with its value in the order, in reading direction."""
    arguments: list[Any] = [owner_id]
    conditions = _conditions(wanted, arguments)
    expression, direction = _SORT_SQL[sort], "DESC" if descending else "ASC"
    if position is not None:
        arguments += position
        compare = "<" if descending else ">"
        value = f"${len(arguments) - 1}{'::bigint' if sort is CollectionSort.POSITION else ''}"
        conditions.append(f"({expression}, c.id) {compare} ({value}, ${len(arguments)})")
    found = await rows.fetch(
        f"""
        SELECT {COLUMNS}, {expression} FROM collections c WHERE {" AND ".join(conditions)}
        ORDER BY {expression} {direction}, c.id {direction} LIMIT {int(limit)}
        """,
        *arguments,
    )
    return [(CollectionRow(*row[:WIDTH]), row[WIDTH]) for row in found]


async def count(rows: Rows, owner_id: UUID, wanted: CollectionFilter) -> int:
    """Return how many collections meet `wanted`."""
    arguments: list[Any] = [owner_id]
    where = " AND ".join(_conditions(wanted, arguments))
    return int(await rows.fetchval(f"SELECT count(*) FROM collections c WHERE {where}", *arguments))


def _conditions(wanted: CollectionFilter, arguments: list[Any]) -> list[str]:
    conditions = ["c.owner_id = $1"]
    if wanted.parent_id is not None:
        arguments.append(wanted.parent_id)
        conditions.append(f"c.parent_id = ${len(arguments)}")
    if wanted.roots_only:
        conditions.append("c.parent_id IS NULL")
    if wanted.name_contains is not None:
        arguments.append(wanted.name_contains)
        conditions.append(f"strpos(lower(c.name), lower(${len(arguments)})) > 0")
    return conditions
