"""Letting people in: a link that opens an account, once and within a week."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, cast
from urllib.parse import quote
from uuid import UUID

from db import admin as rows_of
from db import users
from db.admin import InviteRow
from db.unit import Rows, Unit
from db.users import UserRow
from kit.crypto import fingerprint, new_token
from kit.errors import Conflict, NotFound
from kit.ids import new_id
from kit.paging import PageRequest
from services import audit, mail
from services.admin.acting import Acting, act, admit_admin
from services.audit import AuditAction
from services.auth import Accounts
from services.mail import letters
from services.permissions import WHOLE, Role, Viewer, admit, require_role
from services.users import clean_name, email_key

INVITE_HOURS: Final = 7 * 24
INVITE_ORDER: Final = "invites"
INVITE_KINDS: Final = (datetime, UUID)
_MAX_WAITING: Final = 1_000


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation, its link (the only copy of the secret), and whether it was mailed. `user` has no password yet."""

    invite: InviteRow
    url: str
    is_mailed: bool
    user: UserRow | None = None


async def invite(unit: Unit, acting: Acting, accounts: Accounts, *, email: str | None, send: bool) -> Invited:
    """Invite somebody to open an account: whoever has the address, or whoever has the link.

    It opens one whatever `GRAPHMARK_REGISTRATION` says. Raises `BadInput` for what is no address, `Conflict` when there
    is an account with it or 1,000 invitations wait.
    """
    await admit_admin(unit, acting, "createInvite")
    if email is not None and await users.by_email_key(unit, email_key(email)) is not None:
        raise Conflict("There is an account with this address already.", field=("input", "email"))
    invited = await _invite(unit, acting, accounts, email=email, user=None, send=send)
    told = {"invite": str(invited.invite.id), "email": invited.invite.email}
    await audit.record(unit, await act(unit, acting, AuditAction.INVITE_CREATED, details=told))
    return invited


async def create_user(
    unit: Unit,
    acting: Acting,
    accounts: Accounts,
    *,
    email: str,
    name: str,
    role: Role,
    send: bool,
) -> Invited:
    """Open an account that waits for its owner, who chooses the password by the link: no administrator knows it.

    Raises `BadInput`, or `Conflict` when the address is taken.
    """
    await admit_admin(unit, acting, "createUser")
    user = await users.insert(
        unit,
        key=new_id(),
        email=email.strip(),
        email_key=email_key(email),
        name=clean_name(name),
        role=role.value,
        password_hash=None,
    )
    if user is None:
        raise Conflict("There is an account with this address already.", field=("input", "email"))
    invited = await _invite(unit, acting, accounts, email=user.email, user=user, send=send)
    await audit.record(unit, await act(unit, acting, AuditAction.USER_CREATED, user, {"role": role.value}))
    return invited


async def revoke_invite(unit: Unit, acting: Acting, key: UUID) -> InviteRow:
    """Take an invitation back: its link opens nothing any more. An account that waits for its owner stays."""
    await admit_admin(unit, acting, "revokeInvite")
    gone = await rows_of.delete_invite(unit, key)
    if gone is None:
        raise NotFound("There is no such invitation any more.", field=("input", "id"))
    await audit.record(unit, await act(unit, acting, AuditAction.INVITE_REVOKED, details={"invite": str(key)}))
    return gone


async def invites(rows: Rows, viewer: Viewer, request: PageRequest) -> list[InviteRow]:
    """Return one page of the invitations that wait, newest first, and one more when there are more."""
    admit(viewer, WHOLE, "invites")
    require_role(viewer, Role.ADMIN)
    position = cast("tuple[datetime, UUID] | None", request.position)
    return await rows_of.invites(rows, position=position, backward=request.backward, limit=request.limit + 1)


async def count_invites(rows: Rows, viewer: Viewer) -> int:
    """Return how many invitations wait. Administrators only."""
    require_role(viewer, Role.ADMIN)
    return await rows_of.count_invites(rows)


async def _invite(
    unit: Unit,
    acting: Acting,
    accounts: Accounts,
    *,
    email: str | None,
    user: UserRow | None,
    send: bool,
) -> Invited:
    if await rows_of.count_invites(unit) >= _MAX_WAITING:
        raise Conflict(f"{_MAX_WAITING:,} invitations wait; take some back first.")
    token = new_token("gmi")
    row = await rows_of.insert_invite(
        unit,
        key=new_id(),
        token_hash=fingerprint(token),
        email=None if email is None else email_key(email),
        user_id=None if user is None else user.id,
        invited_by=None if acting.viewer is None else acting.viewer.id,
        hours=INVITE_HOURS,
    )
    is_mailed = False
    if send and email is not None:
        letter = letters.invitation(accounts.settings.origin, email.strip(), token, hours=INVITE_HOURS)
        is_mailed = await mail.queue(unit, accounts.secret_key, letter)
    return Invited(row, f"{accounts.settings.origin}/setup?token={quote(token)}", is_mailed, user)
