"""Connections: the four arguments, and rows cut into a page with its cursors."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Generic, TypeVar

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
class EdgeRow(Generic[R]):
    """A row and its cursor."""

    cursor: str
    node: R


@dataclass(frozen=True)
class ConnectionRows(Generic[R]):
    """One page. Cursors are made, and `count` is asked, only when they are selected.

    `cursor_at` gives the cursor of the n-th of `nodes`; `goes_on` tells whether the list goes on beyond the page in
    the direction of reading, `came_from` whether it was entered in the middle.
    """

    nodes: list[R]
    cursor_at: Callable[[int], str]
    is_backward: bool
    goes_on: bool
    came_from: bool
    count: Callable[[], Awaitable[int]]

    @cached_property
    def edges(self) -> list[EdgeRow[R]]:
        """The rows with their cursors."""
        return [EdgeRow(self.cursor_at(place), node) for place, node in enumerate(self.nodes)]

    @property
    def page_info(self) -> "PageInfoRow":
        """Where the page lies in its list."""
        return PageInfoRow(self)


@dataclass(frozen=True, slots=True)
class PageInfoRow:
    """Where a page lies in its list. Its cursors are made when they are asked for."""

    page: ConnectionRows[Any]

    @property
    def has_next_page(self) -> bool:
        """Whether more follows."""
        return self.page.came_from if self.page.is_backward else self.page.goes_on

    @property
    def has_previous_page(self) -> bool:
        """Whether more precedes."""
        return self.page.goes_on if self.page.is_backward else self.page.came_from

    @property
    def start_cursor(self) -> str | None:
        """The cursor of the first row; None on an empty page."""
        return self.page.cursor_at(0) if self.page.nodes else None

    @property
    def end_cursor(self) -> str | None:
        """The cursor of the last row; None on an empty page."""
        return self.page.cursor_at(len(self.page.nodes) - 1) if self.page.nodes else None


def connection(
    request: PageRequest,
    order: str,
    placed: Sequence[tuple[R, *tuple[CursorValue, ...]]],
    count: Callable[[], Awaitable[int]],
) -> ConnectionRows[R]:
    """Cut `placed` into the page that `request` asks for: rows, each with its values in `order`, the unique key last.

    They are in the direction of reading and hold one more than `request.limit` when the list goes on.
    """
    kept = list(placed[: request.limit])
    if request.backward:
        kept.reverse()
    return ConnectionRows(
        nodes=[one[0] for one in kept],
        cursor_at=lambda place: encode_cursor(order, kept[place][1:]),
        is_backward=request.backward,
        goes_on=len(placed) > request.limit,
        came_from=request.position is not None,
        count=count,
    )


async def total_count(page: strawberry.Parent[ConnectionRows[R]]) -> int:
    """Count the whole list, because somebody asked."""
    return await page.count()
