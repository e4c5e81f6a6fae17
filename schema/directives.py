"""Directives that the SDL shows: what a field demands of its caller, and what it costs."""

from typing import Any

import strawberry
from strawberry.schema_directive import Location

from resolvers.guards import RoleGuard
from resolvers.inputs.users import Role


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION], description="Only accounts of this role (or an administrator) may ask."
)
class RequiresRole:
    """Shown as `@requiresRole(role: ADMIN)`."""

    role: Role = strawberry.directive_field(name="role")


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION], description="What asking for this field once costs, in points; else 1."
)
class Cost:
    """Shown as `@cost(weight: 50)`; counted by schema.costs."""

    weight: int = strawberry.directive_field(name="weight")


def requires_role(role: Role) -> dict[str, Any]:
    """Return the arguments that make a field demand `role` and say so in the SDL: `strawberry.field(**…)`."""
    return {"directives": [RequiresRole(role=role)], "extensions": [RoleGuard(role)]}
