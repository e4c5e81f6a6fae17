"""What an operation costs: one for each field, times the rows that the lists above it may hold.

    page       a field with `first` or `last`: the lists in its connection hold that many, 20 when it is not said;
               a list asked for by `ids` holds as many as there are ids
    plain list a list without paging: `@listSize(assumedSize:)`, or 5
    weight     `@cost(weight:)`, or 1

Costs are counted through fragments, each fragment once. Page sizes may be variables, so an operation's cost is known
when its variables are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLArgument,
    GraphQLCompositeType,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_composite_type,
    is_leaf_type,
    is_list_type,
)

from kit.paging import DEFAULT_PAGE, MAX_PAGE
from resolvers.compiled.facts import strawberry_field

PLAIN_LIST_ITEMS = 5
SIZE_ARGUMENTS = ("first", "last", "ids")


@dataclass(frozen=True, slots=True)
class FieldPrice:
    """What the schema says about one field."""

    weight: int = 1
    items: int = 1  # of a list without paging
    page: int = 0  # the page size when none is asked for; 0 means that the field has no paging
    is_list: bool = False
    is_paged_list: bool = False  # `nodes` and `edges`: sized by the connection that they are in


@dataclass(slots=True)
class Cost:
    """A selection set's cost: `once` for what is there once, `per_item` for what is there for each row of a page."""

    once: int = 0
    per_item: int = 0


class PriceList:
    """The prices of all fields of one schema, read once."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self.schema = schema
        self._prices = {
            (name, field_name): _price(name, field)
            for name, kind in schema.type_map.items()
            if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType) and not name.startswith("__")
            for field_name, field in kind.fields.items()
        }

    def price(self, parent: GraphQLCompositeType | None, field_name: str) -> FieldPrice:
        """Return the price of a field; what the schema does not know costs one, and is refused by validation."""
        return self._prices.get((parent.name, field_name), _FREE) if parent is not None else _FREE


_FREE = FieldPrice()


def size_of(value: Any) -> int | None:
    """Return the size that a variable asks for: a number, or as many as a list holds. None for anything else."""
    if isinstance(value, list):
        return len(value)
    return value if isinstance(value, int) else None


def size_variables(document: DocumentNode) -> frozenset[str]:
    """Return the names of the variables that stand for page sizes anywhere in the document."""
    found: set[str] = set()
    waiting: list[Any] = list(document.definitions)
    while waiting:
        node = waiting.pop()
        if isinstance(node, FieldNode):
            found.update(
                argument.value.name.value
                for argument in node.arguments or ()
                if argument.name.value in SIZE_ARGUMENTS and isinstance(argument.value, VariableNode)
            )
        selection_set = getattr(node, "selection_set", None)
        if selection_set is not None:
            waiting.extend(selection_set.selections)
    return frozenset(found)


def cost_of(
    prices: PriceList, document: DocumentNode, operation: OperationDefinitionNode, variables: Mapping[str, Any]
) -> int:
    """Return the cost of one operation of a document whose limits have been checked (see schema.limits)."""
    defaults = {
        node.variable.name.value: _whole(node.default_value)
        for node in operation.variable_definitions or ()
        if isinstance(node.default_value, IntValueNode)
    }
    counter = _Counter(prices, document, {**defaults, **variables})
    root = prices.schema.get_root_type(operation.operation)
    cost = counter.selections(operation.selection_set, root)
    return cost.once + cost.per_item


class _Counter:
    """Adds up; remembers each fragment's cost."""

    def __init__(self, prices: PriceList, document: DocumentNode, variables: Mapping[str, Any]) -> None:
        self._prices = prices
        self._variables = variables
        self._fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        self._known: dict[str, Cost] = {}

    def selections(self, selection_set: SelectionSetNode | None, parent: GraphQLCompositeType | None) -> Cost:
        total = Cost()
        for selection in selection_set.selections if selection_set is not None else ():
            if isinstance(selection, FieldNode):
                self._add_field(total, selection, parent)
                continue
            if isinstance(selection, InlineFragmentNode):
                part = self.selections(selection.selection_set, self._condition(selection, parent))
            elif isinstance(selection, FragmentSpreadNode):
                part = self._fragment(selection.name.value)
            else:
                continue
            total.once += part.once
            total.per_item += part.per_item
        return total

    def _add_field(self, total: Cost, node: FieldNode, parent: GraphQLCompositeType | None) -> None:
        price = self._prices.price(parent, node.name.value)
        inner = self.selections(node.selection_set, self._type_below(parent, node.name.value))
        page = self._page_size(node, price.page) if price.page else DEFAULT_PAGE
        if price.page and price.is_list:
            cost = price.weight + page * (inner.once + inner.per_item * DEFAULT_PAGE)
        else:
            cost = price.weight + price.items * (inner.once + inner.per_item * page)
        if price.is_paged_list:
            total.per_item += cost
        else:
            total.once += cost

    def _page_size(self, node: FieldNode, default: int) -> int:
        for argument in node.arguments or ():
            if argument.name.value in SIZE_ARGUMENTS:
                value: Any = None
                if isinstance(argument.value, VariableNode):
                    value = self._variables.get(argument.value.name.value)
                elif isinstance(argument.value, IntValueNode):
                    value = _whole(argument.value)
                elif isinstance(argument.value, ListValueNode):
                    value = len(argument.value.values)
                if isinstance(value, int):
                    return min(max(value, 1), MAX_PAGE)  # a page outside these bounds is refused where it is read
        return default

    def _fragment(self, name: str) -> Cost:
        known = self._known.get(name)
        if known is None:
            known = self._known[name] = Cost()  # what a fragment that spreads itself sees; validation refuses the cycle
            fragment = self._fragments.get(name)
            if fragment is not None:
                known = self._known[name] = self.selections(fragment.selection_set, self._condition(fragment, None))
        return known

    def _condition(
        self, node: InlineFragmentNode | FragmentDefinitionNode, parent: GraphQLCompositeType | None
    ) -> GraphQLCompositeType | None:
        if node.type_condition is None:
            return parent
        found = self._prices.schema.get_type(node.type_condition.name.value)
        return found if is_composite_type(found) else None

    def _type_below(self, parent: GraphQLCompositeType | None, field_name: str) -> GraphQLCompositeType | None:
        if not isinstance(parent, GraphQLObjectType | GraphQLInterfaceType) or field_name not in parent.fields:
            return None
        found = get_named_type(parent.fields[field_name].type)
        return found if is_composite_type(found) else None


