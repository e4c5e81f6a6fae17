"""Connections: their rows are shown as selections, everything around the rows is made here."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from graphql import GraphQLObjectType

from db.shapes import Printed, Shape, Together
from resolvers.compiled.facts import strawberry_field
from resolvers.compiled.selections import NotCoveredError, Selection, objects
from resolvers.paging import ConnectionRows

TYPENAME = "__typename"
_CURSORS = {"edges": ("cursor",), "pageInfo": ("startCursor", "endCursor")}

Columns = Sequence[Sequence[Any]]
"""The rows of the page as each of its selections shows them."""


class Collecting(Protocol):
    """What planning a page needs of the planner."""

    def collected(self, kind: GraphQLObjectType, details: Any) -> Iterator[tuple[str, str, Any]]:
        """Yield response name, field name and details of what is selected."""
        ...

    def selection(self, kind: GraphQLObjectType, details: Any, *, is_placed: bool) -> Selection:
        """Return what is shown of rows of `kind`."""
        ...

    def named(self, kind: GraphQLObjectType, field: str) -> GraphQLObjectType:
        """Return the type that a field is of, or a list of."""
        ...


@dataclass(frozen=True, slots=True)
class Page:
    """What of a connection is selected. Several selections of its rows are read by one statement.

    `members` are response names with what is to be returned: a constant, or made of the connection and its columns.
    """

    type_name: str
    selections: tuple[Selection, ...]
    members: tuple[tuple[str, Callable[[ConnectionRows[Any], Columns], Any]], ...]
    counts: tuple[str, ...]

    @property
    def shape(self) -> Shape[Any]:
        """What is read of each row."""
        shapes = tuple(one.shape for one in self.selections)
        return shapes[0] if len(shapes) == 1 else Together(shapes)

    async def answer(self, found: ConnectionRows[Any], executor: Any) -> dict[str, Any]:
        """Return the connection, ready to be encoded."""
        if len(self.selections) == 1:
            columns = [await objects(found.nodes, self.selections, executor)]
        else:
            columns = [
                await objects([row[place] for row in found.nodes], [one], executor)
                for place, one in enumerate(self.selections)
            ]
        count = await found.count() if self.counts else None
        return {name: count if name in self.counts else make(found, columns) for name, make in self.members}


def plan_page(planner: Collecting, kind: GraphQLObjectType, details: Any) -> Page:
    """Return the plan of a connection's selection. Raises `NotCoveredError` when it has fields of its own."""
    return _Planning(planner, kind, details).page()


class _Planning:
    def __init__(self, planner: Collecting, kind: GraphQLObjectType, details: Any) -> None:
        self._planner = planner
        self._kind = kind
        self._selected = list(planner.collected(kind, details))
        self._selections: list[Selection] = []
        self._is_placed = any(self._asks_for_cursors(asked, inner) for _, asked, inner in self._selected)

    def page(self) -> Page:
        members = tuple((name, self._member(asked, inner)) for name, asked, inner in self._selected)
        item = self._planner.named(self._kind, "nodes")
        if not self._selections:
            self._selections.append(Selection(Printed((), is_placed=self._is_placed), {}, {}))
        counts = tuple(name for name, asked, _ in self._selected if asked == "totalCount")
        return Page(item.name, tuple(self._selections), members, counts)

    def _asks_for_cursors(self, asked: str, inner: Any) -> bool:
        if asked not in _CURSORS:
            return False
        parts = self._planner.collected(self._planner.named(self._kind, asked), inner)
        return any(part in _CURSORS[asked] for _, part, _ in parts)

    def _member(self, asked: str, inner: Any) -> Callable[[ConnectionRows[Any], Columns], Any]:
        if asked == TYPENAME:
            return _constant(self._kind.name)
        if asked == "nodes":
            return _column(self._column("nodes", self._kind, inner))
        if asked == "edges":
            return self._edges(inner)
        if asked == "pageInfo":
            return self._page_info(inner)
        if asked == "totalCount":
            return _constant(None)
        raise NotCoveredError

    def _column(self, field: str, kind: GraphQLObjectType, inner: Any) -> int:
        """Note one more selection of the rows and return its place."""
        item = self._planner.named(kind, field)
        self._selections.append(self._planner.selection(item, inner, is_placed=self._is_placed))
        return len(self._selections) - 1

    def _edges(self, inner: Any) -> Callable[[ConnectionRows[Any], Columns], Any]:
        kind = self._planner.named(self._kind, "edges")
        parts: list[tuple[str, Callable[[ConnectionRows[Any], Columns, int], Any]]] = []
        for name, asked, below in self._planner.collected(kind, inner):
            if asked == "cursor":
                parts.append((name, _cursor))
            elif asked == "node":
                parts.append((name, _node(self._column("node", kind, below))))
            else:
                parts.append((name, _edge_constant(kind.name)))

        def edges(found: ConnectionRows[Any], columns: Columns) -> list[dict[str, Any]]:
            return [{name: part(found, columns, row) for name, part in parts} for row in range(len(found.nodes))]

        return edges

    def _page_info(self, inner: Any) -> Callable[[ConnectionRows[Any], Columns], Any]:
        kind = self._planner.named(self._kind, "pageInfo")
        parts = [
            (name, None if asked == TYPENAME else _python_name(kind, asked))
            for name, asked, _ in self._planner.collected(kind, inner)
        ]

        def page_info(found: ConnectionRows[Any], _columns: Columns) -> dict[str, Any]:
            info = found.page_info
            return {name: kind.name if member is None else getattr(info, member) for name, member in parts}

        return page_info


def _python_name(kind: GraphQLObjectType, asked: str) -> str:
    field = strawberry_field(kind.fields[asked])
    if field is None:
        raise NotCoveredError
    return field.python_name


def _constant(value: Any) -> Callable[[ConnectionRows[Any], Columns], Any]:
    return lambda _found, _columns: value


def _column(place: int) -> Callable[[ConnectionRows[Any], Columns], Any]:
    return lambda _found, columns: columns[place]


def _edge_constant(value: str) -> Callable[[ConnectionRows[Any], Columns, int], Any]:
    return lambda _found, _columns, _row: value


def _node(place: int) -> Callable[[ConnectionRows[Any], Columns, int], Any]:
    return lambda _found, columns, row: columns[place][row]


def _cursor(found: ConnectionRows[Any], _columns: Columns, row: int) -> str:
    return found.cursor_at(row)
