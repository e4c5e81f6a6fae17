"""The end of sessions: one's own, all others, or everything of an account (OWASP ASVS 5.0 V7.4).

Each end is told to every process in the transaction that brings it, so WebSockets and streams close within moments.
"""

from uuid import UUID

from db import auth as rows_of
from db.auth import SessionRow
from db.unit import Unit
from kit.errors import NotFound
from services.audit import AuditAction
from services.auth.acting import note
from services.auth.sessions import Device
from services.auth.step_up import require_recent
from services.permissions import WHOLE, Role, Viewer, admit


async def logout(unit: Unit, viewer: Viewer, device: Device) -> bool:
    """End the viewer's session; its sockets close in every process. False when there was none to end."""
    if viewer.session_id is None or not await rows_of.revoke_session(unit, viewer.session_id, viewer.id):
        return False
    await note(unit, AuditAction.SIGNED_OUT, viewer, device)
    return True


async def revoke(unit: Unit, viewer: Viewer, device: Device, key: UUID) -> SessionRow:
    """End a session of the viewer, or anybody's on an administrator's word; return what it was.

    Raises `NotFound` when it is not there or not the viewer's, `Forbidden` when an administrator has to prove who they
    are before.
    """
    admit(viewer, WHOLE, "revokeSession")
    session = await rows_of.session_by_id(unit, key)
    if session is None or (session.user_id != viewer.id and viewer.role is not Role.ADMIN):
        raise NotFound("There is no such session.", field=("input", "id"))
    if session.user_id != viewer.id:
        await require_recent(unit, viewer, "revokeSession")
    if not await rows_of.revoke_session(unit, key, session.user_id):
        raise NotFound("There is no such session.", field=("input", "id"))
    await note(unit, AuditAction.SESSION_REVOKED, viewer, device, session.user_id, session=str(key))
    return session


async def revoke_others(unit: Unit, viewer: Viewer, device: Device) -> int:
    """End every session of the viewer but the one that asks; return how many ended."""
    admit(viewer, WHOLE, "revokeOtherSessions")
    ended = await rows_of.revoke_sessions(unit, viewer.id, but=viewer.session_id)
    if ended:
        await note(unit, AuditAction.SESSION_REVOKED, viewer, device, sessions=ended)
    return ended


async def end_sessions(unit: Unit, user_id: UUID, *, but: UUID | None = None) -> int:
    """End the sessions of an account but one; return how many ended.

    For when its password, factors, role or address have changed. Whoever calls records the act that it follows from.
    API keys go on.
    """
    return await rows_of.revoke_sessions(unit, user_id, but=but)


async def shut_out(unit: Unit, user_id: UUID) -> int:
    """End everything that is open in the name of an account that is closed from now on; return how many sessions.

    Its API keys open nothing while it is closed, and their connections close.
    """
    ended = await end_sessions(unit, user_id)
    await rows_of.call_out_keys(unit, user_id)
    return ended


def may_see(viewer: Viewer, user_id: UUID, what: str) -> None:
    """Let whoever may see the credentials of an account pass: itself and administrators; raise otherwise."""
    admit(viewer, WHOLE, what)
    if viewer.id != user_id and viewer.role is not Role.ADMIN:
        raise NotFound("There is no such account.")
