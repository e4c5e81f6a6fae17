"""Proving anew who one is: the password of whoever is signed in, and a code that is used up by the proof.

Every guess is counted before it is looked at (services.throttle), and a wrong one is written down.
"""

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar
from uuid import UUID

from db import users
from db.unit import Unit
from db.users import UserRow
from kit.crypto import MAX_PASSWORD_CHARS
from kit.errors import Forbidden, Unauthenticated
from services import audit, throttle
from services.audit import AuditAction
from services.auth.accounts import Accounts
from services.auth.acting import act_of, act_of_nobody
from services.auth.codes import TypedCode
from services.auth.factors import Factor, take_code
from services.auth.notices import tell
from services.auth.sessions import Device
from services.auth.step_up import require_recent
from services.permissions import Demand, Viewer
from services.throttle import Secret
from services.users import email_key

R = TypeVar("R")
# Who has to set up a factor proves for it who they are. Where more is at stake the mutation demands more by itself.
_WHILE_ENROLLING: Final = Demand(while_enrolling=True)
_WHERE: Final = {Secret.PASSWORD: ("input", "password"), Secret.CODE: ("input", "code")}


async def prove_password(
    accounts: Accounts, viewer: Viewer, password: str, device: Device, *, action: AuditAction, what: str
) -> UserRow:
    """Return the viewer's account when `password` is its own; `action` is what the proof is for, `what` the mutation.

    An account without a password, which signs in elsewhere, must have signed in, or confirmed who it is, a few minutes
    ago. Raises `Unauthenticated` for a wrong password, `RateLimited` after too many, `Forbidden` for a sign-in that is
    too long ago.
    """
    user, encoded = await _account(accounts, viewer.id)
    if encoded is None:
        await require_recent(accounts.database, viewer, what, demand=_WHILE_ENROLLING)
        return user
    attempt = await throttle.admit(
        accounts.database, accounts.settings, Secret.PASSWORD, email_key(user.email), device.network_address
    )
    try:
        fits = await accounts.passwords.verify(encoded, password[:MAX_PASSWORD_CHARS])
    except BaseException:
        await throttle.undone(accounts.database, accounts.settings, Secret.PASSWORD, attempt)
        raise
    if not fits:
        await _wrong(accounts, user, device, Secret.PASSWORD, action)
        raise Unauthenticated("The password is not right.", field=_WHERE[Secret.PASSWORD])
    await throttle.passed(accounts.database, attempt)
    return user


async def with_code(
    accounts: Accounts,
    user: UserRow,
    code: TypedCode,
    device: Device,
    work: Callable[[Unit, Factor], Awaitable[R]],
    *,
    action: AuditAction,
    first: Callable[[], Awaitable[None]] | None = None,
) -> R:
    """Run `work` in the transaction that uses up a code of `user`; `action` is what the proof is for.

    `first` runs before it, and only when the account may guess now. Raises `Unauthenticated` for a code that does not
    fit or was used, and then nothing of `work` was done, `RateLimited` after too many.
    """

    async def compared(unit: Unit) -> tuple[R] | None:
        factor = await take_code(unit, accounts, user, code)
        if factor is None:
            return None
        if factor is Factor.RECOVERY_CODE:
            await tell(unit, accounts.secret_key, AuditAction.RECOVERY_CODE_USED, user, device)
        result = await work(unit, factor)
        if factor is Factor.RECOVERY_CODE:
            await audit.record(unit, act_of(AuditAction.RECOVERY_CODE_USED, user, device))
        return (result,)

    (result,) = await guess_code(accounts, user, device, compared, action=action, first=first)
    return result


async def guess_code(
    accounts: Accounts,
    user: UserRow,
    device: Device,
    compared: Callable[[Unit], Awaitable[R | None]],
    *,
    action: AuditAction,
    first: Callable[[], Awaitable[None]] | None = None,
) -> R:
    """Return what `compared` gives in a transaction; its None means that the code was wrong, and nothing was done."""
    attempt = await throttle.admit(
        accounts.database, accounts.settings, Secret.CODE, email_key(user.email), device.network_address
    )
    try:
        if first is not None:
            await first()
        async with accounts.database.unit() as unit:
            result = await compared(unit)
            if result is not None:
                await throttle.passed(unit, attempt)
                return result
    except BaseException:
        await throttle.undone(accounts.database, accounts.settings, Secret.CODE, attempt)
        raise
    await _wrong(accounts, user, device, Secret.CODE, action)
    raise Unauthenticated("The code is not right, or has been used: wait for the next one.", field=_WHERE[Secret.CODE])


async def _account(accounts: Accounts, key: UUID) -> tuple[UserRow, str | None]:
    found = await users.with_password(accounts.database, key)
    if found is None or found[0].disabled_at is not None:
        raise Forbidden("This account is closed.")
    return found


async def _wrong(accounts: Accounts, user: UserRow, device: Device, secret: Secret, action: AuditAction) -> None:
    """Write down a wrong guess. Who guessed is not known: the account is what it was tried on."""
    act = act_of_nobody(action, device, user, reason=f"WRONG_{secret}")
    await audit.refused(accounts.database, act)
