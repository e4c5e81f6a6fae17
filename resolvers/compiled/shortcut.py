"""The short way: a query whose every root field has a plan is answered without making an executor for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from graphql import GraphQLSchema, OperationDefinitionNode
from graphql.execution.values import VariableValues, get_argument_values, get_variable_values
from graphql.pyutils import gather_with_cancel

from db.unit import is_away
from kit.errors import GraphmarkError
from resolvers.compiled.plans import FieldPlan
from resolvers.compiled.selections import NotCoveredError
from resolvers.context import Context
from services.permissions import Role, Viewer

log = structlog.get_logger(__name__)
_NO_VARIABLES = VariableValues({}, {})


def shortcut_key(operation: OperationDefinitionNode, viewer: Viewer | None) -> tuple[int, Role | None]:
    """Return under what `Plans.shortcuts` has the short way of an operation of its document for viewers like this."""
    return id(operation), None if viewer is None else viewer.role


@dataclass(frozen=True, slots=True)
class Asking:
    """As much of an executor as plans use."""

    context_value: Context
    variable_values: VariableValues
    hide_suggestions: bool

    def argument_values(self, definition: Any, node: Any) -> dict[str, Any]:
        """Return the arguments of a field as graphql-core coerces them."""
        return get_argument_values(definition, node, self.variable_values, None, self.hide_suggestions)


@dataclass(frozen=True, slots=True)
class Shortcut:
    """The plans of all root fields of one operation, by their response names, in the order of the response."""

    schema: GraphQLSchema
    variables: tuple[Any, ...]
    fields: tuple[tuple[str, FieldPlan], ...]

    async def answer(
        self, context: Context, variables: Mapping[str, Any] | None, *, hide_suggestions: bool
    ) -> dict[str, Any] | None:
        """Return the data of the answer, or None when only an executor can say what is wrong.

        Raises what `db.unit.is_away` knows: asking again would not help.
        """
        values = _NO_VARIABLES
        if self.variables:
            coerced = get_variable_values(
                self.schema, self.variables, dict(variables or {}), hide_suggestions=hide_suggestions
            )
            if isinstance(coerced, list):
                return None
            values = coerced
        asking = Asking(context, values, hide_suggestions)
        try:
            if len(self.fields) == 1:
                name, plan = self.fields[0]
                return {name: await plan.run(None, asking)}
            answers = await gather_with_cancel(*(plan.run(None, asking) for _, plan in self.fields))
        except (GraphmarkError, NotCoveredError):
            return None
        except Exception as error:
            if is_away(error):
                raise
            log.warning("executor.shortcut_failed", fields=[name for name, _ in self.fields], error=repr(error))
            return None
        return dict(zip((name for name, _ in self.fields), answers, strict=True))
