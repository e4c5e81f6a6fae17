"""Who may ask for the fields at the root of an operation, read from their directives once for each schema."""

from collections.abc import Iterable, Iterator

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
)

from resolvers.compiled.facts import strawberry_field
from resolvers.guards import WHOLE, Demand, Viewer, admit
from schema.directives import Public, RequiresScope, WhileEnrolling

_FREE = frozenset({"__typename", "__schema", "__type"})  # introspection has a policy of its own


class Demands:
    """What the root fields of one schema demand. A field that says nothing is for whole viewers only."""

    def __init__(self, schema: GraphQLSchema) -> None:
        roots = {
            OperationType.QUERY: schema.query_type,
            OperationType.MUTATION: schema.mutation_type,
            OperationType.SUBSCRIPTION: schema.subscription_type,
        }
        self.of_fields: dict[tuple[OperationType, str], Demand] = {
            (kind, name): _demand(field)
            for kind, root in roots.items()
            if root is not None
            for name, field in root.fields.items()
        }

    def check(self, viewer: Viewer, kind: OperationType, names: Iterable[str]) -> None:
        """Let a viewer pass who may ask for all of these root fields; raise `Forbidden` naming one otherwise."""
        for name in names:
            if name not in _FREE:
                admit(viewer, self.of_fields.get((kind, name), WHOLE), name)


def root_names(operation: OperationDefinitionNode, fragments: Iterable[FragmentDefinitionNode]) -> frozenset[str]:
    """Return the names of the fields at the root of a valid operation, whatever its @skip and @include say."""
    known = {fragment.name.value: fragment for fragment in fragments}
    return frozenset(_names(operation.selection_set, known, set()))


def _names(selections: SelectionSetNode, known: dict[str, FragmentDefinitionNode], seen: set[str]) -> Iterator[str]:
    for selection in selections.selections:
        if isinstance(selection, FieldNode):
            yield selection.name.value
        elif isinstance(selection, InlineFragmentNode):
            yield from _names(selection.selection_set, known, seen)
        elif isinstance(selection, FragmentSpreadNode) and selection.name.value not in seen:
            seen.add(selection.name.value)
            yield from _names(known[selection.name.value].selection_set, known, seen)


def _demand(definition: GraphQLField) -> Demand:
    field = strawberry_field(definition)
    directives = field.directives if field is not None else ()
    scope = next((one.scope for one in directives if isinstance(one, RequiresScope)), None)
    return Demand(
        scope=scope,
        is_public=any(isinstance(one, Public) for one in directives),
        while_enrolling=any(isinstance(one, WhileEnrolling) for one in directives),
    )
