"""Writing down what somebody who is signed in did to an account."""

from typing import Any
from uuid import UUID

from db import users
from db.unit import Unit
from services import audit
from services.audit import Act, AuditAction
from services.auth.sessions import Device
from services.permissions import Viewer


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
