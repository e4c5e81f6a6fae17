"""How acts on an account are written down: its owner's, and those of somebody who has not proved who they are."""

from typing import Any
from uuid import UUID

from db import users
from db.unit import Unit
from db.users import UserRow
from services import audit
from services.audit import Act, AuditAction
from services.auth.sessions import Device
from services.permissions import Viewer


def act_of(action: AuditAction, user: UserRow, device: Device, **details: Any) -> Act:
    """Return what somebody did to their own account from a device."""
    return Act(
        action,
        user.id,
        user.email,
        subject_id=user.id,
        network_address=device.network_address,
        user_agent=device.user_agent,
        details=details,
    )


def act_of_nobody(
    action: AuditAction, device: Device, user: UserRow | None = None, *, succeeded: bool = False, **details: Any
) -> Act:
    """Return what somebody tried, or did, who has not proved who they are; `user` is whose account it was about.

    What was typed is not in it: people type passwords where addresses belong.
    """
    return Act(
        action,
        None,
        "",
        subject_id=None if user is None else user.id,
        succeeded=succeeded,
        network_address=device.network_address,
        user_agent=device.user_agent,
        details=details | ({} if user is None else {"account": user.email}),
    )


async def note(
    unit: Unit, action: AuditAction, viewer: Viewer, device: Device, subject_id: UUID | None = None, **details: Any
) -> None:
    """Record an act of the viewer, on the viewer's own account unless `subject_id` names another."""
    actor = await users.by_id(unit, viewer.id)
    act = Act(
        action,
        viewer.id,
        "" if actor is None else actor.email,
        subject_id=subject_id or viewer.id,
        network_address=device.network_address,
        user_agent=device.user_agent,
        details=details,
    )
    await audit.record(unit, act)
