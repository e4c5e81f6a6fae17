"""The second factor of an account: an authenticator app (TOTP, RFC 6238), and recovery codes for when it is gone.

A factor is pending until a code of it was given, so that nobody locks himself out with an app that was never set up.
Whatever a code opens uses it up. Sources of the rules: OWASP ASVS 5.0 V6.5, NIST SP 800-63B-4 §3.1.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit
from uuid import UUID

import structlog

from db import auth as rows_of
from db import users
from db.auth import FactorState
from db.unit import Rows, Unit
from db.users import UserRow
from kit.clock import utcnow
from kit.crypto import (
    CannotDecrypt,
    SecretKey,
    fingerprint,
    matching_step,
    new_recovery_code,
    new_totp_secret,
    otpauth_uri,
    qr_code_data_url,
)
from kit.errors import Conflict, Unavailable
from kit.settings import Settings
from services import audit
from services.audit import Act, AuditAction
from services.auth.accounts import Accounts
from services.auth.acting import act_of
from services.auth.codes import TypedCode
from services.auth.ending import end_sessions
from services.auth.notices import tell
from services.auth.sessions import Device

log = structlog.get_logger(__name__)

RECOVERY_CODES = 10
PENDING_MINUTES = 60
_USE = "totp"


class Factor(StrEnum):
    """What let somebody in, as the audit log names it. The last three come after a password, or a sign-in elsewhere."""

    PASSWORD = "password"  # noqa: S105  the name of a factor
    TOTP = "totp"
    RECOVERY_CODE = "recovery_code"
    ELSEWHERE = "elsewhere"
    TRUSTED_DEVICE = "trusted_device"


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an authenticator app is set up with. Shown once."""

    secret: str
    otpauth_uri: str
    qr_code_data_url: str


async def begin(accounts: Accounts, user: UserRow) -> Enrolment:
    """Give an account a new secret, which counts once it is confirmed. Raises `Conflict` when its factor is on."""
    secret = new_totp_secret()
    uri = otpauth_uri(secret, account=user.email, issuer=_issuer(accounts.settings))
    picture = await asyncio.to_thread(qr_code_data_url, uri)
    sealed = accounts.secret_key.encrypt(_USE, secret.encode(), bound_to=user.id.bytes)
    async with accounts.database.unit() as unit:
        if not await rows_of.put_pending_factor(unit, user.id, sealed):
            raise Conflict("Your second factor is on already; switch it off first to set up another app.")
    return Enrolment(secret, uri, picture)


async def confirm(unit: Unit, accounts: Accounts, user: UserRow, code: TypedCode, device: Device) -> list[str] | None:
    """Let the pending secret count, and return the recovery codes; None when the code is not the app's.

    Raises `Conflict` when nothing is pending, or has been for too long.
    """
    sealed = await rows_of.pending_secret(unit, user.id, minutes=PENDING_MINUTES)
    if sealed is None:
        raise Conflict("There is nothing to confirm: call `enableTotp` first, unless your second factor is on already.")
    step = _step(accounts, user.id, sealed, code)
    if step is None:
        return None
    await users.hold(unit, user.id)  # whoever is signing in without it sees it, or is seen and signed out
    await rows_of.confirm_factor(unit, user.id, step)
    codes = await _new_codes(unit, user.id)
    await tell(unit, accounts.secret_key, AuditAction.TOTP_ENABLED, user, device)
    await audit.record(unit, act_of(AuditAction.TOTP_ENABLED, user, device))
    return codes


async def renew_codes(unit: Unit, key: SecretKey, user: UserRow, device: Device) -> list[str]:
    """Return new recovery codes; the old ones open nothing any more. The caller has had the factor proved."""
    codes = await _new_codes(unit, user.id)
    await tell(unit, key, AuditAction.RECOVERY_CODES_RENEWED, user, device)
    await audit.record(unit, act_of(AuditAction.RECOVERY_CODES_RENEWED, user, device))
    return codes


async def take_code(unit: Unit, accounts: Accounts, user: UserRow, code: TypedCode) -> Factor | None:
    """Use up a code of an account and return what it was; None when it does not fit, was used, or no factor is on."""
    if code.is_recovery_code:
        taken = await rows_of.take_recovery_code(unit, user.id, fingerprint(code.text))
        return Factor.RECOVERY_CODE if taken else None
    sealed = await rows_of.factor_secret(unit, user.id)
    step = None if sealed is None else _step(accounts, user.id, sealed, code)
    if step is None or not await rows_of.take_step(unit, user.id, step):
        return None
    return Factor.TOTP


async def remove(unit: Unit, user: UserRow, act: Act, *, key: SecretKey, but_session: UUID | None = None) -> bool:
    """Switch an account's factor off, with its recovery codes, and end its sessions except one. False without one.

    `act` is written down, and told by mail that is sealed with `key`; challenges and trusted devices are void.
    """
    if not await rows_of.remove_factor(unit, user.id):
        return False
    await end_sessions(unit, user.id, but=but_session)
    where = Device(act.user_agent, act.network_address) if act.actor_id == user.id else Device()
    await tell(unit, key, act.action, user, where)
    await audit.record(unit, act)
    return True


async def reset(unit: Unit, user: UserRow, act: Act, *, key: SecretKey) -> bool:
    """Switch off the factor of somebody who has lost it, on an administrator's word, and end all sessions.

    `act` says who did it: `Act(AuditAction.TOTP_RESET, …, subject_id=user.id)`. False when nothing was set up.
    """
    return await remove(unit, user, act, key=key)


async def states(rows: Rows, user_ids: Sequence[UUID]) -> dict[UUID, FactorState]:
    """Return what each of these accounts has set up; the caller has made sure that the viewer may know."""
    found = await rows_of.factor_states(rows, user_ids)
    return {key: found.get(key, FactorState()) for key in user_ids}


async def opens_with(accounts: Accounts) -> bool | None:
    """Tell whether the secret key opens what was sealed; None when nothing is."""
    found = await rows_of.any_factor_secret(accounts.database)
    try:
        return None if found is None else bool(_unsealed(accounts, *found))
    except Unavailable:
        return False


async def _new_codes(unit: Unit, user_id: UUID) -> list[str]:
    codes = [new_recovery_code() for _ in range(RECOVERY_CODES)]
    await rows_of.put_recovery_codes(unit, user_id, [fingerprint(code.replace("-", "")) for code in codes])
    return codes


def _step(accounts: Accounts, user_id: UUID, sealed: bytes, code: TypedCode) -> int | None:
    """Return the step of time that a code of the app belongs to, by this server's clock; None for any other code."""
    if code.is_recovery_code:
        return None
    return matching_step(_unsealed(accounts, user_id, sealed), code.text, unix_seconds=utcnow().timestamp())


def _unsealed(accounts: Accounts, user_id: UUID, sealed: bytes) -> str:
    try:
        return accounts.secret_key.decrypt(_USE, sealed, bound_to=user_id.bytes).decode()
    except CannotDecrypt:
        log.critical("secret_key.changed", user_id=str(user_id))
        raise Unavailable(
            "This server has lost the key of second factors: use a recovery code, or ask its administrator."
        ) from None


def _issuer(settings: Settings) -> str:
    """Return how an authenticator app calls this server: the product and the host."""
    return f"Graphmark ({urlsplit(settings.origin).hostname})"
