"""Plans: what is done for one field of one document, worked out once, and used as long as the document is known."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any, cast

import orjson
from strawberry.types.arguments import convert_arguments
from strawberry.types.field import StrawberryField

from db.shapes import Printed, Shown
from resolvers.context import Context, Info
from resolvers.paging import ConnectionRows
from resolvers.shaped import Shaped

MAX_PLANS = 256
"""Most plans of one document: fields, times the values of the variables that its @skip and @include use."""

MAX_ARGUMENTS = 32
"""Of how many values of its variables a field's arguments are remembered."""

_MAX_REMEMBERED_CHARS = 100
_LEFT_OUT = object()
_PLAIN = (int, float, type(None))


class NotCoveredError(Exception):
    """The answer is not one that a plan can give; the ordinary resolvers will."""


class Plans:
    """The plans of one document. Without a document nothing is remembered beyond one operation."""

    __slots__ = ("conditions", "known")

    def __init__(self) -> None:
        self.known: dict[Any, FieldPlan | None] = {}
        self.conditions: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """How to call a field's resolver: with the arguments of the operation, the parent's row and what stands for `info`.

    `variables` are those that its arguments use. What they come to is remembered for as many of their values.
    """

    field: StrawberryField
    schema: Any
    node: Any
    definition: Any
    variables: tuple[str, ...]
    known: dict[tuple[Any, ...], dict[str, Any]] = dataclass_field(default_factory=dict)

    def arguments(self, executor: Any) -> dict[str, Any]:
        """Return the arguments as the resolver takes them. Raises what the ordinary path would, unlocated."""
        if not self.definition.args:
            return {}
        coerced = executor.variable_values.coerced
        key = tuple([coerced.get(name, _LEFT_OUT) for name in self.variables])
        if not all(map(_is_plain, key)):
            return self._converted(executor)
        known = self.known.get(key)
        if known is None:
            known = self._converted(executor)
            if len(self.known) >= MAX_ARGUMENTS:
                self.known.clear()
            self.known[key] = known
        return known

    def _converted(self, executor: Any) -> dict[str, Any]:
        values = executor.argument_values(self.definition, self.node)
        converter = self.schema.schema_converter
        return convert_arguments(values, self.field.arguments, converter.scalar_registry, self.schema.config)

    def __call__(self, source: Any, info: Shaped, arguments: Mapping[str, Any]) -> Any:
        """Call the resolver."""
        resolver = cast("Any", self.field.base_resolver)
        named = dict(arguments)
        if resolver.parent_parameter is not None:
            named[resolver.parent_parameter.name] = source
        if resolver.info_parameter is not None:
            named[resolver.info_parameter.name] = cast("Info", info)
        return resolver.wrapped_func(**named)


@dataclass(frozen=True, slots=True)
class Selection:
    """What is shown of rows of one type: the shape that PostgreSQL prints, and what fills its gaps, by their names."""

    shape: Printed
    fills: "Mapping[str, ValueFill | FieldPlan]"


@dataclass(frozen=True, slots=True)
class ValueFill:
    """A gap that a column fills, printed by its GraphQL type because PostgreSQL prints it in another way."""

    column: str
    leaf: Any
    is_nullable: bool

    def json(self, row: Shown) -> bytes:
        """Return the value's JSON."""
        value = getattr(row, self.column)
        if value is None:
            if not self.is_nullable:
                raise NotCoveredError
            return b"null"
        return orjson.dumps(self.leaf.coerce_output_value(value))


@dataclass(frozen=True, slots=True)
class Page:
    """What of a connection is selected: response names, each with a member of `ConnectionRows` and what is inside."""

    members: tuple[tuple[str, str, Any], ...]


