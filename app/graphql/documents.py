"""From query text to something that may be executed, remembered for the next time the same text comes."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    ValidationRule,
    parse,
    specified_rules,
    validate,
)
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from app.graphql.persisted import SETTING, hash_of, read_documents
from kit.errors import BadInput, Forbidden, GraphmarkError, TooComplex, UnknownDocument
from kit.settings import Settings
from resolvers.compiled import Plans
from schema.costs import PriceList, cost_of, size_of, size_variables
from schema.demands import root_names
from schema.limits import INTROSPECTION_FIELDS, Limits, check_limits, too_complex

MAX_DOCUMENTS = 512
MAX_REMEMBERED_CHARS = 1_000_000  # an AST takes about fifty times its text
MAX_COSTS = 32
MAX_COMMENTS = 500
MAX_ERRORS = 20
CLOSED_MESSAGE = "Introspection is not open to you: sign in, or read the schema file that comes with the server."
UNLISTED_MESSAGE = "This server runs only the documents that its operator has listed."


class ClosedSchema(ValidationRule):
    """Refuses the first introspection field; `__typename` is not one."""

    def enter_field(self, node: FieldNode, *_: Any) -> Any:
        """See graphql-core's visitor."""
        if node.name.value in INTROSPECTION_FIELDS:
            self.report_error(GraphQLError(CLOSED_MESSAGE, node, original_error=Forbidden(CLOSED_MESSAGE)))
            return self.BREAK
        return None


OPEN_RULES = (*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule)
CLOSED_RULES = (ClosedSchema, *OPEN_RULES)


@dataclass(slots=True)
class Prepared:
    """A document that has been parsed and judged. With `errors` nothing of it may be executed.

    `named` is the hash by which clients may ask for it from now on, None as long as nobody has named it.
    """

    document: DocumentNode | None = None
    errors: list[GraphQLError] = field(default_factory=list)
    operations: list[OperationDefinitionNode] = field(default_factory=list)
    size_variables: tuple[str, ...] = ()
    costs: dict[tuple[Any, ...], int] = field(default_factory=dict)
    plans: Plans = field(default_factory=Plans)
    roots: dict[int, frozenset[str]] = field(default_factory=dict)
    named: str | None = None

    def operation(self, name: str | None) -> OperationDefinitionNode:
        """Return the operation to run. Raises `BadInput` when `name` picks none, or is missing and needed."""
        if name is None or name == "":
            if len(self.operations) != 1:
                raise BadInput("The document contains several operations: say which with `operationName`.")
            return self.operations[0]
        for operation in self.operations:
            if operation.name is not None and operation.name.value == name:
                return operation
        raise BadInput(f"The document contains no operation named “{name[:100]}”.")

    def root_names(self, operation: OperationDefinitionNode) -> frozenset[str]:
        """Return the names of the fields at the root of one of its operations."""
        names = self.roots.get(id(operation))
        if names is None:
            assert self.document is not None  # noqa: S101  only a document without errors has operations
            fragments = [node for node in self.document.definitions if isinstance(node, FragmentDefinitionNode)]
            names = self.roots[id(operation)] = root_names(operation, fragments)
        return names


