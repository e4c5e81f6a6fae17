"""What people do with their own second factor: set it up, switch it off, get new recovery codes."""

from dataclasses import dataclass

from db import users
from db.unit import Unit
from kit.errors import Conflict
from services.audit import AuditAction
from services.auth import factors
from services.auth.accounts import Accounts
from services.auth.acting import act_of
from services.auth.codes import read_code
from services.auth.ending import end_sessions
from services.auth.factors import Enrolment, Factor
from services.auth.proving import guess_code, prove_password, with_code
from services.auth.sessions import Device, SignedIn, must_enrol, open_session
from services.permissions import Viewer


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A factor that counts from now on. `session` replaces one that could do nothing but enrol; else None."""

    recovery_codes: list[str]
    session: SignedIn | None


async def enable(accounts: Accounts, viewer: Viewer, *, password: str, device: Device) -> Enrolment:
    """Begin to set up an authenticator app; one that was begun before is forgotten.

    Raises `Unauthenticated` for a wrong password, `Conflict` when a factor is on.
    """
    user = await prove_password(accounts, viewer, password, device, action=AuditAction.TOTP_ENABLED, what="enableTotp")
    return await factors.begin(accounts, user)


async def confirm(accounts: Accounts, viewer: Viewer, *, code: str, device: Device) -> Enrolled:
    """Let the app count once it has given a code; every other session of the account ends.

    A session that could do nothing but this ends as well, and a whole one takes its place: what could do little and
    may be known to others does not come to do more (OWASP ASVS 5.0, 7.2.4).
    """
    typed = read_code(code)
    user = await users.by_id(accounts.database, viewer.id)
    if user is None:
        raise Conflict("There is no such account any more.")

    async def compared(unit: Unit) -> Enrolled | None:
        codes = await factors.confirm(unit, accounts, user, typed, device)
        if codes is None:
            return None
        await end_sessions(unit, user.id, but=None if viewer.must_enrol else viewer.session_id)
        session = await open_session(unit, accounts.settings, user, device) if viewer.must_enrol else None
        return Enrolled(codes, session)

    return await guess_code(accounts, user, device, compared, action=AuditAction.TOTP_ENABLED)


async def disable(accounts: Accounts, viewer: Viewer, *, password: str, code: str, device: Device) -> None:
    """Switch the second factor off; every other session ends. Raises `Conflict` when none is on.

    Where a factor is demanded this session ends too: what is open in its name could go on doing what it may not.
    """
    typed = read_code(code)
    await _require_factor(accounts, viewer)
    user = await prove_password(
        accounts, viewer, password, device, action=AuditAction.TOTP_DISABLED, what="disableTotp"
    )

    async def work(unit: Unit, factor: Factor) -> None:
        act = act_of(AuditAction.TOTP_DISABLED, user, device, factor=factor.value)
        is_demanded = must_enrol(accounts.settings, viewer.role, has_factor=False)
        kept = None if is_demanded else viewer.session_id
        await factors.remove(unit, user, act, key=accounts.secret_key, but_session=kept)

    await with_code(accounts, user, typed, device, work, action=AuditAction.TOTP_DISABLED)


async def regenerate(accounts: Accounts, viewer: Viewer, *, password: str, code: str, device: Device) -> list[str]:
    """Return new recovery codes in place of all old ones. Raises `Conflict` when no factor is on."""
    typed = read_code(code)
    await _require_factor(accounts, viewer)
    user = await prove_password(
        accounts, viewer, password, device, action=AuditAction.RECOVERY_CODES_RENEWED, what="regenerateRecoveryCodes"
    )

    async def work(unit: Unit, _factor: Factor) -> list[str]:
        return await factors.renew_codes(unit, accounts.secret_key, user, device)

    return await with_code(accounts, user, typed, device, work, action=AuditAction.RECOVERY_CODES_RENEWED)


async def _require_factor(accounts: Accounts, viewer: Viewer) -> None:
    if not (await factors.states(accounts.database, [viewer.id]))[viewer.id].is_enabled:
        raise Conflict("There is no second factor to change: `enableTotp` sets one up.")
