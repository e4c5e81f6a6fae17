"""Proving again who one is, for what demands it (services.auth.step_up)."""

from db import auth as rows_of
from db import users
from db.auth import SessionRow
from db.unit import Unit
from kit.errors import BadInput, Forbidden, Unauthenticated
from services import audit
from services.audit import AuditAction
from services.auth.accounts import Accounts
from services.auth.acting import act_of
from services.auth.codes import read_code
from services.auth.factors import Factor, states
from services.auth.proving import prove_password, with_code
from services.auth.sessions import Device
from services.permissions import WHOLE, Viewer, admit

_ACTION = AuditAction.IDENTITY_CONFIRMED
_WHAT = "confirmIdentity"


async def confirm_identity(
    accounts: Accounts, viewer: Viewer, device: Device, *, password: str, code: str | None
) -> SessionRow:
    """Renew the proof of who bears the viewer's session, by every factor of the account; return the session.

    Raises `Unauthenticated` for a wrong password or code and where there is no session, `BadInput` for a missing code,
    `RateLimited` after too many wrong ones, `Forbidden` where the account has nothing to prove with: it signs in
    elsewhere, and does so again.
    """
    admit(viewer, WHOLE, _WHAT)
    session_id = viewer.session_id
    found = await users.with_password(accounts.database, viewer.id)
    if session_id is None or found is None:
        raise Unauthenticated("There is no session to confirm: sign in.")
    user, encoded = found
    has_factor = (await states(accounts.database, [user.id]))[user.id].is_enabled
    if encoded is None and not has_factor:
        raise Forbidden("This account has no password to confirm with: sign in again.")
    if has_factor and code is None:
        raise BadInput("Send a code of your second factor as well.", field=("input", "code"))
    typed = read_code(code) if has_factor and code is not None else None
    if encoded is not None:
        await prove_password(accounts, viewer, password, device, action=_ACTION, what=_WHAT)

    async def confirmed(unit: Unit, factor: Factor) -> SessionRow:
        session = await rows_of.note_proof(unit, session_id)
        if session is None:
            raise Unauthenticated("There is no session to confirm: sign in.")
        await audit.record(unit, act_of(_ACTION, user, device, factor=factor.value))
        return session

    if typed is not None:
        return await with_code(accounts, user, typed, device, confirmed, action=_ACTION)
    async with accounts.database.unit() as unit:
        return await confirmed(unit, Factor.PASSWORD)
