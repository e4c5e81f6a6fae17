"""The executor: plans where it can, and leaves everything else to graphql-core and the ordinary resolvers."""

from typing import Any

import structlog
from graphql import DirectiveNode, VariableNode, Visitor, visit
from graphql.execution.values import get_argument_values
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from db.unit import is_away
from kit.errors import GraphmarkError
from resolvers.compiled.facts import Answers, fact_of
from resolvers.compiled.planner import Planner
from resolvers.compiled.plans import MAX_PLANS, FieldPlan, Plans
from resolvers.compiled.selections import NotCoveredError
from resolvers.compiled.shortcut import Shortcut, shortcut_key

log = structlog.get_logger(__name__)


class CompiledExecutor(StrawberryGraphQLCoreExecutionContext):
    """Answers a field whose whole selection has SQL facts by one statement, wherever in the operation it stands.

    `context_value` is a resolvers.context.Context. Whoever runs a document more than once sets `plans` to what is
    remembered of it. Whatever goes wrong in a plan, the ordinary path answers instead: reading twice changes nothing,
    and errors have their places, their paths and their nulls from graphql-core alone. Where plans have gone wrong
    already, `is_planning` is set to False; `outage` is what kept the database from answering, and answers for all
    root fields: whoever is overloaded is not asked twice.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.plans = Plans()
        self.is_planning = True
        self.outage: Exception | None = None

    def execute_field(
        self, parent_type: Any, source: Any, field_details_list: Any, path: Any, position_context: Any
    ) -> Any:
        """See graphql-core's `Executor.execute_field`."""
        definition = parent_type.fields.get(field_details_list[0].node.name.value)
        if self.outage is not None and path.prev is None and definition is not None:
            self.handle_field_error(self.outage, definition.type, field_details_list, path)
            return None
        if self.is_planning and definition is not None and isinstance(fact_of(definition), Answers):
            plan = self.plan_of(definition, field_details_list)
            if plan is not None:
                return self._planned(plan, parent_type, source, field_details_list, path, position_context)
        return super().execute_field(parent_type, source, field_details_list, path, position_context)

    def execute_root_grouped_field_set(
        self, root_type: Any, root_value: Any, grouped_field_set: Any, serially: bool, position_context: Any
    ) -> Any:
        """See graphql-core's `Executor.execute_root_grouped_field_set`. Notes whether the query has a short way."""
        if root_type is self.schema.query_type:
            self._note_shortcut(root_type, grouped_field_set)
        return super().execute_root_grouped_field_set(
            root_type, root_value, grouped_field_set, serially, position_context
        )

    def _note_shortcut(self, root_type: Any, grouped: Any) -> None:
        key = shortcut_key(self.operation, self.context_value.viewer)
        if key in self.plans.shortcuts:
            return
        fields: list[tuple[str, FieldPlan]] = []
        for name, details in grouped.items():
            definition = root_type.fields.get(details[0].node.name.value)
            has_facts = definition is not None and isinstance(fact_of(definition), Answers)
            plan = self.plan_of(definition, details) if has_facts else None
            if plan is not None:
                fields.append((name, plan))
        is_whole = len(fields) == len(grouped) and not self._conditions()
        variables = tuple(self.operation.variable_definitions or ())
        self.plans.shortcuts[key] = Shortcut(self.schema, variables, tuple(fields)) if is_whole else None

    def plan_of(self, definition: Any, details: Any) -> FieldPlan | None:
        """Return the plan of a field, None when it has none. Known plans are those of the same viewer's role."""
        viewer = self.context_value.viewer
        key = (
            id(self.operation),  # whose conditions the values are of
            *(id(one.node) for one in details),
            None if viewer is None else viewer.role,
            *(self.variable_values.coerced.get(name) for name in self._conditions()),
        )
        known = self.plans.known
        if key in known:
            return known[key]
        plan = Planner(self, viewer).plan(definition, details)
        if len(known) < MAX_PLANS:
            known[key] = plan
        return plan

    def argument_values(self, definition: Any, node: Any) -> dict[str, Any]:
        """Return the arguments of a field as graphql-core coerces them."""
        return get_argument_values(definition, node, self.variable_values, None, self.hide_suggestions)

    def _conditions(self) -> tuple[str, ...]:
        """Return the names of the variables that decide what the operation selects."""
        names = self.plans.conditions.get(id(self.operation))
        if names is None:
            finder = _Conditions()
            visit(self.operation, finder)
            for fragment in self.fragments.values():
                visit(fragment.definition, finder)
            names = self.plans.conditions[id(self.operation)] = tuple(sorted(finder.names))
        return names

    async def _planned(
        self, plan: FieldPlan, parent_type: Any, source: Any, details: Any, path: Any, position_context: Any
    ) -> Any:
        try:
            return await plan.run(source, self)
        except (GraphmarkError, NotCoveredError):
            pass  # a refusal, or an answer that no plan gives: the ordinary path words it
        except Exception as error:
            if is_away(error):
                definition = parent_type.fields[details[0].node.name.value]
                self.handle_field_error(error, definition.type, details, path)
                return None
            log.warning("executor.plan_failed", field=details[0].node.name.value, error=repr(error), exc_info=True)
        result = super().execute_field(parent_type, source, details, path, position_context)
        return await result if self.is_awaitable(result) else result


class _Conditions(Visitor):
    """Collects the variables in @skip and @include."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
        """See graphql-core's visitor."""
        for argument in node.arguments or ():
            if isinstance(argument.value, VariableNode):
                self.names.add(argument.value.name.value)
