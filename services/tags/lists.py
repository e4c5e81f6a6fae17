"""Lists of tags: their order, their pages, how many there are."""

from dataclasses import replace
from datetime import datetime
from typing import cast
from uuid import UUID

from typing_extensions import TypeVar

from db import tags as rows_of
from db.shapes import Shape
from db.tags import Placed, TagFilter, TagRow, TagSort
from db.unit import Rows
from kit.paging import PageRequest
from kit.text import fold, sought
from services.permissions import Viewer

R = TypeVar("R", default=TagRow)


def order_name(sort: TagSort, *, descending: bool) -> str:
    """Return the name by which cursors of this order know it."""
    return f"tags:{sort}:{'DESC' if descending else 'ASC'}"


def order_kinds(sort: TagSort) -> tuple[type, ...]:
    """Return the types of a cursor's values in this order."""
    return (str if sort is TagSort.PATH else datetime, UUID)


async def page(
    rows: Rows,
    viewer: Viewer,
    wanted: TagFilter,
    request: PageRequest,
    *,
    sort: TagSort,
    descending: bool,
    shape: Shape[R] = rows_of.WHOLE.by_default,
) -> list[Placed[R]]:
    """Return one page of the viewer's tags in the direction of reading, and one more when there are more."""
    return await rows_of.page(
        rows,
        viewer.id,
        _searchable(wanted),
        sort=sort,
        descending=descending != request.backward,
        position=cast("tuple[datetime | str, UUID] | None", request.position),
        limit=request.limit + 1,
        shape=shape,
    )


async def count(rows: Rows, viewer: Viewer, wanted: TagFilter) -> int:
    """Return how many tags of the viewer meet `wanted`."""
    return await rows_of.count(rows, viewer.id, _searchable(wanted))


def _searchable(wanted: TagFilter) -> TagFilter:
    if wanted.path_contains is None:
        return wanted
    return replace(wanted, path_contains=fold(sought(wanted.path_contains, "pathContains")))