class Documents:
    """Prepares documents; remembers at most 512 of them and a million characters, the latest used.

    Those that the operator lists (GRAPHMARK_PERSISTED_DOCUMENTS) are prepared at once and never forgotten. Raises
    `BadInput` naming one of them that cannot be executed.
    """

    def __init__(self, schema: GraphQLSchema, settings: Settings) -> None:
        self.schema = schema
        self._settings = settings
        self._limits = Limits.of(settings)
        self._prices = PriceList(schema)
        self._known: OrderedDict[tuple[str, bool], Prepared] = OrderedDict()
        self._chars = 0
        self._queries: dict[tuple[str, bool], str] = {}  # what is known, by its hash
        self._listed = self._read_list(settings)

    def prepare(self, query: str, *, is_open: bool, named: str | None = None) -> Prepared:
        """Parse, limit and validate `query`. `is_open` tells whether this caller may introspect and be given hints.

        `named` is the document's hash where the client gave it. With an empty `query` it stands for the document; with
        one, the document may be asked for by it from now on, by callers for whom `is_open` is the same.
        """
        if self._settings.persisted_documents_only:
            return self._listed.get((named or hash_of(query), is_open)) or _refused(Forbidden(UNLISTED_MESSAGE))
        if not query and named is not None:
            return self._by_name(named, is_open=is_open)
        if len(query) > self._settings.max_query_chars:
            return Prepared(errors=[self._too_long()])
        key = (query, is_open)
        prepared = self._known.get(key)
        if prepared is not None:
            self._known.move_to_end(key)
        else:
            prepared = self._judge(query, is_open=is_open)
            self._remember(key, prepared)
        if named is not None and prepared.named is None and not prepared.errors:
            prepared.named = named
            self._queries[named, is_open] = query
        return prepared

    def _by_name(self, named: str, *, is_open: bool) -> Prepared:
        listed = self._listed.get((named, is_open))
        if listed is not None:
            return listed
        query = self._queries.get((named, is_open))
        if query is None:
            return _refused(UnknownDocument())
        self._known.move_to_end((query, is_open))
        return self._known[query, is_open]

    def _read_list(self, settings: Settings) -> dict[tuple[str, bool], Prepared]:
        """Prepare what the operator lists, for callers who may introspect and for those who may not."""
        place = settings.persisted_documents
        if place is None:
            if settings.persisted_documents_only:
                raise BadInput("GRAPHMARK_PERSISTED_DOCUMENTS_ONLY needs a list in GRAPHMARK_PERSISTED_DOCUMENTS.")
            return {}
        listed = {}
        for name, text in read_documents(place).items():
            prepared = self._judge(text, is_open=True)
            errors = [self._too_long()] if len(text) > settings.max_query_chars else prepared.errors
            if errors or prepared.document is None:
                raise BadInput(f"{SETTING}: the document {name} cannot be used: {errors[0].message}")
            closed = validate(self.schema, prepared.document, [ClosedSchema])
            listed[name, True] = prepared
            listed[name, False] = Prepared(errors=closed) if closed else prepared
        return listed

    def cost(self, prepared: Prepared, operation: OperationDefinitionNode, variables: Mapping[str, Any] | None) -> int:
        """Return what the operation costs with these variables."""
        assert prepared.document is not None  # noqa: S101  only a document without errors is executed
        given = {
            name: size
            for name in prepared.size_variables
            if variables and (size := size_of(variables.get(name))) is not None  # else it is refused by its type
        }
        key = (id(operation), *(given.get(name) for name in prepared.size_variables))
        cost = prepared.costs.get(key)
        if cost is None:
            cost = cost_of(self._prices, prepared.document, operation, given)
            if len(prepared.costs) < MAX_COSTS:
                prepared.costs[key] = cost
        return cost

    def _judge(self, query: str, *, is_open: bool) -> Prepared:
        try:
            document = parse(query, max_lexical_tokens=self._settings.max_query_tokens, max_comments=MAX_COMMENTS)
        except GraphQLSyntaxError as error:
            return Prepared(errors=[_syntax_error(error)])
        errors = check_limits(self.schema, document, self._limits)
        if not errors:
            rules = OPEN_RULES if is_open else CLOSED_RULES
            errors = validate(self.schema, document, rules, max_errors=MAX_ERRORS, hide_suggestions=not is_open)
        if errors:
            return Prepared(errors=errors)
        operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
        if not operations:
            return Prepared(errors=[GraphQLError("The document contains no operation.")])
        return Prepared(document, [], operations, tuple(sorted(size_variables(document))))

    def _too_long(self) -> GraphQLError:
        return too_complex(f"The document is longer than {self._settings.max_query_chars:,} characters.")

    def _remember(self, key: tuple[str, bool], prepared: Prepared) -> None:
        self._known[key] = prepared
        self._chars += len(key[0])
        while len(self._known) > MAX_DOCUMENTS or self._chars > MAX_REMEMBERED_CHARS:
            (query, is_open), prepared = self._known.popitem(last=False)
            self._chars -= len(query)
            if prepared.named is not None:
                del self._queries[prepared.named, is_open]


def _refused(error: GraphmarkError) -> Prepared:
    return Prepared(errors=[GraphQLError(error.message, original_error=error)])


def _syntax_error(error: GraphQLSyntaxError) -> GraphQLError:
    """Tell a document that is too much for the parser from one that is wrong."""
    if "Parsing aborted." in error.message:
        message = error.message.removeprefix("Syntax Error: ")
        return GraphQLError(message, positions=error.positions, source=error.source, original_error=TooComplex(message))
    return error
