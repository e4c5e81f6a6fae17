"""Signing in: from a proof of who somebody is to a session (OWASP ASVS 5.0 V6)."""

from db import users
from db.auth import LOCKED_OUT
from db.users import UserRow
from kit.crypto import MAX_PASSWORD_CHARS
from kit.errors import BadInput, Forbidden, RateLimited, Unauthenticated
from services import audit, throttle
from services.audit import Act, AuditAction
from services.auth.accounts import Accounts
from services.auth.acting import act_of_nobody
from services.auth.factors import Factor
from services.auth.noticing import ask_for_mail
from services.auth.second_step import Challenge, let_in
from services.auth.sessions import Device, SignedIn
from services.throttle import Secret
from services.users import email_key

_MAX_TYPED_CHARS = 320  # RFC 5321 leaves an address no more


async def login(
    accounts: Accounts, *, email: str, password: str, device: Device, device_token: str | None = None
) -> SignedIn | Challenge:
    """Open a session for whoever knows the password, or ask for the second factor where the account has one.

    Raises `Forbidden` where passwords are switched off, `Unauthenticated` with one and the same message, after the same
    work, for an unknown address, a wrong password and a disabled account (ASVS 6.3.8), and `RateLimited` for each of
    them, and for the right password, after too many wrong ones (services.throttle).
    """
    if not accounts.settings.password_login:
        raise Forbidden("This server takes no passwords; sign in at the identity provider instead.")
    key = _key_of(email)
    try:
        attempt = await throttle.admit(
            accounts.database, accounts.settings, Secret.PASSWORD, key, device.network_address
        )
    except RateLimited as error:
        if isinstance(error, throttle.AccountWaits):
            async with accounts.database.unit() as unit:
                await ask_for_mail(unit, LOCKED_OUT, key, device)
        await audit.refused(accounts.database, _refusal(None, "TOO_MANY_ATTEMPTS", device))
        raise
    try:
        found = await users.by_email_key(accounts.database, key)
        user, encoded = found or (None, None)
        fits = await accounts.passwords.verify(encoded, password[:MAX_PASSWORD_CHARS])
        fits = fits and len(password) <= MAX_PASSWORD_CHARS
    except BaseException:
        await throttle.undone(accounts.database, accounts.settings, Secret.PASSWORD, attempt)
        raise
    if not fits or user is None or encoded is None or user.disabled_at is not None:
        reason = "UNKNOWN_ADDRESS" if user is None else "DISABLED" if fits else "WRONG_PASSWORD"
        await audit.refused(accounts.database, _refusal(user, reason, device))
        raise _wrong()
    renewed = await accounts.passwords.hash(password) if accounts.passwords.is_outdated(encoded) else None
    async with accounts.database.unit() as unit:
        # Hashing takes a while: a password that was replaced meanwhile opens nothing, and is not put back.
        if await users.hold_with_password(unit, user.id, encoded):
            if renewed is not None:
                await users.set_password_hash(unit, user.id, renewed)
            await throttle.passed(unit, attempt)
            return await let_in(unit, accounts, user, device, device_token=device_token)
    await audit.refused(accounts.database, _refusal(user, "CHANGED_MEANWHILE", device))
    raise _wrong()


def _wrong() -> Unauthenticated:
    return Unauthenticated("The address or the password is not right.", field=("input", "password"))


def _refusal(user: UserRow | None, reason: str, device: Device) -> Act:
    """Return what is written of a sign-in that failed."""
    return act_of_nobody(AuditAction.SIGNED_IN, device, user, factor=Factor.PASSWORD.value, reason=reason)


def _key_of(email: str) -> str:
    """Return the key of an address, or what was typed in place of one: it is throttled like an address.

    What was typed is quoted, because the database takes no NUL character.
    """
    try:
        return email_key(email)
    except BadInput:
        return ascii(email[:_MAX_TYPED_CHARS])
