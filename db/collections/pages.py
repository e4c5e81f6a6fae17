"""Lists of collections, read by keyset."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from typing_extensions import TypeVar

from db.collections.rows import WHOLE, CollectionRow
from db.query import Query
from db.shapes import Keyset, Shape
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
R = TypeVar("R", default=CollectionRow)
Placed = tuple[R, SortValue, UUID]
"""A row, its value in the order that it was read in, and its key."""
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
    shape: Shape[R] = WHOLE.by_default,
) -> list[Placed[R]]:
    """Return at most `limit` collections beyond `position`, each with its place in the order, in reading direction."""
    query = Query(owner_id)
    value_type = "bigint" if sort is CollectionSort.POSITION else ""
    keyset = Keyset("collections", "c", _SORT_SQL[sort], descending, position, limit, value_type)
    return await keyset.page(rows, query, _conditions(query, wanted), shape)


async def count(rows: Rows, owner_id: UUID, wanted: CollectionFilter) -> int:
    """Return how many collections meet `wanted`."""
    query = Query(owner_id)
    where = " AND ".join(_conditions(query, wanted))
    return int(await rows.fetchval(f"SELECT count(*) FROM collections c WHERE {where}", *query.arguments))


def _conditions(query: Query, wanted: CollectionFilter) -> list[str]:
    conditions = [f"c.owner_id = {query.owner}"]
    if wanted.parent_id is not None:
        conditions.append(f"c.parent_id = {query.bind(wanted.parent_id)}")
    if wanted.roots_only:
        conditions.append("c.parent_id IS NULL")
    if wanted.name_contains is not None:
        conditions.append(f"strpos(lower(c.name), lower({query.bind(wanted.name_contains)})) > 0")
    return conditions
