"""What an account may have: the settings say it, unless an administrator has said something else for the account.

What there is too much of already, because a bound was lowered, stays; only more is refused.
"""

from dataclasses import dataclass
from uuid import UUID

from db import quotas as rows_of
from db.quotas import QuotaRow
from db.unit import Rows, Unit
from kit.errors import BadInput, Conflict
from kit.settings import Settings

MAX_BOOKMARKS = 2**31 - 1
MAX_STORAGE_BYTES = 2**53
MAX_RUNNING_IMPORTS = 1_000


@dataclass(frozen=True, slots=True)
class Bounds:
    """What an account may have: bookmarks with the trash, bytes of files and pictures, imports at once."""

    max_bookmarks: int
    max_storage_bytes: int
    max_running_imports: int


@dataclass(frozen=True, slots=True)
class Quota:
    """What of something is used, and the limit of it."""

    used: int
    limit: int


@dataclass(frozen=True, slots=True)
class Quotas:
    """What an account has and may have."""

    bookmarks: Quota
    storage_bytes: Quota
    running_imports: Quota


async def bounds_of(rows: Rows, settings: Settings, user_id: UUID) -> Bounds:
    """Return what an account may have."""
    own = await rows_of.quota_of(rows, user_id)
    return Bounds(
        settings.max_bookmarks_per_user if own.max_bookmarks is None else own.max_bookmarks,
        settings.max_storage_bytes_per_user if own.max_storage_bytes is None else own.max_storage_bytes,
        settings.max_running_imports_per_user if own.max_running_imports is None else own.max_running_imports,
    )


async def quotas_of(rows: Rows, settings: Settings, user_id: UUID) -> Quotas:
    """Return what an account has and may have. Counts a large account anew, which takes a tenth of a second."""
    bounds, use = await bounds_of(rows, settings, user_id), await rows_of.use_of(rows, user_id)
    return Quotas(
        Quota(use.bookmarks, bounds.max_bookmarks),
        Quota(use.storage_bytes, bounds.max_storage_bytes),
        Quota(use.running_imports, bounds.max_running_imports),
    )


async def check_storage(
    unit: Unit, settings: Settings, user_id: UUID, size_bytes: int, *, field: tuple[str, ...] = ()
) -> None:
    """Raise `Conflict` when an account cannot store so many bytes more. Of two that ask, one waits for the other."""
    await rows_of.lock_storage(unit, user_id)
    most = (await bounds_of(unit, settings, user_id)).max_storage_bytes
    used = await rows_of.stored_bytes(unit, user_id)
    if used + size_bytes > most:
        raise Conflict(
            f"Files and pictures of an account may take up {most:,} bytes. {used:,} are in use, and this has "
            f"{size_bytes:,}.",
            field=field,
        )


async def is_full(rows: Rows, settings: Settings, user_id: UUID) -> bool:
    """Tell whether an account stores as many bytes as it may."""
    bounds = await bounds_of(rows, settings, user_id)
    return await rows_of.stored_bytes(rows, user_id) >= bounds.max_storage_bytes


def checked(quota: QuotaRow) -> QuotaRow:
    """Return bounds that can be kept. Raises `BadInput` for a number that is negative or too large."""
    for name, value, most in (
        ("maxBookmarks", quota.max_bookmarks, MAX_BOOKMARKS),
        ("maxStorageBytes", quota.max_storage_bytes, MAX_STORAGE_BYTES),
        ("maxRunningImports", quota.max_running_imports, MAX_RUNNING_IMPORTS),
    ):
        if value is not None and not 0 <= value <= most:
            raise BadInput(f"`{name}` is 0 to {most:,}.", field=("input", "quotas", name))
    return quota
