"""Opening an account: on this server's policy, with a one-time link, or on the operator's word.

The reasons behind the rules: OWASP ASVS 5.0 chapter V6. A password is hashed in a bounded thread pool before any
transaction is opened, so that a slow hash never holds a connection.
"""

import asyncio
from dataclasses import dataclass

from db import admin, users
from db import auth as rows_of
from db.unit import Database, Rows, Unit
from db.users import UserRow
from kit.crypto import PasswordHasher, SecretKey, fingerprint, new_token, open_secret_key
from kit.errors import BadInput, Conflict, Forbidden, NotFound
from kit.ids import new_id
from kit.settings import Registration, Settings
from services import audit
from services.audit import Act, AuditAction
from services.auth.acting import act_of
from services.auth.links import send_verification
from services.auth.noticing import notice_device
from services.auth.passwords import check_password
from services.auth.sessions import Device, SignedIn, open_session
from services.permissions import Role, Viewer
from services.users import clean_name, email_key

SETUP_HOURS = 24


@dataclass(frozen=True, slots=True)
class Accounts:
    """What opening accounts and signing in needs: the database, the hasher and the policy."""

    database: Database
    passwords: PasswordHasher
    settings: Settings

    @property
    def secret_key(self) -> SecretKey:
        """What secrets are sealed with. Raises `Unavailable` when it can be neither read nor made."""
        return open_secret_key(self.settings)


async def register(
    accounts: Accounts, *, email: str, password: str, name: str, invite_token: str | None, device: Device
) -> SignedIn:
    """Open an account and sign it in.

    With an unused set-up token the account becomes an administrator; an invitation may be for one address, or for an
    account that an administrator has opened. Raises `BadInput` for an unusable address, name, password or token,
    `Conflict` when the address is taken, `Forbidden` when registration is not open, or passwords are switched off.
    """
    is_open = accounts.settings.registration is Registration.OPEN and accounts.settings.password_login
    if invite_token is None and not is_open:
        raise Forbidden("This server does not open accounts for everybody; ask its administrator to open one for you.")
    newcomer = await _prepare(accounts, email=email, password=password, name=name)
    async with accounts.database.unit() as unit:
        if invite_token is None:
            user = await _add(unit, newcomer, Role.USER)
        else:
            user = await _invited(unit, newcomer, invite_token)
        if user is None:
            raise Conflict("There is an account with this address already; sign in instead.", field=("input", "email"))
        signed_in = await open_session(unit, accounts.settings, user, device)
        await notice_device(unit, accounts.secret_key, user, device)
        await send_verification(unit, accounts.settings, accounts.secret_key, user)
        await audit.record(unit, act_of(AuditAction.REGISTERED, user, device))
        return signed_in


async def create_user(accounts: Accounts, *, email: str, password: str, name: str, role: Role) -> UserRow:
    """Open an account on the operator's word: registration policy does not apply, and no session is opened.

    That the mailbox is the person's is the operator's word as well.
    """
    newcomer = await _prepare(accounts, email=email, password=password, name=name)
    async with accounts.database.unit() as unit:
        user = await _add(unit, newcomer, role, is_email_verified=True)
        if user is not None:
            await audit.record(unit, Act(AuditAction.USER_CREATED, None, "operator", subject_id=user.id))
    if user is None:
        raise Conflict("There is an account with this address already.", field=("input", "email"))
    return user


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
    await asyncio.to_thread(check_password, password, email=email, name=name)
    return _Newcomer(email.strip(), key, shown, await accounts.passwords.hash(password))


async def _add(unit: Unit, newcomer: _Newcomer, role: Role, *, is_email_verified: bool = False) -> UserRow | None:
    """Open the account; None when the address is taken."""
    return await users.insert(
        unit,
        key=new_id(),
        email=newcomer.email,
        email_key=newcomer.email_key,
        name=newcomer.name,
        role=role.value,
        password_hash=newcomer.password_hash,
        is_email_verified=is_email_verified,
    )


async def _invited(unit: Unit, newcomer: _Newcomer, token: str) -> UserRow | None:
    """Open the account that a link is for, or complete the one that waits for it; None when the address is taken.

    Raises `BadInput` when the link opens nothing, or is for another address.
    """
    invite = await admin.redeem_invite(unit, fingerprint(token))
    if invite is None:
        await _redeem_setup(unit, token)
        return await _add(unit, newcomer, Role.ADMIN)
    if invite.email is not None and invite.email != newcomer.email_key:
        raise BadInput("This link is for another address.", field=("input", "email"))
    if invite.user_id is None:
        return await _add(unit, newcomer, Role.USER)
    user = await admin.complete(unit, invite.user_id, name=newcomer.name, password_hash=newcomer.password_hash)
    if user is None:
        raise BadInput("This account is not waiting any more; sign in instead.", field=("input", "inviteToken"))
    return user


async def _redeem_setup(unit: Unit, token: str) -> None:
    if await rows_of.redeem_one_time_token(unit, fingerprint(token), ("SETUP",)) is None:
        raise BadInput("This link has been used or has expired; ask for a new one.", field=("input", "inviteToken"))
    if await users.has_admin(unit):
        raise BadInput("This server has an administrator already.", field=("input", "inviteToken"))
