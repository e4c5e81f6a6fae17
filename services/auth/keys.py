"""API keys: what programs show instead of a password (OWASP ASVS 5.0 V9.2, statement A21).

A key has a prefix by which it is known in leaked texts, 256 random bits, scopes and an end. It is shown once and
stored only as its SHA-256. It can mint nothing and change no credential, whatever its scopes (services.permissions).
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, cast
from uuid import UUID

from typing_extensions import TypeVar

from db import auth as rows_of
from db.auth import ApiKeyRow
from db.auth import keys as key_rows
from db.shapes import Shape
from db.unit import Rows, Unit
from kit.clock import utcnow
from kit.crypto import fingerprint, new_token
from kit.errors import BadInput, Conflict, NotFound
from kit.ids import new_id
from kit.paging import PageRequest
from kit.settings import Settings
from services.audit import AuditAction
from services.auth.acting import note
from services.auth.ending import may_see
from services.auth.sessions import KEY_PREFIX, Device
from services.auth.step_up import require_recent
from services.permissions import WHOLE, ApiScope, Role, Viewer, admit

MAX_KEYS: Final = 50
MAX_NAME_CHARS: Final = 100
ORDER: Final = "api-keys"
KINDS: Final = (datetime, UUID)
_SHOWN_CHARS = len(KEY_PREFIX) + 1 + 6
R = TypeVar("R", default=ApiKeyRow)


@dataclass(frozen=True, slots=True)
class NewKey:
    """A fresh key. `token` is the only copy of the secret."""

    token: str
    row: ApiKeyRow


async def create(
    unit: Unit,
    settings: Settings,
    viewer: Viewer,
    device: Device,
    *,
    name: str,
    scopes: Sequence[ApiScope],
    expires_at: datetime | None,
) -> NewKey:
    """Make a key of the viewer.

    Raises `BadInput` for an unusable name, no scopes, or an end that is past or too far away; `Conflict` when the
    account has 50; `Forbidden` when the viewer has not proved lately who they are.
    """
    await require_recent(unit, viewer, "createApiKey")
    shown, until = _clean_name(name), _end_of(settings, expires_at)
    if not scopes:
        raise BadInput("Give the key at least one scope.", field=("input", "scopes"))
    await rows_of.lock_owner(unit, viewer.id)
    if await rows_of.count_keys(unit, viewer.id) >= MAX_KEYS:
        raise Conflict(f"You have {MAX_KEYS} API keys; revoke one that you do not need.")
    token = new_token(KEY_PREFIX)
    row = ApiKeyRow(
        id=new_id(),
        owner_id=viewer.id,
        name=shown,
        prefix=token[:_SHOWN_CHARS],
        scopes=[scope.value for scope in ApiScope if scope in scopes],
        created_at=utcnow(),
        expires_at=until,
        last_used_at=None,
    )
    stored = await rows_of.insert_key(unit, row, fingerprint(token))
    await note(unit, AuditAction.API_KEY_CREATED, viewer, device, key=str(stored.id), scopes=stored.scopes)
    return NewKey(token, stored)


async def revoke(unit: Unit, viewer: Viewer, device: Device, key: UUID) -> ApiKeyRow:
    """End a key of the viewer, or anybody's on an administrator's word; its connections close. Return what it was.

    Raises `NotFound` when it is not there or not the viewer's, `Forbidden` when an administrator has to prove who they
    are before.
    """
    admit(viewer, WHOLE, "revokeApiKey")
    row = await rows_of.key_by_id(unit, key)
    if row is None or (row.owner_id != viewer.id and viewer.role is not Role.ADMIN):
        raise NotFound("There is no such API key.", field=("input", "id"))
    if row.owner_id != viewer.id:
        await require_recent(unit, viewer, "revokeApiKey")
    if not await rows_of.delete_key(unit, row.owner_id, key):
        raise NotFound("There is no such API key.", field=("input", "id"))
    await note(unit, AuditAction.API_KEY_REVOKED, viewer, device, row.owner_id, key=str(key))
    return row


async def get(rows: Rows, viewer: Viewer, key: UUID, shape: Shape[R] = key_rows.WHOLE.by_default) -> R | None:
    """Return a key: one's own, or any for an administrator; None otherwise."""
    admit(viewer, WHOLE, "node")
    owner = await rows_of.key_by_id(rows, key)
    if owner is None or (owner.owner_id != viewer.id and viewer.role is not Role.ADMIN):
        return None
    return await rows_of.key_by_id(rows, key, shape)


async def page(
    rows: Rows, viewer: Viewer, owner_id: UUID, request: PageRequest, shape: Shape[R] = key_rows.WHOLE.by_default
) -> list[tuple[R, datetime, UUID]]:
    """Return one page of the keys of an account, newest first, and one more when there are more."""
    may_see(viewer, owner_id, "apiKeys")
    position = cast("tuple[datetime, UUID] | None", request.position)
    return await rows_of.page_of_keys(
        rows, owner_id, position=position, backward=request.backward, limit=request.limit + 1, shape=shape
    )


async def count(rows: Rows, viewer: Viewer, owner_id: UUID) -> int:
    """Return how many keys an account has."""
    may_see(viewer, owner_id, "apiKeys")
    return await rows_of.count_keys(rows, owner_id)


def _clean_name(name: str) -> str:
    """Return a name without surrounding space. Raises `BadInput` unless it has 1 to 100 printable characters."""
    cleaned = " ".join(unicodedata.normalize("NFC", name).split())
    if not 1 <= len(cleaned) <= MAX_NAME_CHARS or not cleaned.isprintable():
        raise BadInput(f"A name has 1 to {MAX_NAME_CHARS} printable characters.", field=("input", "name"))
    return cleaned


def _end_of(settings: Settings, given: datetime | None) -> datetime:
    """Return when a key ends: as given, or after the days that the settings say. Raises `BadInput`."""
    now = utcnow()
    if given is None:
        return now + timedelta(days=min(settings.api_key_days, settings.api_key_max_days))
    if given.tzinfo is None:
        given = given.replace(tzinfo=UTC)
    if given <= now:
        raise BadInput("This moment is past.", field=("input", "expiresAt"))
    if given > now + timedelta(days=settings.api_key_max_days, minutes=1):
        raise BadInput(
            f"A key ends within {settings.api_key_max_days} days; make another one then.", field=("input", "expiresAt")
        )
    return given
