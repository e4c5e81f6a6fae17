"""The planner: from a field's selection to a plan, or to the word that there is none."""

from collections.abc import Iterator
from typing import Any

import structlog
from graphql import (
    GraphQLEnumType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    ListValueNode,
    ObjectValueNode,
    VariableNode,
    get_named_type,
    is_leaf_type,
)

from db.shapes import Gap, Identity, Kind, Member, One, Printed, Relation, Several, Value
from resolvers.compiled.facts import FACT, Answers, fact_of, strawberry_field
from resolvers.compiled.pages import TYPENAME, plan_page
from resolvers.compiled.plans import Call, FieldPlan
from resolvers.compiled.selections import Asked, Column, NotCoveredError, Selection
from resolvers.guards import RoleGuard
from services.permissions import Viewer

log = structlog.get_logger(__name__)

MAX_NAME_BYTES = 63
"""PostgreSQL cuts longer names (NAMEDATALEN)."""

_CONDITIONS = {"skip", "include"}
_PRINTED_ALIKE = {
    "String": Kind.TEXT,
    "ID": Kind.TEXT,
    "URL": Kind.TEXT,
    "UUID": Kind.TEXT,
    "EmailAddress": Kind.TEXT,
    "Int": Kind.INTEGER,
    "BigInt": Kind.INTEGER,
    "Boolean": Kind.BOOLEAN,
    "DateTime": Kind.TIME,
}
"""The kinds that PostgreSQL prints exactly as Strawberry prints these types."""


class Planner:
    """Makes the plans of one operation.

    Fields are collected by graphql-core itself: fragments, aliases, merging and conditions are the reference's own.
    """

    def __init__(self, executor: Any, viewer: Viewer | None) -> None:
        self._executor = executor
        self._viewer = viewer

    def plan(self, definition: Any, details: Any) -> FieldPlan | None:
        """Return the plan of a field, None when its resolvers have to answer."""
        try:
            return self._field(definition, details)
        except NotCoveredError:
            return None
        except Exception as error:
            log.warning("executor.planning_failed", field=details[0].node.name.value, error=repr(error), exc_info=True)
            return None

    def _field(self, definition: Any, details: Any) -> FieldPlan:
        _check_directives(details)
        field, fact = strawberry_field(definition), fact_of(definition)
        if field is None or not isinstance(fact, Answers) or field.permission_classes or not self._admits(field):
            raise NotCoveredError
        inner, is_nullable = _unwrapped(definition.type)
        is_list = isinstance(inner, GraphQLList)
        named = _unwrapped(inner.of_type)[0] if is_list else inner
        schema = self._executor.schema._strawberry_schema  # noqa: SLF001  set by Strawberry for those who need it
        call = Call(field, schema, details[0].node, definition, _variables_in(details[0].node))
        if isinstance(named, GraphQLObjectType) and "pageInfo" in named.fields:
            page = plan_page(self, named, details)
            return FieldPlan(call, {page.type_name: page.shape}, page.selections, is_list, is_nullable, page)
        selections = {kind.name: self.selection(kind, details) for kind in self._kinds(named)}
        shapes = {name: one.shape for name, one in selections.items()}
        return FieldPlan(call, shapes, tuple(selections.values()), is_list, is_nullable, None)

    def _admits(self, field: Any) -> bool:
        """Tell whether the viewer passes every guard; who does not is refused by the ordinary path, with its error."""
        return all(isinstance(guard, RoleGuard) and guard.admits(self._viewer) for guard in field.extensions)

    def _kinds(self, named: Any) -> list[GraphQLObjectType]:
        if isinstance(named, GraphQLObjectType):
            return [named]
        if isinstance(named, GraphQLInterfaceType):
            return list(self._executor.schema.get_possible_types(named))
        raise NotCoveredError

    def collected(self, kind: GraphQLObjectType, details: Any) -> Iterator[tuple[str, str, Any]]:
        """Yield response name, field name and details of what is selected of `kind`."""
        collected = self._executor.collect_subfields(kind, details)
        if collected.new_defer_usages or collected.forbidden_directive_instances:
            raise NotCoveredError
        for name, inner in collected.grouped_field_set.items():
            _check_directives(inner)
            yield name, inner[0].node.name.value, inner

    def named(self, kind: GraphQLObjectType, field: str) -> GraphQLObjectType:
        """Return the object type that a field is of, or a list of."""
        named = get_named_type(kind.fields[field].type)
        if not isinstance(named, GraphQLObjectType):
            raise NotCoveredError
        return named

    def selection(self, kind: GraphQLObjectType, details: Any, *, is_placed: bool = False) -> Selection:
        """Return what is shown of rows of `kind`."""
        members: list[Member | Gap] = []
        columns: dict[str, Column] = {}
        fields: dict[str, Asked] = {}
        needs: dict[str, Value] = {}
        for name, asked, inner in self.collected(kind, details):
            if len(name) > MAX_NAME_BYTES:
                raise NotCoveredError
            member = self._member(kind, name, asked, inner)
            if isinstance(member, Member):
                members.append(member)
                continue
            members.append(Gap(name))
            if isinstance(member, Column):
                columns[name] = member
                needed: tuple[str, ...] = (member.name,)
            else:
                fields[name] = member
                needed = _needs(member)
            needs |= {column: _value(kind, column) for column in needed}
        return Selection(Printed(tuple(members), tuple(needs.items()), is_placed), columns, fields)

    def _member(self, kind: GraphQLObjectType, name: str, asked: str, details: Any) -> Member | Column | FieldPlan:
        if asked == TYPENAME:
            return Member(name, None, typename=kind.name)
        definition = kind.fields[asked]
        fact = fact_of(definition)
        if isinstance(fact, Value | Identity):
            return _leaf(name, fact, definition)
        if not isinstance(fact, Answers):
            raise NotCoveredError
        plan = self._field(definition, details)
        return _inlined(name, fact.relation, plan) or plan


