"""A new password for whoever reads the mailbox of an account (OWASP Forgot Password Cheat Sheet, ASVS 5.0 6.4.3).

A request is one row, whatever the address: what becomes of it is found out by a worker, so neither the answer nor its
time tells whether there is an account. The link is 256 random bits, stored as a fingerprint, good for half an hour and
once; the next request voids it, and so does a new password or address. It replaces the password and nothing else: an
account with a second factor has to give a code of it, and nobody is signed in by it.
"""

import asyncio
from typing import Final

from db import auth as rows_of
from db import users
from db.auth import LOCKED_OUT, RESET
from db.unit import Unit
from db.users import UserRow
from kit.crypto import SecretKey
from kit.errors import BadInput, Forbidden
from kit.settings import Settings
from services import audit, mail, throttle
from services.audit import AuditAction
from services.auth.accounts import Accounts
from services.auth.acting import act_of, act_of_nobody
from services.auth.codes import read_code
from services.auth.ending import end_sessions
from services.auth.factors import Factor, states
from services.auth.links import link_key, send_reset
from services.auth.noticing import ask_for_mail, tell_of_lockout
from services.auth.passwords import check_password
from services.auth.proving import with_code
from services.auth.sessions import Device
from services.mail import letters
from services.users import email_key

NEW_PASSWORD: Final = ("input", "newPassword")


async def request_reset(accounts: Accounts, *, email: str, device: Device) -> None:
    """Write down that somebody wants a new password. Raises `BadInput` for what is no address.

    Whoever calls has asked the budgets of mails first, for every address alike (services.limits).
    """
    _refuse_without_passwords(accounts.settings)
    key = email_key(email)
    async with accounts.database.unit() as unit:
        await ask_for_mail(unit, RESET, key, device)


async def answer_request(unit: Unit, settings: Settings, key: SecretKey) -> bool:
    """Write the mail that the oldest request is for, if its address has an account that is open.

    Return whether there was a request.
    """
    request = await rows_of.take_mail_request(unit)
    if request is None:
        return False
    found = await users.by_email_key(unit, request.email_key)
    if found is None or found[0].disabled_at is not None:
        return True
    if request.kind == LOCKED_OUT:
        await tell_of_lockout(unit, settings, key, found[0])
    else:
        await send_reset(unit, settings, key, found[0])
        device = Device(user_agent=request.user_agent, network_address=request.network_address)
        await audit.record(unit, act_of_nobody(AuditAction.PASSWORD_RESET_REQUESTED, device, found[0], succeeded=True))
    return True


async def reset_password(
    accounts: Accounts, *, token: str, new_password: str, code: str | None, device: Device
) -> None:
    """Set the password of the account that a link was mailed to, and end all of its sessions.

    Raises `BadInput` for a link that opens nothing any more, a password that is none to choose, or a code that is
    missing where the account has a second factor; `Unauthenticated` for a wrong code, `RateLimited` after too many.
    """
    _refuse_without_passwords(accounts.settings)
    token_hash = link_key(token)
    owner = await rows_of.owner_of_mailed_token(accounts.database, token_hash, RESET)
    user = None if owner is None else await users.by_id(accounts.database, owner)
    if user is None:
        raise _void()
    await asyncio.to_thread(check_password, new_password, email=user.email, name=user.name, field=NEW_PASSWORD)
    needs_code = (await states(accounts.database, [user.id]))[user.id].is_enabled
    if needs_code and not code:
        raise BadInput(
            "This account has a second factor: give a code of it, or a recovery code.", field=("input", "code")
        )
    typed = read_code(code) if needs_code and code else None
    password_hash = await accounts.passwords.hash(new_password)

    async def work(unit: Unit, factor: Factor | None) -> None:
        if await rows_of.redeem_mailed_token(unit, token_hash, RESET) != user.id:
            raise _void()
        await users.set_password_hash(unit, user.id, password_hash)
        await end_sessions(unit, user.id)
        await throttle.forget_networks(unit, user.id)
        await rows_of.forget_devices(unit, user.id)
        await throttle.clear_account(unit, email_key(user.email))
        await _tell(unit, accounts, user, device)
        act = act_of(AuditAction.PASSWORD_RESET, user, device, **({} if factor is None else {"factor": str(factor)}))
        await audit.record(unit, act)

    if typed is None:
        async with accounts.database.unit() as unit:
            await work(unit, None)
    else:
        await with_code(accounts, user, typed, device, work, action=AuditAction.PASSWORD_RESET)


async def _tell(unit: Unit, accounts: Accounts, user: UserRow, device: Device) -> None:
    letter = letters.password_changed(user, network_address=device.network_address, user_agent=device.user_agent)
    await mail.queue(unit, accounts.secret_key, letter)


def _void() -> BadInput:
    return BadInput("This link has been used or has expired; ask for a new one.", field=("input", "token"))


def _refuse_without_passwords(settings: Settings) -> None:
    if not settings.password_login:
        raise Forbidden("This server takes no passwords; sign in at the identity provider instead.")
