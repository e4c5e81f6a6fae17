"""Who may ask for the fields at the root of an operation, read from their directives once for each schema."""

from collections.abc import Iterable, Iterator
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_named_type,
    is_composite_type,
    visit,
)

from resolvers.compiled.facts import strawberry_field
from resolvers.guards import WHOLE, Demand, Viewer, admit
from schema.directives import Public, RequiresScope, WhileEnrolling

_ACCOUNT = "User"
_FREE = frozenset({"__typename", "__schema", "__type"})  # introspection has a policy of its own


class Demands:
    """What the root fields of one schema demand. A field that says nothing is for whole viewers only."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
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

    def check_account(self, viewer: Viewer, operation: OperationDefinitionNode, document: DocumentNode) -> None:
        """Let whoever has to set up a second factor see the account itself, and nothing that hangs on it.

        Raises `Forbidden` when a valid operation, its fragments counted, asks for more.
        """
        fragments = (node for node in document.definitions if isinstance(node, FragmentDefinitionNode))
        info = TypeInfo(self._schema)
        looking = _OfAccount(info)
        visit(DocumentNode(definitions=(operation, *fragments)), TypeInfoVisitor(info, looking))
        for name in looking.found:
            admit(viewer, WHOLE, name)


class _OfAccount(Visitor):
    """Finds the fields of accounts that lead to something else."""

    def __init__(self, info: TypeInfo) -> None:
        super().__init__()
        self._info = info
        self.found: list[str] = []

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        """Keep the name of such a field."""
        parent, kind = self._info.get_parent_type(), self._info.get_type()
        is_of_account = parent is not None and parent.name == _ACCOUNT
        if is_of_account and kind is not None and is_composite_type(get_named_type(kind)):
            self.found.append(node.name.value)


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
