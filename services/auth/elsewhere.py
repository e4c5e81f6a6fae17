"""Signing in with the word of somebody else: an identity provider, or a proxy that has asked already.

An account is found by the identity (issuer and subject) that it was linked to. A new identity is linked to an account
of the same address only when both sides have seen that the mailbox is theirs: else whoever opened an account with
somebody's address, here or there, would share it with them (pre-hijacking, Sudhodanan and Paverd 2022).
"""

from dataclasses import dataclass, replace

import structlog

from db import admin, users
from db import auth as rows_of
from db.unit import Unit
from db.users import UserRow
from kit.errors import BadInput, Conflict, Forbidden, GraphmarkError, Unauthenticated
from kit.ids import new_id
from kit.oidc import Claims
from kit.settings import Settings
from services import audit
from services.audit import AuditAction
from services.auth.accounts import Accounts
from services.auth.acting import act_of, act_of_nobody
from services.auth.ending import end_sessions
from services.auth.factors import Factor
from services.auth.second_step import Challenge, let_in
from services.auth.sessions import Device, SignedIn
from services.permissions import Role
from services.users import MAX_NAME_CHARS, clean_name, email_key, refuse_last_admin

log = structlog.get_logger(__name__)

_TWO_FACTORS = "mfa"  # RFC 8176 §2
PROXY = "proxy"
"""The issuer of whom a proxy names."""


@dataclass(frozen=True, slots=True)
class Person:
    """Whom somebody else vouches for.

    `role` is None where that is not theirs to say; `has_proved_two` says that they asked for a second factor as well.
    """

    issuer: str
    subject: str
    email: str
    is_email_verified: bool
    name: str
    role: Role | None
    has_proved_two: bool = False


def person_of(claims: Claims, settings: Settings) -> Person:
    """Return who the claims are about. Raises `Forbidden` when they are in none of the groups that may sign in."""
    groups = claims.texts(settings.oidc_groups_claim)
    is_admin = settings.oidc_admin_group in groups if settings.oidc_admin_group else None
    if settings.oidc_user_group and not is_admin and settings.oidc_user_group not in groups:
        raise Forbidden("Your account at the identity provider is not in the group that may use this server.")
    role = None if is_admin is None else Role.ADMIN if is_admin else Role.USER
    return Person(
        claims.issuer,
        claims.subject,
        claims.text("email"),
        claims.holds("email_verified"),
        claims.text("name") or claims.text("preferred_username"),
        role,
        has_proved_two=_TWO_FACTORS in claims.texts("amr"),
    )


def person_of_proxy(email: str) -> Person:
    """Return whom the proxy in front names by an address, which it has to know for certain. Raises `BadInput`."""
    return Person(PROXY, email_key(email, field=()), email.strip(), is_email_verified=True, name="", role=None)


async def sign_in_elsewhere(accounts: Accounts, person: Person, device: Device) -> SignedIn | Challenge:
    """Open a session for whom somebody else vouches for, and the account if there is none yet.

    An account with a second factor of its own is asked for it, unless they have asked for one.

    Raises `Unauthenticated` for a disabled account, `Conflict` when the address belongs to an account that it cannot be
    linked to, `Forbidden` when no new accounts are opened so, `BadInput` when there is no address to open one with.
    """
    try:
        async with accounts.database.unit() as unit:
            return await _signed_in(unit, accounts, person, device)
    except GraphmarkError as error:
        refused = act_of_nobody(
            AuditAction.SIGNED_IN, device, factor=Factor.ELSEWHERE.value, issuer=person.issuer, reason=error.code.value
        )
        await audit.refused(accounts.database, refused)
        raise


