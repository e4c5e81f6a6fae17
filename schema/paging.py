"""Connections as the Relay specification has them, answered by resolvers.paging."""

from typing import Generic, TypeVar

import strawberry

from resolvers import paging as answer

T = TypeVar("T")


@strawberry.type(description="Where a page lies in its list.")
class PageInfo:
    """Answered by resolvers.paging.PageInfoRow."""

    has_next_page: bool = strawberry.field(description="Whether more follows; ask with `after: endCursor`.")
    has_previous_page: bool = strawberry.field(description="Whether more precedes; ask with `before: startCursor`.")
    start_cursor: str | None = strawberry.field(description="Cursor of the first row; null on an empty page.")
    end_cursor: str | None = strawberry.field(description="Cursor of the last row; null on an empty page.")


@strawberry.type(description="A row of a list, with its cursor.")
class Edge(Generic[T]):
    """Answered by resolvers.paging.EdgeRow."""

    cursor: str = strawberry.field(description="Opaque position of this row in this order.")
    node: T = strawberry.field(description="The row.")


@strawberry.type(description="A page of a list.")
class Connection(Generic[T]):
    """Answered by resolvers.paging.ConnectionRows."""

    edges: list[Edge[T]] = strawberry.field(description="The rows with their cursors.")
    nodes: list[T] = strawberry.field(description="The rows without their cursors.")
    page_info: PageInfo = strawberry.field(description="Where this page lies in its list.")
    total_count = strawberry.field(
        resolver=answer.total_count, graphql_type=int, description="How many the whole list has. Counted when asked."
    )