@dataclass(frozen=True, slots=True, eq=False)
class FieldPlan:
    """Calls a field's resolver for rows in shapes, and makes its answer of them.

    `selections` are by the name of the type, several for an interface. `page` is there for connections only.
    """

    call: Call
    selections: Mapping[str, Selection]
    is_list: bool
    is_nullable: bool
    page: Page | None

    async def run(self, source: Any, executor: Any) -> Any:
        """Return the field's value, ready to be encoded: `orjson.Fragment`, or lists and dicts of them.

        Raises whatever stands in the way: an error of the resolver, or `NotCoveredError`.
        """
        return await self.answer(source, executor, self.call.arguments(executor))

    async def answer(self, source: Any, executor: Any, arguments: Mapping[str, Any]) -> Any:
        """Do the same with arguments that are known."""
        context: Context = executor.context_value
        shapes = {name: selection.shape for name, selection in self.selections.items()}
        found = self.call(source, Shaped(context, shapes), arguments)
        if asyncio.iscoroutine(found):
            found = await found
        if found is None:
            if not self.is_nullable:
                raise NotCoveredError
            return None
        if self.page is not None:
            return await self._connection(found, executor)
        if self.is_list:
            return await self._objects(found, executor)
        return (await self._objects([found], executor))[0]

    async def _objects(self, rows: Sequence[Shown | bytes | None], executor: Any) -> list[Any]:
        """Return the JSON of rows; those of one list are filled together, so that loaders can fetch at once."""
        of_shape = {selection.shape: selection for selection in self.selections.values() if selection.fills}
        if not of_shape:
            return [None if row is None else orjson.Fragment(row) for row in rows]
        arguments = {
            fill: fill.call.arguments(executor)
            for selection in of_shape.values()
            for fill in selection.fills.values()
            if isinstance(fill, FieldPlan)
        }
        filled = (
            _filled(row, of_shape[row.shape], executor, arguments) if isinstance(row, Shown) else _whole(row)
            for row in rows
        )
        return await asyncio.gather(*filled)

    async def _connection(self, found: ConnectionRows[Any], executor: Any) -> dict[str, Any]:
        assert self.page is not None  # noqa: S101  checked by whoever calls
        nodes = await self._objects(found.nodes, executor)
        return {name: await _member(found, member, inside, nodes) for name, member, inside in self.page.members}


async def _whole(row: bytes | None) -> orjson.Fragment | None:
    return None if row is None else orjson.Fragment(row)


async def _filled(
    row: Shown, selection: Selection, executor: Any, arguments: "Mapping[FieldPlan, Mapping[str, Any]]"
) -> orjson.Fragment:
    """Return a row's JSON with its gaps filled."""

    async def fill_in(fill: "ValueFill | FieldPlan") -> bytes:
        if isinstance(fill, ValueFill):
            return fill.json(row)
        return orjson.dumps(await fill.answer(row, executor, arguments[fill]))

    filled = await asyncio.gather(*(fill_in(fill) for fill in selection.fills.values()))
    texts = dict(zip(selection.fills, filled, strict=True))
    parts: list[bytes] = []
    for place, piece in enumerate(row.pieces):
        if place:
            name = selection.shape.gaps[place - 1]
            parts.append(b'"' + name.encode() + b'":' + texts[name])
        if len(piece) > len(b"{}"):
            parts.append(piece[1:-1])
    return orjson.Fragment(b"{" + b",".join(parts) + b"}")


async def _member(found: ConnectionRows[Any], member: str, inside: Any, nodes: list[Any]) -> Any:
    """Return one member of a connection."""
    if member == "nodes":
        return nodes
    if member == "total_count":
        return await found.count()
    if member == "page_info":
        return {
            name: inside_of if is_typename else getattr(found.page_info, inside_of)
            for name, inside_of, is_typename in inside
        }
    if member == "edges":
        return [_edge(found, place, nodes, inside) for place in range(len(found.nodes))]
    return inside


def _edge(
    found: ConnectionRows[Any], place: int, nodes: list[Any], inside: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    edge: dict[str, Any] = {}
    for name, member in inside:
        if member == "cursor":
            edge[name] = found.cursor_at(place)
        else:
            edge[name] = nodes[place] if member == "node" else member
    return edge


def _is_plain(value: Any) -> bool:
    """Tell whether a variable's value is worth remembering: small, and unable to change."""
    return (
        value is _LEFT_OUT
        or isinstance(value, _PLAIN)
        or (isinstance(value, str) and len(value) <= _MAX_REMEMBERED_CHARS)
    )