async def _signed_in(unit: Unit, accounts: Accounts, person: Person, device: Device) -> SignedIn | Challenge:
    user = await _find(unit, person) or await _open(unit, accounts.settings, person, device)
    if user.disabled_at is not None:
        raise Unauthenticated("This account is closed; ask the administrator of this server.")
    await rows_of.note_identity_use(unit, person.issuer, person.subject)
    user = await _in_role(unit, person, user, device)
    asks = not person.has_proved_two
    return await let_in(unit, accounts, user, device, proved=Factor.ELSEWHERE, asks_for_code=asks)


async def _find(unit: Unit, person: Person) -> UserRow | None:
    """Return the account of an identity, linking it first where that is safe."""
    key = await rows_of.user_of_identity(unit, person.issuer, person.subject)
    if key is not None:
        return await users.by_id(unit, key)
    found = await users.by_email_key(unit, _address(person))
    if found is None:
        return None
    user, _ = found
    if user.email_verified_at is None:
        raise Conflict(
            "There is an account with your address whose mailbox was never confirmed. Sign in to it with its password"
            " and confirm the address; then the identity provider opens it too."
        )
    if not _is_same_mailbox(user.email, person.email):
        raise Conflict("There is an account with an address that looks like yours; it is not linked to yours.")
    await _link(unit, person, user)
    return user


async def _open(unit: Unit, settings: Settings, person: Person, device: Device) -> UserRow:
    if not settings.oidc_registration:
        raise Forbidden("There is no account with your address here; ask the administrator to open one.")
    user = await users.insert(
        unit,
        key=new_id(),
        email=person.email,
        email_key=_address(person),
        name=_name(person),
        role=(person.role or Role.USER).value,
        password_hash=None,
        is_email_verified=True,
    )
    if user is None:
        raise Conflict("Somebody is opening the same account at this moment; try again.")
    await _link(unit, person, user)
    await audit.record(unit, act_of(AuditAction.REGISTERED, user, device, issuer=person.issuer))
    return user


async def _in_role(unit: Unit, person: Person, user: UserRow, device: Device) -> UserRow:
    """Give an account the role that its groups say, and end what is open in the old one (OWASP ASVS 5.0, 7.2.4).

    The last administrator stays one: whoever cannot administer this server cannot mend its groups either.
    """
    if person.role is None or person.role == user.role:
        return user
    if person.role is not Role.ADMIN:
        try:
            await refuse_last_admin(unit, user.id)
        except Conflict:
            log.warning("oidc.last_administrator_kept", user_id=str(user.id))
            return user
    await admin.set_role(unit, user.id, person.role.value)
    await end_sessions(unit, user.id)
    told = {"before": user.role, "after": person.role.value, "issuer": person.issuer}
    await audit.record(unit, act_of(AuditAction.ROLE_CHANGED, user, device, **told))
    return replace(user, role=person.role.value)


async def _link(unit: Unit, person: Person, user: UserRow) -> None:
    """Link an identity to an account; at most one of each issuer."""
    if not await rows_of.link_identity(
        unit, key=new_id(), user_id=user.id, issuer=person.issuer, subject=person.subject
    ):
        raise Conflict("The account with your address belongs to another identity of this provider.")


def _address(person: Person) -> str:
    """Return the address that a person can be found by. Raises `BadInput` unless the other side vouches for it."""
    if not person.email or not person.is_email_verified:
        raise BadInput("The identity provider does not confirm an e-mail address for you; it has to be verified there.")
    return email_key(person.email, field=())


def _is_same_mailbox(one: str, other: str) -> bool:
    """Tell whether two addresses with one key are the same to mail servers too, as far as can be known.

    Accounts are told apart by a key that takes ß for ss, because people do. But faß.example and fass.example may belong
    to two people (RFC 5891), and so may mailboxes whose names differ in such letters.
    """
    return one == other or (one.isascii() and other.isascii() and one.lower() == other.lower())


def _name(person: Person) -> str:
    """Return how an account is shown; the part before the @ where nothing better is known."""
    try:
        return clean_name(person.name[:MAX_NAME_CHARS])
    except BadInput:
        return clean_name(person.email.partition("@")[0][:MAX_NAME_CHARS])
