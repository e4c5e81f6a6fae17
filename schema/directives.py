"""Directives that the SDL shows: what a field demands of its caller, and what it costs.

A field at the root of an operation says with one of `requires`, `signed_in` and `public` who may ask for it
(tests/house/test_demands.py); schema.demands reads it there, and app.graphql.engine sees to it.
"""

from collections.abc import Sequence
from typing import Any

import strawberry
from strawberry.schema_directive import Location

from resolvers.guards import RoleGuard
from resolvers.inputs.users import ApiScope, Role


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION], description="Only accounts of this role (or an administrator) may ask."
)
class RequiresRole:
    """Shown as `@requiresRole(role: ADMIN)`."""

    role: Role = strawberry.directive_field(name="role")


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    description="Whoever is signed in may ask; an API key only with this scope.",
)
class RequiresScope:
    """Shown as `@requiresScope(scope: READ)`."""

    scope: ApiScope = strawberry.directive_field(name="scope")


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION], description="Whoever is signed in may ask, but no API key."
)
class RequiresSession:
    """Shown as `@requiresSession`."""


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION], description="Anybody may ask, signed in or not, whatever the API key."
)
class Public:
    """Shown as `@public`."""


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    description="Also open to a session whose account has to set up a second factor before anything else.",
)
class WhileEnrolling:
    """Shown as `@whileEnrolling`."""


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION], description="What asking for this field once costs, in points; else 1."
)
class Cost:
    """Shown as `@cost(weight: 50)`; counted by schema.costs."""

    weight: int = strawberry.directive_field(name="weight")


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION], description="How many items a list without paging counts as; else 5."
)
class ListSize:
    """Shown as `@listSize(assumedSize: 50)`; counted by schema.costs."""

    assumed_size: int = strawberry.directive_field(name="assumedSize")


def requires_role(role: Role) -> dict[str, Any]:
    """Return the arguments that make a field demand `role` and say so in the SDL: `strawberry.field(**…)`."""
    return {"directives": [RequiresRole(role=role)], "extensions": [RoleGuard(role)]}


def requires(
    scope: ApiScope, *, role: Role | None = None, while_enrolling: bool = False, also: Sequence[object] = ()
) -> dict[str, Any]:
    """Return the arguments of a root field for who is signed in, and for API keys with `scope`.

    `also` are further directives.
    """
    return _demanding(RequiresScope(scope=scope), role, while_enrolling, also)


def signed_in(
    *, role: Role | None = None, while_enrolling: bool = False, also: Sequence[object] = ()
) -> dict[str, Any]:
    """Return the arguments of a root field that takes no API key: credentials, administration, step-up."""
    return _demanding(RequiresSession(), role, while_enrolling, also)


def public(*, also: Sequence[object] = ()) -> dict[str, Any]:
    """Return the arguments of a root field that anybody may ask for."""
    return {"directives": [Public(), *also]}


def _demanding(demand: object, role: Role | None, while_enrolling: bool, also: Sequence[object]) -> dict[str, Any]:
    directives = [demand, *([WhileEnrolling()] if while_enrolling else []), *also]
    if role is None:
        return {"directives": directives}
    guard = requires_role(role)
    return {"directives": [*directives, *guard["directives"]], "extensions": guard["extensions"]}
