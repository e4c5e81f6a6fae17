"""Opening an account, signing in and out, and knowing who a token speaks for.

The reasons behind the rules: OWASP ASVS 5.0 chapters V6 and V7. A session token is 256 random bits, stored only as
its SHA-256; a password is hashed in a bounded thread pool before any transaction is opened, so that a slow hash never
holds a connection.
"""

from dataclasses import dataclass
from datetime import datetime

from db import auth as rows_of
from db import users
from db.unit import Database, Rows, Unit
from db.users import UserRow
from kit.crypto import MAX_PASSWORD_CHARS, MIN_PASSWORD_CHARS, PasswordHasher, fingerprint, new_token
from kit.errors import BadInput, Conflict, Forbidden, NotFound, Unauthenticated
from kit.ids import new_id
from kit.settings import Registration, Settings
from services.permissions import Role, Viewer
from services.users import clean_name, email_key

SETUP_HOURS = 24
_MAX_HEADER_CHARS = 300


@dataclass(frozen=True, slots=True)
class Device:
    """Where a sign-in comes from, as the transport saw it."""

    user_agent: str = ""
    network_address: str = ""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A fresh session. `token` is the only copy of the secret."""

    token: str
    expires_at: datetime
    user: UserRow


@dataclass(frozen=True, slots=True)
class Accounts:
    """What opening accounts and signing in needs: the database, the hasher and the policy."""

    database: Database
    passwords: PasswordHasher
    settings: Settings


async def register(
    accounts: Accounts, *, email: str, password: str, name: str, invite_token: str | None, device: Device
) -> SignedIn:
    """Open an account and sign it in.

    With an unused set-up token the account becomes an administrator. Raises `BadInput` for an unusable address, name,
    password or token, `Conflict` when the address is taken, `Forbidden` when registration is not open.
    """
    if invite_token is None and accounts.settings.registration is not Registration.OPEN:
        raise Forbidden("This server does not open accounts for everybody; ask its administrator to open one for you.")
    newcomer = await _prepare(accounts, email=email, password=password, name=name)
    async with accounts.database.unit() as unit:
        role = Role.USER if invite_token is None else await _redeem(unit, invite_token)
        user = await _add(unit, newcomer, role)
        if user is None:
            raise Conflict("There is an account with this address already; sign in instead.", field=("input", "email"))
        return await _open_session(unit, accounts.settings, user, device)


async def create_user(accounts: Accounts, *, email: str, password: str, name: str, role: Role) -> UserRow:
    """Open an account on the operator's word: registration policy does not apply, and no session is opened."""
    newcomer = await _prepare(accounts, email=email, password=password, name=name)
    async with accounts.database.unit() as unit:
        user = await _add(unit, newcomer, role)
    if user is None:
        raise Conflict("There is an account with this address already.", field=("input", "email"))
    return user


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
        return await _open_session(unit, accounts.settings, user, device)


async def logout(unit: Unit, viewer: Viewer) -> bool:
    """End the viewer's session; its sockets close in every process. False when there was none to end."""
    return viewer.session_id is not None and await rows_of.revoke_session(unit, viewer.session_id, viewer.id)


async def authenticate(rows: Rows, settings: Settings, token: str) -> Viewer | None:
    """Return whom `token` speaks for, or None. Notes the use of the session, at most once a minute."""
    live = await rows_of.live_session(rows, fingerprint(token))
    if live is None:
        return None
    if live.is_stale:
        await rows_of.touch_session(rows, live.session_id, idle_minutes=settings.session_idle_minutes)
    return Viewer(id=live.user_id, role=Role(live.role), session_id=live.session_id)


async def seconds_left(rows: Rows, viewer: Viewer) -> float:
    """Return for how long the session behind a live connection opens something if nobody ends it; 0 when ended."""
    return await rows_of.seconds_left(rows, viewer.session_id) if viewer.session_id is not None else 0.0


async def viewer_by_email(rows: Rows, email: str) -> Viewer:
    """Return the account that the command line acts for: whoever can run it can read the database as well.

    Raises `BadInput` for what is no address, `NotFound` when no enabled account has it.
    """
    found = await users.by_email_key(rows, email_key(email, field=("user",)))
    if found is None or found[0].disabled_at is not None:
        raise NotFound(f"There is no account with the address {email}.", field=("user",))
    return Viewer(id=found[0].id, role=Role(found[0].role))


async def create_setup_token(unit: Unit) -> str | None:
    """Return a one-time secret that makes its bearer the first administrator within 24 hours; None when there is one.

    Earlier set-up tokens are void from now on.
    """
    if await users.has_admin(unit):
        return None
    token = new_token("gmi")
    await rows_of.void_one_time_tokens(unit, "SETUP")
    await rows_of.insert_one_time_token(
        unit, key=new_id(), purpose="SETUP", token_hash=fingerprint(token), user_id=None, hours=SETUP_HOURS
    )
    return token


def check_password(password: str) -> None:
    """Raise `BadInput` unless the password has 8 to 1,024 characters. No rules of composition (NIST SP 800-63B-4)."""
    if not MIN_PASSWORD_CHARS <= len(password) <= MAX_PASSWORD_CHARS:
        raise BadInput(
            f"A password has {MIN_PASSWORD_CHARS} to {MAX_PASSWORD_CHARS:,} characters; a sentence is a good one.",
            field=("input", "password"),
        )


@dataclass(frozen=True, slots=True)
class _Newcomer:
    """An account before it is stored."""

    email: str
    email_key: str
    name: str
    password_hash: str


async def _prepare(accounts: Accounts, *, email: str, password: str, name: str) -> _Newcomer:
    """Check and hash what somebody gave, outside of any transaction. Raises `BadInput`."""
    key, shown = email_key(email), clean_name(name)
    check_password(password)
    return _Newcomer(email.strip(), key, shown, await accounts.passwords.hash(password))


async def _add(unit: Unit, newcomer: _Newcomer, role: Role) -> UserRow | None:
    """Open the account; None when the address is taken."""
    return await users.insert(
        unit,
        key=new_id(),
        email=newcomer.email,
        email_key=newcomer.email_key,
        name=newcomer.name,
        role=role.value,
        password_hash=newcomer.password_hash,
    )


async def _redeem(unit: Unit, invite_token: str) -> Role:
    purpose = await rows_of.redeem_one_time_token(unit, fingerprint(invite_token), ("SETUP", "INVITE"))
    if purpose is None:
        raise BadInput("This link has been used or has expired; ask for a new one.", field=("input", "inviteToken"))
    if purpose == "SETUP" and await users.has_admin(unit):
        raise BadInput("This server has an administrator already.", field=("input", "inviteToken"))
    return Role.ADMIN if purpose == "SETUP" else Role.USER


async def _open_session(unit: Unit, settings: Settings, user: UserRow, device: Device) -> SignedIn:
    token = new_token("gms")
    session = await rows_of.insert_session(
        unit,
        key=new_id(),
        user_id=user.id,
        token_hash=fingerprint(token),
        user_agent=device.user_agent[:_MAX_HEADER_CHARS],
        network_address=device.network_address[:_MAX_HEADER_CHARS],
        idle_minutes=settings.session_idle_minutes,
        absolute_hours=settings.session_absolute_hours,
    )
    return SignedIn(token=token, expires_at=session.expires_at, user=user)
