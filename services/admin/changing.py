"""Changing accounts of others: name, address, bounds, role, whether they are open, and their second factor."""

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from db import admin as rows_of
from db import quotas as quota_rows
from db import users
from db.quotas import QuotaRow
from db.unit import Unit
from db.users import UserRow
from kit.crypto import SecretKey
from kit.errors import Conflict, Forbidden
from services import audit, auth, mail, quotas
from services.admin.acting import Acting, act, admit_admin, locked
from services.audit import AuditAction
from services.auth import Accounts
from services.mail import MailKind, letters
from services.permissions import Role
from services.users import clean_name, email_key, refuse_last_admin

_MOVED: Final = "Your Graphmark account has another address"
_USER_ID: Final = ("input", "userId")
_ANOTHER: Final = "An administrator gave your account another address to sign in with, and its sessions were ended."


@dataclass(frozen=True, slots=True)
class Change:
    """What an account is to be from now on; what is None stays. `quotas` names its bounds anew, all three of them."""

    name: str | None = None
    email: str | None = None
    quotas: QuotaRow | None = None


async def update(unit: Unit, acting: Acting, accounts: Accounts, key: UUID, change: Change) -> UserRow:
    """Change an account. Another address is not verified, is told to the one before, and ends the sessions.

    An invitation that went to the address before opens nothing any more: its owner asks for a new password instead.

    Raises `BadInput`, `NotFound`, or `Conflict` when the address is taken.
    """
    await admit_admin(unit, acting, "updateUser")
    user = await locked(unit, key)
    told: dict[str, Any] = {}
    name = user.name if change.name is None else clean_name(change.name)
    email = user.email if change.email is None else change.email.strip()
    if (name, email) != (user.name, user.email):
        if not await rows_of.rename(unit, key, name=name, email=email, email_key=email_key(email)):
            raise Conflict("There is an account with this address already.", field=("input", "email"))
        told |= {"name": name} if name != user.name else {}
        told |= {"email": email} if email != user.email else {}
    if "email" in told and email_key(email) != email_key(user.email):
        await auth.end_sessions(unit, key)
        await rows_of.void_invites(unit, key)
        await mail.queue(unit, accounts.secret_key, letters.security_notice(MailKind.ACCOUNT, user, _MOVED, _ANOTHER))
    if change.quotas is not None:
        await quota_rows.set_quota(unit, key, quotas.checked(change.quotas))
        told["quotas"] = {
            "maxBookmarks": change.quotas.max_bookmarks,
            "maxStorageBytes": change.quotas.max_storage_bytes,
            "maxRunningImports": change.quotas.max_running_imports,
        }
    if told:
        await audit.record(unit, await act(unit, acting, AuditAction.USER_UPDATED, user, told))
    return await _now(unit, key)


async def set_role(unit: Unit, acting: Acting, key: UUID, role: Role) -> UserRow:
    """Give an account another role and end its sessions (OWASP ASVS 5.0, 7.4). The last administrator keeps it."""
    await admit_admin(unit, acting, "setUserRole")
    user = await locked(unit, key)
    if user.role == role:
        return user
    if role is not Role.ADMIN:
        await refuse_last_admin(unit, key)
    await rows_of.set_role(unit, key, role.value)
    await auth.end_sessions(unit, key)
    told = {"before": user.role, "after": role.value}
    await audit.record(unit, await act(unit, acting, AuditAction.ROLE_CHANGED, user, told))
    return await _now(unit, key)


async def disable(unit: Unit, acting: Acting, key: UUID, *, disabled: bool) -> UserRow:
    """Close an account: all that is open in its name ends, its keys open nothing. Or open it again, nothing more."""
    await admit_admin(unit, acting, "disableUser")
    user = await locked(unit, key)
    if user.is_disabled == disabled:
        return user
    if disabled:
        await refuse_last_admin(unit, key)
    await rows_of.set_disabled(unit, key, disabled=disabled)
    if disabled:
        await auth.shut_out(unit, key)
    action = AuditAction.USER_DISABLED if disabled else AuditAction.USER_ENABLED
    await audit.record(unit, await act(unit, acting, action, user))
    return await _now(unit, key)


async def reset_factor(unit: Unit, acting: Acting, key: UUID, *, secret_key: SecretKey) -> tuple[UserRow, bool]:
    """Take the second factor off an account whose owner has lost it, and is told so by mail; tell whether it had one.

    `secret_key` seals the message until it is sent.
    """
    await admit_admin(unit, acting, "resetUserTotp")
    user = await locked(unit, key)
    done = await act(unit, acting, AuditAction.TOTP_RESET, user)
    had = await auth.reset_factor(unit, user, done, key=secret_key)
    return user, had


async def start_reset(unit: Unit, acting: Acting, accounts: Accounts, key: UUID) -> UserRow:
    """Mail the owner of an account a link to a new password. Nobody else is shown it (OWASP ASVS 5.0, 6.4.6).

    The password of now opens the account until the link is used. Raises `NotFound`, `Conflict` for an account that is
    disabled, `Forbidden` where the server takes no passwords.
    """
    await admit_admin(unit, acting, "startPasswordReset")
    if not accounts.settings.password_login:
        raise Forbidden("This server takes no passwords; accounts sign in at the identity provider.")
    user = await locked(unit, key, field=_USER_ID)
    if user.is_disabled:
        raise Conflict("This account is disabled; open it first.", field=_USER_ID)
    await auth.send_reset(unit, accounts.settings, accounts.secret_key, user)
    await audit.record(unit, await act(unit, acting, AuditAction.PASSWORD_RESET_REQUESTED, user))
    return user


async def _now(unit: Unit, key: UUID) -> UserRow:
    user = await users.by_id(unit, key)
    assert user is not None  # noqa: S101  it is locked
    return user
