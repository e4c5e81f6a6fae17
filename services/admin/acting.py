"""Who administers: an administrator who has just proved it, or the operator at the command line."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from db import admin as rows_of
from db import users
from db.unit import Unit
from db.users import UserRow
from kit.errors import Forbidden, NotFound
from services import auth
from services.audit import Act, AuditAction
from services.auth import Device
from services.permissions import Role, Viewer, require_role

OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Acting:
    """Who acts, and from where. `viewer` is None for the operator, who could change the database as well."""

    viewer: Viewer | None = None
    device: Device = field(default_factory=Device)


async def admit_admin(unit: Unit, acting: Acting, what: str) -> None:
    """Let an administrator pass who proved to be one at most ten minutes ago, and the operator.

    Raises `Forbidden` otherwise, also for somebody who was an administrator when the request began and is none now.
    Administrators stay as they are until the transaction ends.
    """
    admins = await rows_of.lock_admins(unit)
    if acting.viewer is None:
        return
    require_role(acting.viewer, Role.ADMIN)
    await auth.require_recent(unit, acting.viewer, what)
    if acting.viewer.id not in admins:
        raise Forbidden(f"This needs the role {Role.ADMIN.value}.")


async def locked(unit: Unit, key: UUID, *, field: tuple[str, ...] = ("input", "id")) -> UserRow:
    """Return an account and keep it as it is until the transaction ends. Raises `NotFound`."""
    user = await rows_of.lock(unit, key)
    if user is None:
        raise NotFound("There is no such account.", field=field)
    return user


async def act(
    unit: Unit,
    acting: Acting,
    action: AuditAction,
    subject: UserRow | None = None,
    details: Mapping[str, Any] | None = None,
) -> Act:
    """Return an act on an account, ready to be written down."""
    actor = None if acting.viewer is None else await users.by_id(unit, acting.viewer.id)
    told = {} if subject is None else {"account": subject.email}
    return Act(
        action,
        None if actor is None else actor.id,
        OPERATOR if actor is None else actor.email,
        subject_id=None if subject is None else subject.id,
        network_address=acting.device.network_address,
        user_agent=acting.device.user_agent,
        details={**told, **(details or {})},
    )
