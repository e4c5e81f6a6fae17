"""Which subscriptions are the same, so that their events can be executed once for all who follow them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

import orjson
from graphql import (
    FieldNode,
    GraphQLObjectType,
    GraphQLSchema,
    NullValueNode,
    OperationDefinitionNode,
    VariableNode,
    Visitor,
    visit,
)

from app.graphql.engine import Operation, Plan
from kit.errors import BadInput
from resolvers.compiled.facts import strawberry_field
from resolvers.live import PER_SESSION, SHARED, Shared
from services import events
from services.permissions import Viewer


@dataclass(frozen=True, slots=True)
class Audience:
    """Who may share what one execution gives: those with the same `key`.

    It is made of the operation, the variables as given, the account, its role and scopes; not of the session: a
    document with a field that looks at it is shared with nobody. `resume` names the variable that holds a cursor, if
    there is one, and `after` what it holds. The key leaves it out: it only says from where to begin.
    """

    key: tuple[Any, ...]
    shared: Shared
    resume: str | None
    after: str | None

    def plan_behind(self, plan: Plan, seq: int) -> Plan:
        """Return `plan` beginning behind event `seq`; only with a `resume`."""
        assert self.resume is not None  # noqa: S101  nobody asks for it without
        variables = {**(plan.operation.variables or {}), self.resume: events.cursor_of(seq)}
        return Plan(plan.prepared, plan.node, Operation(plan.operation.query, plan.operation.operation_name, variables))


def audience_of(plan: Plan, viewer: Viewer | None, schema: GraphQLSchema) -> Audience | None:
    """Return to whom an operation belongs; None when it is to be executed for itself.

    That is every operation whose field does not say that it is `Shared`, and those of which it is not plain to see
    from where they begin.
    """
    field = _root_field(plan.node)
    shared = None if field is None else _shared(schema, field)
    if field is None or shared is None or viewer is None or _looks_at_session(plan, schema):
        return None
    cursor = next((given.value for given in field.arguments or () if given.name.value == shared.resume), None)
    given = _variables(plan)
    resume = after = None
    if isinstance(cursor, VariableNode):
        resume = cursor.name.value
        after = given.pop(resume, None)
        if _uses(plan, resume) != 1 or _has_default(plan.node, resume) or not _is_cursor(after):
            return None
    elif cursor is not None and not isinstance(cursor, NullValueNode):
        return None
    try:
        said = orjson.dumps(given, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # a file among the variables
        return None
    key = (id(plan.prepared), id(plan.node), said, viewer.id, viewer.role, viewer.scopes)
    return Audience(key, shared, resume, after)


def _root_field(operation: OperationDefinitionNode) -> FieldNode | None:
    """Return the only field of a subscription when it stands there as such: no fragment, no directive."""
    selections = operation.selection_set.selections
    first = selections[0] if len(selections) == 1 else None
    return first if isinstance(first, FieldNode) and not first.directives else None


def _shared(schema: GraphQLSchema, field: FieldNode) -> Shared | None:
    root = cast("GraphQLObjectType", schema.subscription_type)
    definition = strawberry_field(root.fields[field.name.value])
    found = None if definition is None else definition.metadata.get(SHARED)
    return found if isinstance(found, Shared) else None


def _looks_at_session(plan: Plan, schema: GraphQLSchema) -> bool:
    """Tell whether a document asks for a field of a name whose answer differs between the sessions of an account."""
    assert plan.prepared.document is not None  # noqa: S101  a plan has passed, so it has a document
    fields = _Fields()
    visit(plan.prepared.document, fields)
    return not fields.names.isdisjoint(_per_session(schema))


@lru_cache(4)
def _per_session(schema: GraphQLSchema) -> frozenset[str]:
    """Return the names of the fields that look at the session."""
    kinds = (kind for kind in schema.type_map.values() if isinstance(kind, GraphQLObjectType))
    fields = ((name, strawberry_field(field)) for kind in kinds for name, field in kind.fields.items())
    return frozenset(name for name, field in fields if field is not None and PER_SESSION in field.metadata)


def _variables(plan: Plan) -> dict[str, Any]:
    """Return those of the given variables that the operation knows."""
    given: Mapping[str, Any] = plan.operation.variables or {}
    known = {definition.variable.name.value for definition in plan.node.variable_definitions or ()}
    return {name: value for name, value in given.items() if name in known}


def _has_default(operation: OperationDefinitionNode, name: str) -> bool:
    return any(
        definition.variable.name.value == name and definition.default_value is not None
        for definition in operation.variable_definitions or ()
    )


def _is_cursor(after: Any) -> bool:
    """Tell whether a value says from where to begin; anything else is refused by its own execution."""
    if after is None:
        return True
    try:
        events.seq_of(after)
    except (BadInput, TypeError, AttributeError):
        return False
    return True


def _uses(plan: Plan, name: str) -> int:
    """Return how often the document uses a variable, fragments and its other operations included."""
    assert plan.prepared.document is not None  # noqa: S101  a plan has passed, so it has a document
    uses = _Uses(name)
    visit(plan.prepared.document, uses)
    return uses.found


class _Fields(Visitor):
    """Collects the names of the fields of a document."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        """See graphql-core's visitor."""
        self.names.add(node.name.value)


class _Uses(Visitor):
    """Counts the uses of one variable; where it is defined is none."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self.found = 0

    def enter_variable_definition(self, *_: Any) -> Any:
        """See graphql-core's visitor."""
        return self.SKIP

    def enter_variable(self, node: VariableNode, *_: Any) -> None:
        """See graphql-core's visitor."""
        self.found += node.name.value == self._name
