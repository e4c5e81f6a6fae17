"""From query text to something that may be executed, remembered for the next time the same text comes."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
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

from kit.errors import BadInput, Forbidden, TooComplex
from kit.settings import Settings
from schema.costs import PriceList, cost_of, size_variables
from schema.limits import INTROSPECTION_FIELDS, Limits, check_limits, too_complex

MAX_DOCUMENTS = 512
MAX_REMEMBERED_CHARS = 1_000_000  # an AST takes about fifty times its text
MAX_COSTS = 32
MAX_COMMENTS = 500
MAX_ERRORS = 20
CLOSED_MESSAGE = "Introspection is not open to you: sign in, or read the schema file that comes with the server."


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
    """A document that has been parsed and judged. With `errors` nothing of it may be executed."""

    document: DocumentNode | None = None
    errors: list[GraphQLError] = field(default_factory=list)
    operations: list[OperationDefinitionNode] = field(default_factory=list)
    size_variables: tuple[str, ...] = ()
    costs: dict[tuple[Any, ...], int] = field(default_factory=dict)

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


class Documents:
    """Prepares documents; remembers at most 512 of them and a million characters, the latest used."""

    def __init__(self, schema: GraphQLSchema, settings: Settings) -> None:
        self.schema = schema
        self._settings = settings
        self._limits = Limits.of(settings)
        self._prices = PriceList(schema)
        self._known: OrderedDict[tuple[str, bool], Prepared] = OrderedDict()
        self._chars = 0

    def prepare(self, query: str, *, is_open: bool) -> Prepared:
        """Parse, limit and validate `query`. `is_open` tells whether this caller may introspect and be given hints."""
        if len(query) > self._settings.max_query_chars:
            limit = self._settings.max_query_chars
            return Prepared(errors=[too_complex(f"The document is longer than {limit:,} characters.")])
        key = (query, is_open)
        known = self._known.get(key)
        if known is not None:
            self._known.move_to_end(key)
            return known
        prepared = self._judge(query, is_open=is_open)
        self._remember(key, prepared)
        return prepared

    def cost(self, prepared: Prepared, operation: OperationDefinitionNode, variables: Mapping[str, Any] | None) -> int:
        """Return what the operation costs with these variables."""
        assert prepared.document is not None  # noqa: S101  only a document without errors is executed
        given = {
            name: value
            for name in prepared.size_variables
            if variables and isinstance(value := variables.get(name), int)  # anything else is refused by its type
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

    def _remember(self, key: tuple[str, bool], prepared: Prepared) -> None:
        self._known[key] = prepared
        self._chars += len(key[0])
        while len(self._known) > MAX_DOCUMENTS or self._chars > MAX_REMEMBERED_CHARS:
            (query, _), _ = self._known.popitem(last=False)
            self._chars -= len(query)


def _syntax_error(error: GraphQLSyntaxError) -> GraphQLError:
    """Tell a document that is too much for the parser from one that is wrong."""
    if "Parsing aborted." in error.message:
        message = error.message.removeprefix("Syntax Error: ")
        return GraphQLError(message, positions=error.positions, source=error.source, original_error=TooComplex(message))
    return error
