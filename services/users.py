"""Accounts: what an address and a name must look like, and who may see the list."""

import re
import unicodedata
from datetime import datetime
from typing import Final, cast
from uuid import UUID

from typing_extensions import TypeVar

from db import admin
from db import users as rows_of
from db.shapes import Shape
from db.unit import Rows, Unit
from db.users import UserFilter, UserRow
from kit.errors import BadInput, Conflict
from kit.paging import PageRequest
from services.permissions import Role, Viewer, require_role

MAX_EMAIL_CHARS = 254
MAX_NAME_CHARS = 100
R = TypeVar("R", default=UserRow)
ORDER = "users"
KINDS = (datetime, UUID)
EVERYBODY: Final = UserFilter()
# Not a proof that the mailbox exists (only a message can prove that), but enough to catch a slip of the hand.
_DOMAIN = r"[^\s@.,:;()<>\[\]\\\"]+"
_EMAIL = re.compile(rf"[^\s@]{{1,64}}@{_DOMAIN}(\.{_DOMAIN})*")


def email_key(email: str, *, field: tuple[str, ...] = ("input", "email")) -> str:
    """Return the form of an address that is unique: trimmed, NFKC, case folded.

    Raises `BadInput` for what cannot be an address, holds what is not to be seen, by which two could look the same, or
    is longer than 254 characters (RFC 5321 §4.5.3.1.3).
    """
    key = unicodedata.normalize("NFKC", email.strip()).casefold()
    if len(key) > MAX_EMAIL_CHARS or not key.isprintable() or not _EMAIL.fullmatch(key):
        raise BadInput("This is not an e-mail address.", field=field)
    return key


def clean_name(name: str) -> str:
    """Return a display name without surrounding space. Raises `BadInput` unless it has 1 to 100 characters."""
    cleaned = " ".join(name.split())
    if not 1 <= len(cleaned) <= MAX_NAME_CHARS or not cleaned.isprintable():
        raise BadInput(f"A name has 1 to {MAX_NAME_CHARS} printable characters.", field=("input", "name"))
    return cleaned


async def get(rows: Rows, viewer: Viewer, key: UUID, shape: Shape[R] = rows_of.WHOLE.by_default) -> R | None:
    """Return an account: one's own, or any for an administrator; None otherwise."""
    if viewer.id != key and viewer.role is not Role.ADMIN:
        return None
    return await rows_of.by_id(rows, key, shape)


async def refuse_last_admin(unit: Unit, user_id: UUID, *, field: tuple[str, ...] = ("input", "id")) -> list[UUID]:
    """Return who can administer this server; raise `Conflict` when it is this account and nobody else.

    Call it before an account loses the role, is disabled or deleted, in the transaction of that. Administrators stay
    as they are until it ends, so of two who leave at the same moment one stays.
    """
    admins = await admin.lock_admins(unit)
    if admins == [user_id]:
        raise Conflict(
            "This is the last administrator: without one nobody could administer this server any more.", field=field
        )
    return admins


async def page(
    rows: Rows,
    viewer: Viewer,
    request: PageRequest,
    *,
    chosen: UserFilter = EVERYBODY,
    shape: Shape[R] = rows_of.WHOLE.by_default,
) -> list[tuple[R, datetime, UUID]]:
    """Return one page of all accounts with their places, newest first, and one more when there are more.

    Administrators only.
    """
    require_role(viewer, Role.ADMIN)
    position = cast("tuple[datetime, UUID] | None", request.position)
    return await rows_of.page(
        rows,
        viewer.id,
        position=position,
        backward=request.backward,
        limit=request.limit + 1,
        chosen=chosen,
        shape=shape,
    )


async def count(rows: Rows, viewer: Viewer, chosen: UserFilter = EVERYBODY) -> int:
    """Return how many accounts there are. Administrators only."""
    require_role(viewer, Role.ADMIN)
    return await rows_of.count(rows, viewer.id, chosen)