def _leaf(name: str, fact: Value | Identity, definition: Any) -> Member | Column:
    """Return the member of a value that PostgreSQL prints as GraphQL does, else what fills its gap."""
    leaf, is_nullable = _unwrapped(definition.type)
    if (is_nullable or not fact.is_nullable) and _is_printed_alike(leaf, fact.kind):
        return Member(name, fact)
    if isinstance(fact, Identity) or not is_leaf_type(leaf):
        raise NotCoveredError
    field = strawberry_field(definition)
    assert field is not None  # noqa: S101  it has a fact
    return Column(field.python_name, leaf, is_nullable)


def _is_printed_alike(leaf: Any, kind: Kind) -> bool:
    if isinstance(leaf, GraphQLList):
        item, is_nullable = _unwrapped(leaf.of_type)
        return kind is Kind.TEXTS and not is_nullable and item.name == "String"
    if isinstance(leaf, GraphQLEnumType):
        return kind is Kind.TEXT and all(name == _stored(value) for name, value in leaf.values.items())
    return _PRINTED_ALIKE.get(leaf.name) is kind


def _stored(value: Any) -> Any:
    """Return what a table holds for an enum's value."""
    return getattr(value.value, "value", value.value)


def _inlined(name: str, relation: Relation | None, plan: FieldPlan) -> Member | None:
    """Return the member of a relation whose whole selection PostgreSQL prints, or None."""
    if not isinstance(relation, One | Several) or len(plan.selections) != 1 or plan.page is not None:
        return None
    (selection,) = plan.selections
    if selection.columns or selection.fields or _may_be_missing(relation, plan):
        return None
    return Member(name, relation, selection.shape)


def _may_be_missing(relation: One | Several, plan: FieldPlan) -> bool:
    """Tell whether PostgreSQL could print null where GraphQL allows none."""
    return isinstance(relation, One) and not (plan.is_nullable or relation.is_certain)


def _needs(plan: FieldPlan) -> tuple[str, ...]:
    fact = plan.call.field.metadata[FACT]
    return tuple(fact.needs)


def _value(kind: GraphQLObjectType, column: str) -> Value:
    """Return the column of a row that fills need: of a field, or one that no field shows."""
    for definition in kind.fields.values():
        field, fact = strawberry_field(definition), fact_of(definition)
        if field is not None and field.python_name == column and isinstance(fact, Value):
            return fact
    return Value("{row}." + column, Kind.OTHER)


def _check_directives(details: Any) -> None:
    """Refuse what only a resolver's path may know: directives other than @skip and @include, fragment variables."""
    for one in details:
        if one.fragment_variable_values is not None or one.defer_usage is not None:
            raise NotCoveredError
        if any(directive.name.value not in _CONDITIONS for directive in one.node.directives or ()):
            raise NotCoveredError


def _variables_in(node: Any) -> tuple[str, ...]:
    """Return the names of the variables that a field's arguments use."""
    names: set[str] = set()
    waiting = [argument.value for argument in node.arguments or ()]
    while waiting:
        value = waiting.pop()
        if isinstance(value, VariableNode):
            names.add(value.name.value)
        elif isinstance(value, ListValueNode):
            waiting += value.values
        elif isinstance(value, ObjectValueNode):
            waiting += [part.value for part in value.fields]
    return tuple(sorted(names))


def _unwrapped(kind: Any) -> tuple[Any, bool]:
    """Return a type without its `!`, and whether it may be null."""
    return (kind.of_type, False) if isinstance(kind, GraphQLNonNull) else (kind, True)
