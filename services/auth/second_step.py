"""From a right password to a session: at once, or by a challenge that a code of the second factor answers.

A challenge is 256 random bits, of which the fingerprint is stored. It lasts five minutes and opens nothing but
`verifyTotp`, once; five wrong codes end it, and so does a change of the password or of the factor. A device that has
answered one may be trusted: it is not asked for a code for 30 days, or until either of them changes.
"""

from dataclasses import dataclass
from datetime import datetime

from db import auth as rows_of
from db import users
from db.unit import Unit
from db.users import UserRow
from kit.crypto import fingerprint, new_token
from kit.errors import Unauthenticated
from kit.ids import new_id
from services import audit, throttle
from services.audit import AuditAction
from services.auth.accounts import Accounts
from services.auth.acting import act_of, act_of_nobody
from services.auth.codes import read_code
from services.auth.factors import Factor, states
from services.auth.noticing import notice_device
from services.auth.proving import with_code
from services.auth.sessions import Device, SignedIn, open_session

CHALLENGE_MINUTES = 5
CHALLENGE_TRIES = 5
TRUSTED_DAYS = 30
_MAX_TOKEN_CHARS = 512


@dataclass(frozen=True, slots=True)
class Verified:
    """A completed sign-in. `device_token` lets this device in without a code from now on; None unless asked for."""

    signed_in: SignedIn
    device_token: str | None


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a code has to be sent with. `token` is the only copy of the secret."""

    token: str
    expires_at: datetime


async def let_in(
    unit: Unit,
    accounts: Accounts,
    user: UserRow,
    device: Device,
    *,
    device_token: str | None = None,
    proved: str = Factor.PASSWORD,
    asks_for_code: bool = True,
) -> SignedIn | Challenge:
    """Open a session for whoever has proved the first factor, or ask for the second one where there is one.

    `device_token` is what an earlier sign-in on this device was given so that it is not asked again; `proved` names the
    first factor in the audit log; without `asks_for_code` it was worth two. Raises `Unauthenticated` for an account
    that was closed meanwhile.
    """
    if not await users.hold(unit, user.id):  # a factor that is being confirmed counts, or ends this session too
        raise Unauthenticated("This account is closed; ask the administrator of this server.")
    if not asks_for_code or not (await states(unit, [user.id]))[user.id].is_enabled:
        return await _welcome(unit, accounts, user, device, proved)
    if device_token and await rows_of.is_trusted_device(unit, user.id, _key(device_token)):
        return await _welcome(unit, accounts, user, device, Factor.TRUSTED_DEVICE)
    token = new_token("gmc")
    ends = await rows_of.insert_challenge(
        unit, key=new_id(), user_id=user.id, token_hash=fingerprint(token), minutes=CHALLENGE_MINUTES
    )
    return Challenge(token, ends)


async def verify(
    accounts: Accounts, *, challenge_token: str, code: str, device: Device, trust_device: bool = False
) -> Verified:
    """Answer a challenge with a code of the app, or with a recovery code, and open the session.

    Raises `BadInput` for what can be no code, `Unauthenticated` for a challenge that stands no more (`challengeToken`)
    or a code that does not fit (`code`), `RateLimited` when too many were wrong.
    """
    typed = read_code(code)
    challenge = await rows_of.challenge_of(accounts.database, _key(challenge_token))
    user = None if challenge is None else await users.by_id(accounts.database, challenge.user_id)
    if challenge is None or user is None:
        unknown = act_of_nobody(AuditAction.SIGNED_IN, device, reason="UNKNOWN_CHALLENGE")
        await audit.refused(accounts.database, unknown)
        raise _over()

    async def work(unit: Unit, factor: Factor) -> Verified:
        # Held first: a password or closure that comes at the same moment voids the challenge, or ends this session.
        if not await users.hold(unit, user.id) or not await rows_of.take_challenge(unit, challenge.id):
            raise _over()
        token = await _trust(unit, user) if trust_device else None
        return Verified(await _welcome(unit, accounts, user, device, factor), token)

    async def first() -> None:
        if not await rows_of.try_challenge(accounts.database, challenge.id, most=CHALLENGE_TRIES):
            raise _over()

    return await with_code(accounts, user, typed, device, work, action=AuditAction.SIGNED_IN, first=first)


async def _trust(unit: Unit, user: UserRow) -> str:
    token = new_token("gmd")
    await rows_of.insert_trusted_device(
        unit, key=new_id(), user_id=user.id, token_hash=fingerprint(token), days=TRUSTED_DAYS
    )
    return token


def _key(token: str) -> bytes:
    return fingerprint(token[:_MAX_TOKEN_CHARS])


def _over() -> Unauthenticated:
    return Unauthenticated(
        "This sign-in has ended: it was completed, took too long, or had too many wrong codes. Call `login` again.",
        field=("input", "challengeToken"),
    )


async def _welcome(unit: Unit, accounts: Accounts, user: UserRow, device: Device, factor: str) -> SignedIn:
    await users.note_login(unit, user.id)
    await throttle.signed_in(unit, user.id, device.network_address)
    signed_in = await open_session(unit, accounts.settings, user, device)
    await notice_device(unit, accounts.secret_key, user, device)
    await audit.record(unit, act_of(AuditAction.SIGNED_IN, user, device, factor=str(factor)))
    return signed_in
