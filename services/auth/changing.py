"""Changing one's own password (OWASP ASVS 5.0 6.2.3): with the one before, and every other session ends."""

import asyncio
from typing import Final

from db import auth as rows_of
from db import users
from kit.errors import BadInput, Conflict, Forbidden, Unauthenticated
from services import audit, mail, throttle
from services.audit import AuditAction
from services.auth.accounts import Accounts
from services.auth.acting import act_of
from services.auth.ending import end_sessions
from services.auth.noticing import notice_device
from services.auth.passwords import check_password
from services.auth.proving import prove_password
from services.auth.sessions import Device
from services.mail import letters
from services.permissions import WHOLE, Viewer, admit

_CURRENT: Final = ("input", "currentPassword")
_NEW: Final = ("input", "newPassword")


async def change_password(
    accounts: Accounts, viewer: Viewer, *, current_password: str, new_password: str, device: Device
) -> None:
    """Set the viewer's password, end every other session and tell the owner by mail.

    Raises `Unauthenticated` when the current password is wrong, `RateLimited` after too many wrong ones, `BadInput` for
    one that is none to choose, `Conflict` when it was changed at the same moment.
    """
    admit(viewer, WHOLE, "changePassword")
    if not accounts.settings.password_login:
        raise Forbidden("This server takes no passwords; sign in at the identity provider instead.")
    found = await users.with_password(accounts.database, viewer.id)
    before = None if found is None else found[1]
    try:
        user = await prove_password(
            accounts, viewer, current_password, device, action=AuditAction.PASSWORD_CHANGED, what="changePassword"
        )
    except Unauthenticated as error:
        raise Unauthenticated(error.message, field=_CURRENT) from error
    if new_password == current_password:
        raise BadInput("This is the password that you have already.", field=_NEW)
    await asyncio.to_thread(check_password, new_password, email=user.email, name=user.name, field=_NEW)
    password_hash = await accounts.passwords.hash(new_password)
    async with accounts.database.unit() as unit:
        if not await users.replace_password_hash(unit, user.id, before=before, after=password_hash):
            raise Conflict("The password was changed at the same moment; sign in again.", field=_CURRENT)
        await end_sessions(unit, user.id, but=viewer.session_id)
        await throttle.forget_networks(unit, user.id)
        await throttle.signed_in(unit, user.id, device.network_address)
        await rows_of.forget_devices(unit, user.id)
        await notice_device(unit, accounts.secret_key, user, device)
        letter = letters.password_changed(user, network_address=device.network_address, user_agent=device.user_agent)
        await mail.queue(unit, accounts.secret_key, letter)
        await audit.record(unit, act_of(AuditAction.PASSWORD_CHANGED, user, device))
