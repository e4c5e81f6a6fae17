"""How much one document may ask for, counted before anything is executed.

Everything is counted through fragments, and every fragment is counted once, so a document whose spreads would unfold
to 2^n fields costs no more to refuse than a small one. What is counted, and why: docs/api.md and the OWASP GraphQL
cheat sheet. The price list of fields lies in schema.costs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from graphql import (
    ArgumentNode,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    ListValueNode,
    Node,
    ObjectFieldNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

from kit.errors import TooComplex
from kit.settings import Settings

# The introspection query of GraphiQL and of the official clients reaches 15: nine times `ofType`, as they all ask.
MAX_INTROSPECTION_DEPTH = 20
# Selection sets inside each other, fragments included; bounds the recursion here and in graphql-core's own rules.
MAX_NESTING = 60
# What the rules of graphql-core look at one by one, slowly. What needs more of them sends them as variables.
MAX_DEFINITIONS, MAX_VARIABLES, MAX_VALUES = 60, 100, 200
_SHOWN_AT_MOST = 1_000_000  # fragments that multiply make numbers of thousands of digits
INTROSPECTION_FIELDS = frozenset({"__schema", "__type"})


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that one operation may contain. `depth` counts fields inside each other; leaves count."""

    depth: int
    aliases: int
    directives: int
    fields: int
    root_fields: int

    @classmethod
    def of(cls, settings: Settings) -> "Limits":
        """Return the limits that the settings name."""
        return cls(
            depth=settings.max_query_depth,
            aliases=settings.max_query_aliases,
            directives=settings.max_query_directives,
            fields=settings.max_query_fields,
            root_fields=settings.max_root_fields,
        )


@dataclass(slots=True)
class Measure:
    """What a selection set contains once its fragments are unfolded."""

    depth: int = 0
    introspection_depth: int = 0
    aliases: int = 0
    directives: int = 0
    fields: int = 0
    root_fields: int = 0

    def add(self, other: "Measure") -> None:
        """Take `other` in beside what is here already: counts add up, depths do not."""
        self.depth = max(self.depth, other.depth)
        self.introspection_depth = max(self.introspection_depth, other.introspection_depth)
        self.aliases += other.aliases
        self.directives += other.directives
        self.fields += other.fields
        self.root_fields += other.root_fields


class _Refused(Exception):  # noqa: N818  control flow inside this module
    def __init__(self, message: str, node: Node) -> None:
        self.error = too_complex(message, node)


def too_complex(message: str, node: Node | None = None) -> GraphQLError:
    """Return the GraphQL error of a limit."""
    return GraphQLError(message, node, original_error=TooComplex(message))


def check_limits(schema: GraphQLSchema, document: DocumentNode, limits: Limits) -> list[GraphQLError]:
    """Return at most one error: the first limit that the document breaks. Linear in the length of the document."""
    ruler = _Ruler(schema, document)
    try:
        _compare_size(document)
        for definition in document.definitions:
            if isinstance(definition, OperationDefinitionNode):
                measure = ruler.measure(definition.selection_set, 1)
                measure.directives += ruler.directives(definition.directives)
                for variable in definition.variable_definitions or ():
                    measure.directives += ruler.directives(variable.directives)
                _compare(measure, limits, definition)
        ruler.measure_unused()
    except _Refused as refused:
        return [refused.error]
    return []


def _compare_size(document: DocumentNode) -> None:
    """Refuse documents of very many definitions, variables or written values, whatever they mean."""
    definitions = document.definitions
    if len(definitions) > MAX_DEFINITIONS:
        message = (
            f"The document has {len(definitions):,} operations and fragments; at most {MAX_DEFINITIONS} are allowed."
        )
        raise _Refused(message, definitions[MAX_DEFINITIONS])
    variables = sum(len(getattr(definition, "variable_definitions", None) or ()) for definition in definitions)
    if variables > MAX_VARIABLES:
        raise _Refused(
            f"The document has {variables:,} variables; at most {MAX_VARIABLES} are allowed.", definitions[0]
        )
    values, waiting = 0, list[Any](definitions)
    while waiting:
        node = waiting.pop()
        inside = [*(getattr(node, "arguments", None) or ()), *_inside(node)]
        values += len(inside)
        if values > MAX_VALUES:
            raise _Refused(f"The document has more than {MAX_VALUES} arguments and values; use variables.", node)
        waiting += inside
        waiting += getattr(node, "directives", None) or ()
        waiting += getattr(node, "variable_definitions", None) or ()
        selection_set = getattr(node, "selection_set", None)
        if selection_set is not None:
            waiting += selection_set.selections


