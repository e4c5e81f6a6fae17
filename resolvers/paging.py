"""Connections: the four arguments, and rows cut into a page with its cursors."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar

import strawberry

from kit.paging import CursorValue, PageRequest, encode_cursor

R = TypeVar("R")

First = Annotated[
    int | None, strawberry.argument(description="How many to return from the start: 1 to 100, 20 when left out.")
]
After = Annotated[str | None, strawberry.argument(description="Return what comes after this cursor.")]
Last = Annotated[int | None, strawberry.argument(description="How many to return from the end: 1 to 100.")]
Before = Annotated[str | None, strawberry.argument(description="Return what comes before this cursor.")]


@dataclass(frozen=True, slots=True)
class PageInfoRow:
    """Where the page lies in its list."""

    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@dataclass(frozen=True, slots=True)
class EdgeRow(Generic[R]):
    """A row and its cursor."""

    cursor: str
    node: R


@dataclass(frozen=True, slots=True)
class ConnectionRows(Generic[R]):
    """One page. `count` is asked only when `totalCount` is selected."""

    edges: list[EdgeRow[R]]
    nodes: list[R]
    page_info: PageInfoRow
    count: Callable[[], Awaitable[int]]


def connection(
    request: PageRequest,
    order: str,
    rows: Sequence[R],
    position_of: Callable[[R], tuple[CursorValue, ...]],
    count: Callable[[], Awaitable[int]],
) -> ConnectionRows[R]:
    """Cut `rows` into the page that `request` asks for.

    `rows` are in the direction of reading and hold one more than `request.limit` when the list goes on. `position_of`
    gives a row's sort values in `order`, the unique key last.
    """
    goes_on = len(rows) > request.limit
    kept = list(rows[: request.limit])
    if request.backward:
        kept.reverse()
    came_from = request.position is not None
    edges = [EdgeRow(encode_cursor(order, position_of(row)), row) for row in kept]
    info = PageInfoRow(
        has_next_page=came_from if request.backward else goes_on,
        has_previous_page=goes_on if request.backward else came_from,
        start_cursor=edges[0].cursor if edges else None,
        end_cursor=edges[-1].cursor if edges else None,
    )
    return ConnectionRows(edges=edges, nodes=kept, page_info=info, count=count)


async def total_count(page: strawberry.Parent[ConnectionRows[R]]) -> int:
    """Count the whole list, because somebody asked."""
    return await page.count()
