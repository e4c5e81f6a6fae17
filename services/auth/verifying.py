"""Confirming that an address reaches whoever opened the account with it."""

from db import auth as rows_of
from db import users
from db.auth import VERIFICATION
from db.users import UserRow
from kit.errors import BadInput, Conflict, NotFound
from services import audit
from services.audit import AuditAction
from services.auth.accounts import Accounts
from services.auth.acting import act_of
from services.auth.links import link_key, send_verification
from services.auth.sessions import Device
from services.permissions import WHOLE, Viewer, admit


async def request_verification(accounts: Accounts, viewer: Viewer) -> None:
    """Send the viewer another link. Raises `Conflict` when the address is confirmed already.

    Whoever calls has asked the budgets of mails first.
    """
    user = await unverified(accounts, viewer)
    async with accounts.database.unit() as unit:
        await send_verification(unit, accounts.settings, accounts.secret_key, user)


async def unverified(accounts: Accounts, viewer: Viewer) -> UserRow:
    """Return the viewer's account; raise `Conflict` when its address is confirmed already."""
    admit(viewer, WHOLE, "requestEmailVerification")
    user = await users.by_id(accounts.database, viewer.id)
    if user is None:
        raise NotFound("There is no such account.")
    if user.is_email_verified:
        raise Conflict("Your address is confirmed already.")
    return user


async def verify_email(accounts: Accounts, *, token: str, device: Device) -> UserRow:
    """Confirm the address that a link was mailed to, and return its account. Raises `BadInput` for a dead link."""
    async with accounts.database.unit() as unit:
        owner = await rows_of.redeem_mailed_token(unit, link_key(token), VERIFICATION)
        user = None if owner is None else await users.note_email_verified(unit, owner)
        if user is None:
            raise BadInput("This link has been used or has expired; ask for a new one.", field=("input", "token"))
        await audit.record(unit, act_of(AuditAction.EMAIL_VERIFIED, user, device))
        return user