def _whole(node: IntValueNode) -> int:
    """Return the node's number; numbers beyond any page are not worth converting."""
    text = node.value
    return int(text) if len(text) <= len(str(MAX_PAGE)) else MAX_PAGE


def _price(type_name: str, field: GraphQLField) -> FieldPrice:
    weight, assumed = _metadata(field)
    is_list = is_list_type(get_nullable_type(field.type)) and not is_leaf_type(get_named_type(field.type))
    is_paged_list = is_list and type_name.endswith("Connection")
    page = 0
    for name in SIZE_ARGUMENTS:
        if name in field.args:
            page = max(page, _default_size(field.args[name]))
    is_plain_list = is_list and not is_paged_list and not page
    return FieldPrice(
        weight=weight,
        items=(assumed or PLAIN_LIST_ITEMS) if is_plain_list else 1,
        page=page,
        is_list=is_list,
        is_paged_list=is_paged_list,
    )


def _default_size(argument: GraphQLArgument) -> int:
    """Return the page size that the schema gives when the operation gives none."""
    default = argument.default
    literal = getattr(default, "literal", None)
    if isinstance(literal, IntValueNode):
        return _whole(literal)
    for value in (argument.default_value, getattr(default, "value", None)):
        if isinstance(value, int):
            return value
    return DEFAULT_PAGE


def _metadata(field: GraphQLField) -> tuple[int, int | None]:
    """Return the field's weight and assumed list size, from the directives `@cost` and `@listSize` on it."""
    weight, assumed = 1, None
    definition = strawberry_field(field)
    for directive in getattr(definition, "directives", None) or ():
        kind = type(directive).__name__
        if kind == "Cost":
            weight = int(directive.weight)
        elif kind == "ListSize":
            assumed = directive.assumed_size
    return weight, assumed
