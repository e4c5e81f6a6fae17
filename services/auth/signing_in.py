"""Signing in: from a proof of who somebody is to a session (OWASP ASVS 5.0 V6)."""

from db import users
from kit.crypto import MAX_PASSWORD_CHARS
from kit.errors import BadInput, Unauthenticated
from services import audit
from services.audit import AuditAction
from services.auth.accounts import Accounts, act_of
from services.auth.sessions import Device, SignedIn, open_session
from services.users import email_key


async def login(accounts: Accounts, *, email: str, password: str, device: Device) -> SignedIn:
    """Open a session for whoever knows the password.

    Raises `Unauthenticated` with one and the same message, after the same work, for an unknown address, a wrong
    password and a disabled account (ASVS 6.3.8).
    """
    wrong = Unauthenticated("The address or the password is not right.", field=("input", "password"))
    try:
        found = await users.by_email_key(accounts.database, email_key(email))
    except BadInput:
        found = None
    user, encoded = found or (None, None)
    fits = await accounts.passwords.verify(encoded, password[:MAX_PASSWORD_CHARS])
    if not fits or user is None or encoded is None or user.disabled_at is not None:
        raise wrong
    renewed = await accounts.passwords.hash(password) if accounts.passwords.is_outdated(encoded) else None
    async with accounts.database.unit() as unit:
        if renewed is not None:
            await users.set_password_hash(unit, user.id, renewed)
        await users.note_login(unit, user.id)
        signed_in = await open_session(unit, accounts.settings, user, device)
        await audit.record(unit, act_of(AuditAction.SIGNED_IN, user, device))
        return signed_in
