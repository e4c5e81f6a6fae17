"""What a field demands before its resolver runs.

Roles are looked at field by field. What restricts a viewer as a whole (the scopes of an API key, a second factor that
is still to be set up) is looked at once for each operation, in app.graphql.engine, before anything of it is executed:
so it holds on every transport, for subscriptions that others follow already, and however a field is answered.
"""

from typing import Any

from strawberry.extensions import FieldExtension
from strawberry.extensions.field_extension import AsyncExtensionResolver

from resolvers.context import Info, viewer_of
from services.permissions import WHOLE, Demand, Role, Viewer, admit, has_role, require_role

__all__ = ["WHOLE", "Demand", "RoleGuard", "Viewer", "admit"]


class RoleGuard(FieldExtension):
    """Lets only viewers of a role (or administrators) pass; the others get UNAUTHENTICATED or FORBIDDEN."""

    def __init__(self, role: Role) -> None:
        self.role = role

    def admits(self, viewer: Viewer | None) -> bool:
        """Tell whether this viewer may pass."""
        return viewer is not None and has_role(viewer, self.role)

    async def resolve_async(self, next_: AsyncExtensionResolver, source: Any, info: Info, **arguments: Any) -> Any:
        """Check, then go on."""
        require_role(viewer_of(info), self.role)
        return await next_(source, info, **arguments)