def _inside(node: Node) -> Sequence[Node]:
    """Return what a written value consists of."""
    if isinstance(node, ListValueNode):
        return node.values
    if isinstance(node, ObjectValueNode):
        return node.fields
    if isinstance(node, ArgumentNode | ObjectFieldNode):
        return [node.value] if isinstance(node.value, ListValueNode | ObjectValueNode) else []
    default = getattr(node, "default_value", None)
    return [] if default is None else [default]


def _compare(measure: Measure, limits: Limits, node: Node) -> None:
    for what, found, most in (
        ("nests fields %s deep", measure.depth, limits.depth),
        ("nests introspection fields %s deep", measure.introspection_depth, MAX_INTROSPECTION_DEPTH),
        ("contains %s aliases", measure.aliases, limits.aliases),
        ("contains %s directives", measure.directives, limits.directives),
        ("contains %s fields", measure.fields, limits.fields),
        ("contains %s fields at its root", measure.root_fields, limits.root_fields),
    ):
        if found > most:
            shown = f"{found:,}" if found < _SHOWN_AT_MOST else "far too many"
            raise _Refused(f"The operation {what % shown}; at most {most:,} are allowed.", node)


class _Ruler:
    """Measures selection sets; remembers each fragment's measure."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        self._repeatable = {directive.name for directive in schema.directives if directive.is_repeatable}
        self._fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        self._known: dict[str, Measure] = {}

    def measure(self, selection_set: SelectionSetNode | None, level: int) -> Measure:
        """Measure one selection set, `level` selection sets below the operation."""
        total = Measure()
        if selection_set is None:
            return total
        if level > MAX_NESTING:
            raise _Refused(f"Selections are nested more than {MAX_NESTING} deep.", selection_set)
        for selection in selection_set.selections:
            total.directives += self.directives(selection.directives)
            if isinstance(selection, FieldNode):
                total.add(self._field(selection, level))
            elif isinstance(selection, InlineFragmentNode):
                total.add(self.measure(selection.selection_set, level + 1))
            elif isinstance(selection, FragmentSpreadNode):
                total.add(self._fragment(selection.name.value, level))
        return total

    def measure_unused(self) -> None:
        """Fragments that no operation spreads still have to be validated: bound their nesting too."""
        for name in self._fragments:
            self._fragment(name, 1)

    def directives(self, nodes: Sequence[DirectiveNode] | None) -> int:
        """Count the directives at one place and refuse a repeated one, where a rule per pair would answer at length."""
        if not nodes:
            return 0
        seen: set[str] = set()
        for node in nodes:
            name = node.name.value
            if name in seen and name not in self._repeatable:
                raise _Refused(f"The directive @{name[:64]} may be used once at one place.", node)
            seen.add(name)
        return len(nodes)

    def _field(self, node: FieldNode, level: int) -> Measure:
        inner = self.measure(node.selection_set, level + 1)
        measure = Measure(
            depth=inner.depth + 1,
            introspection_depth=inner.introspection_depth,
            aliases=inner.aliases + (node.alias is not None),
            directives=inner.directives,
            fields=inner.fields + 1,
            root_fields=1,
        )
        if node.name.value in INTROSPECTION_FIELDS:
            measure.depth, measure.introspection_depth = 1, inner.depth + 1
        return measure

    def _fragment(self, name: str, level: int) -> Measure:
        known = self._known.get(name)
        if known is None:
            self._known[name] = Measure()  # what a fragment that spreads itself sees; validation refuses the cycle
            fragment = self._fragments.get(name)
            if fragment is not None:
                known = self.measure(fragment.selection_set, level + 1)
                known.directives += self.directives(fragment.directives)
                self._known[name] = known
            else:
                known = self._known[name] = Measure(fields=1)  # which validation refuses, wherever it is spread
        return known
