"""Plans: what is done for one field of one document, worked out once, and used as long as the document is known."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any, Final, cast

from strawberry.types.arguments import convert_arguments
from strawberry.types.field import StrawberryField

from db.shapes import Shape
from resolvers.compiled.pages import Page
from resolvers.compiled.selections import NotCoveredError, Selection, objects
from resolvers.context import Info
from resolvers.shaped import Shaped
from services.permissions import Role

MAX_PLANS: Final = 32
"""Most plans of one document: fields, times the values of the variables that its @skip and @include use.

Beyond them a field is planned anew each time."""

MAX_ARGUMENTS: Final = 32
"""Of how many values of its variables a field's arguments are remembered."""

_MAX_REMEMBERED_CHARS = 100
_LEFT_OUT = object()
_PLAIN = (int, float, type(None))


class Plans:
    """The plans of one document. Without a document nothing is remembered beyond one operation."""

    __slots__ = ("conditions", "known", "shortcuts")

    def __init__(self) -> None:
        self.known: dict[Any, FieldPlan | None] = {}
        self.conditions: dict[int, tuple[str, ...]] = {}
        """By the identity of the operation: the variables in its @skip and @include."""
        self.shortcuts: dict[tuple[int, Role | None], Any] = {}
        """By resolvers.compiled.shortcut.shortcut_key, one for each operation and role: a Shortcut, or None."""


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


@dataclass(frozen=True, slots=True, eq=False)
class FieldPlan:
    """Calls a field's resolver for rows in shapes, and makes its answer of them.

    `shapes` are by the name of the type, several for an interface. `page` is there for connections only, and has the
    selections then.
    """

    call: Call
    shapes: Mapping[str, Shape[Any]]
    selections: tuple[Selection, ...]
    is_list: bool
    is_nullable: bool
    page: Page | None

    def arguments(self, executor: Any) -> dict[str, Any]:
        """Return the arguments of the field."""
        return self.call.arguments(executor)

    async def run(self, source: Any, executor: Any) -> Any:
        """Return the field's value for one source; see `answer`."""
        return await self.answer(source, executor, self.arguments(executor))

    async def answer(self, source: Any, executor: Any, arguments: Mapping[str, Any]) -> Any:
        """Return the field's value, ready to be encoded: `orjson.Fragment`, or lists and dicts of them.

        Raises whatever stands in the way: an error of the resolver, or `NotCoveredError`.
        """
        found = self.call(source, Shaped(executor.context_value, self.shapes), arguments)
        if asyncio.iscoroutine(found):
            found = await found
        if found is None:
            if not self.is_nullable:
                raise NotCoveredError
            return None
        if self.page is not None:
            return await self.page.answer(found, executor)
        if self.is_list:
            return await objects(found, self.selections, executor)
        return (await objects([found], self.selections, executor))[0]


def _is_plain(value: Any) -> bool:
    """Tell whether a variable's value is worth remembering: small, and unable to change."""
    if isinstance(value, str):
        return len(value) <= _MAX_REMEMBERED_CHARS
    return value is _LEFT_OUT or isinstance(value, _PLAIN)
