"""Runs operations on the Strawberry schema: parsed once, limited, bounded in time, every error worded.

It calls graphql-core beneath Strawberry with the schema's own `execution_context_class`. Where that compiles, a query
that has plans for all its root fields is answered without it (resolvers.compiled). Schema extensions of Strawberry are
not run; field extensions are.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import strawberry
import structlog
from graphql import (
    ExecutionResult,
    Executor,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    execute_root_selection_set,
)
from strawberry.execution import optimized_is_awaitable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from app import metrics
from app.graphql.callers import is_allowed
from app.graphql.deadlines import Deadlines
from app.graphql.documents import Documents, Prepared
from app.graphql.errors import formatted, outcome_of
from kit.errors import BadInput, GraphmarkError, Unavailable
from kit.settings import Executor as ExecutorKind
from kit.settings import Settings
from resolvers.compiled import CompiledExecutor, shortcut_key
from resolvers.context import Context
from schema.demands import Demands
from schema.limits import too_complex
from services.permissions import Viewer

log = structlog.get_logger(__name__)

ContextFactory = Callable[[], Context]
MAX_VARIABLE_NESTING, MAX_VARIABLE_VALUES, MAX_VARIABLE_NAMES = 50, 20_000, 200
_CONTAINERS = (dict, list)  # all that JSON has


@dataclass(frozen=True, slots=True)
class Operation:
    """What a client asks for. `variables` are as JSON gave them; uploads are `kit.uploads.UploadedFile` among them.

    `named` is the SHA-256 of the document where the client named it; `query` is empty where it sent no more than that.
    """

    query: str
    operation_name: str | None = None
    variables: Mapping[str, Any] | None = None
    named: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """One result, as the response shows it. `is_request_error` means that nothing was executed: there is no `data`."""

    body: dict[str, Any]
    is_request_error: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """An operation that has passed every check and can be run."""

    prepared: Prepared
    node: OperationDefinitionNode
    operation: Operation

    @property
    def kind(self) -> OperationType:
        """Query, mutation or subscription."""
        return self.node.operation

    @property
    def name(self) -> str | None:
        """The operation's own name, for the log."""
        return self.node.name.value if self.node.name is not None else None


class Engine:
    """One schema, ready to answer."""

    def __init__(self, schema: strawberry.Schema, settings: Settings) -> None:
        self._schema = schema._schema  # noqa: SLF001  Strawberry's own integrations reach graphql-core this way
        self._executor: type[Executor[Any]] = (
            schema.execution_context_class
            if settings.executor is ExecutorKind.COMPILED
            else StrawberryGraphQLCoreExecutionContext
        )
        self._is_compiled = issubclass(self._executor, CompiledExecutor)
        self._settings = settings
        self._deadlines = Deadlines(settings.request_timeout_seconds)
        self.documents = Documents(self._schema, settings)
        self.demands = Demands(self._schema)

    def plan(self, operation: Operation, context: Context) -> Plan | Answer:
        """Check the operation without running it; an `Answer` is its refusal."""
        settings = self._settings
        prepared = self.documents.prepare(operation.query, is_open=self._is_open(context), named=operation.named)
        if prepared.errors:
            return self._refused(prepared.errors, context)
        try:
            node = prepared.operation(operation.operation_name)
            self._check_restrictions(prepared, node, context.viewer)
            _check_variables(operation.variables)
        except GraphmarkError as error:
            return self._refused([GraphQLError(error.message, original_error=error)], context)
        cost = self.documents.cost(prepared, node, operation.variables)
        if cost > settings.max_query_cost:
            message = f"The operation costs {_shown(cost)} points; at most {settings.max_query_cost:,} are allowed."
            return self._refused([too_complex(message + " Ask for smaller pages or fewer fields.", node)], context)
        return Plan(prepared, node, operation)

    async def execute(self, plan: Plan, context: Context) -> Answer:
        """Run a query or a mutation to its end, within the request timeout."""
        started = time.perf_counter()
        try:
            with self._deadlines.deadline() as deadline:
                result = await self._run(plan, context)
        except Exception as error:  # noqa: BLE001  whatever broke, the client gets an answer and the log the reason
            result = ExecutionResult(None, [timed_out(self._settings) if deadline.is_over else wrapped(error)])
        answer = self.answer(result, plan, context)
        metrics.operation_done(plan.kind.value, outcome_of(answer.body.get("errors")), time.perf_counter() - started)
        return answer

    def build(self, plan: Plan, context: Context) -> Executor[Any] | list[GraphQLError]:
        """Return what executes the plan once, or the errors in its variables."""
        variables = plan.operation.variables
        executor = self._executor.build(
            self._schema,
            plan.prepared.document,  # type: ignore[arg-type]  # a plan has passed, so it has a document
            context_value=context,
            raw_variable_values=dict(variables) if variables else None,
            operation_name=plan.operation.operation_name or None,
            is_awaitable=optimized_is_awaitable,  # type: ignore[arg-type]  # a plain bool where a TypeGuard is wished
            hide_suggestions=not self._is_open(context),
        )
        if isinstance(executor, CompiledExecutor):
            executor.plans = plan.prepared.plans
        return executor

    def _is_open(self, context: Context) -> bool:
        """Tell whether this caller may introspect, and so may be told what a misspelt field might have been."""
        return is_allowed(self._settings.introspection, context.viewer)

    async def _run(self, plan: Plan, context: Context) -> ExecutionResult:
        shortcut, outage = None, None
        if self._is_compiled:
            shortcut = plan.prepared.plans.shortcuts.get(shortcut_key(plan.node, context.viewer))
        if shortcut is not None:
            is_open = self._is_open(context)
            try:
                data = await shortcut.answer(context, plan.operation.variables, hide_suggestions=not is_open)
            except Exception as error:  # noqa: BLE001  an executor gives it the place and path of a field
                data, outage = None, error
            if data is not None:
                return ExecutionResult(data, None)
        executor = self.build(plan, context)
        if isinstance(executor, list):
            return ExecutionResult(None, executor)
        if shortcut is not None and isinstance(executor, CompiledExecutor):
            # Its plans are those that failed just now; a third try would be one too many.
            executor.is_planning, executor.outage = False, outage
        result = execute_root_selection_set(executor)
        return result if isinstance(result, ExecutionResult) else await result

    def _check_restrictions(self, prepared: Prepared, node: OperationDefinitionNode, viewer: Viewer | None) -> None:
        """Refuse a viewer who may not ask for one of the fields; nothing of the operation is done then."""
        if viewer is not None and (viewer.scopes is not None or viewer.must_enrol):
            self.demands.check(viewer, node.operation, prepared.root_names(node))
            if viewer.must_enrol and prepared.document is not None:
                self.demands.check_account(viewer, node, prepared.document)

    def _refused(self, errors: list[GraphQLError], context: Context) -> Answer:
        body = {"errors": formatted(errors, request_id=context.request_id, operation=None)}
        metrics.operation_done("refused", outcome_of(body["errors"]), None)
        return Answer(body, is_request_error=True)

    def answer(self, result: ExecutionResult, plan: Plan, context: Context) -> Answer:
        """Return a result as the response shows it; errors are worded, and logged where the server is to blame."""
        if not result.errors:
            return Answer({"data": result.data})
        errors = formatted(result.errors, request_id=context.request_id, operation=plan.name)
        if result.data is None and all("path" not in error for error in errors):
            return Answer({"errors": errors}, is_request_error=True)
        return Answer({"errors": errors, "data": result.data})


def wrapped(error: Exception) -> GraphQLError:
    """Return an exception as an error of GraphQL."""
    return error if isinstance(error, GraphQLError) else GraphQLError(str(error), original_error=error)


def timed_out(settings: Settings) -> GraphQLError:
    """Return the error of an operation that took longer than the request timeout."""
    seconds = f"{settings.request_timeout_seconds:g} seconds"
    cause = Unavailable(f"This took longer than {seconds} and was stopped; ask for less at once.")
    return GraphQLError(cause.message, original_error=cause)


def _shown(cost: int) -> str:
    return f"{cost:,}" if cost < 10**12 else "far too many"


def _check_variables(variables: Mapping[str, Any] | None) -> None:
    """Raise `BadInput` for variables that nothing asks for and that would take long to judge.

    That is lists and objects more than 50 deep inside each other, more than 20,000 values, and objects of more than 200
    names, of which graphql-core would print everything for each name that it does not know.
    """
    level: list[Any] = [variables] if variables else []
    values = 0
    for _ in range(MAX_VARIABLE_NESTING):
        values += sum(map(len, level))
        if values > MAX_VARIABLE_VALUES:
            raise BadInput(f"The variables hold more than {MAX_VARIABLE_VALUES:,} values.")
        inner: list[Any] = []
        for value in level:
            if type(value) is not list and len(value) > MAX_VARIABLE_NAMES:
                raise BadInput(f"An object in the variables has more than {MAX_VARIABLE_NAMES} names.")
            among = value if type(value) is list else value.values()
            inner += [one for one in among if type(one) in _CONTAINERS and one]
        level = inner
        if not level:
            return
    raise BadInput(f"The variables are nested more than {MAX_VARIABLE_NESTING} deep.")
