"""Accounts as rows."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db.unit import Rows, Unit

_COLUMNS = "id, email, name, role, disabled_at, email_verified_at, last_login_at, created_at, updated_at"


@dataclass(frozen=True, slots=True)
class UserRow:
    """An account without its secrets. `email` is as the person wrote it."""

    id: UUID
    email: str
    name: str
    role: str
    disabled_at: datetime | None
    email_verified_at: datetime | None
    last_login_at: datetime | None
    created_at: datetime
    updated_at: datetime


async def insert(
    unit: Unit, *, key: UUID, email: str, email_key: str, name: str, role: str, password_hash: str
) -> UserRow | None:
    """Add an account; None when the address is taken."""
    row = await unit.fetchrow(
        f"""
        INSERT INTO users (id, email, email_key, name, role, password_hash) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (email_key) DO NOTHING RETURNING {_COLUMNS}
        """,
        key,
        email,
        email_key,
        name,
        role,
        password_hash,
    )
    return UserRow(**row) if row else None


async def by_id(rows: Rows, key: UUID) -> UserRow | None:
    """Return the account or None."""
    row = await rows.fetchrow(f"SELECT {_COLUMNS} FROM users WHERE id = $1", key)
    return UserRow(**row) if row else None


async def by_email_key(rows: Rows, email_key: str) -> tuple[UserRow, str | None] | None:
    """Return the account of an address and its password hash, or None."""
    row = await rows.fetchrow(f"SELECT {_COLUMNS}, password_hash FROM users WHERE email_key = $1", email_key)
    if row is None:
        return None
    values = dict(row)
    password_hash = values.pop("password_hash")
    return UserRow(**values), password_hash


async def set_password_hash(unit: Unit, key: UUID, password_hash: str) -> None:
    """Store a hash made anew."""
    await unit.execute("UPDATE users SET password_hash = $2, updated_at = now() WHERE id = $1", key, password_hash)


async def note_login(unit: Unit, key: UUID) -> None:
    """Remember that the account signed in just now."""
    await unit.execute("UPDATE users SET last_login_at = now() WHERE id = $1", key)


async def has_admin(rows: Rows) -> bool:
    """Tell whether anybody can administer this server."""
    return bool(await rows.fetchval("SELECT EXISTS (SELECT FROM users WHERE role = 'ADMIN' AND disabled_at IS NULL)"))


async def page(rows: Rows, *, position: tuple[datetime, UUID] | None, backward: bool, limit: int) -> list[UserRow]:
    """Return at most `limit` accounts, newest first, beyond `position`; against that order when `backward`."""
    compare, direction = (">", "ASC") if backward else ("<", "DESC")
    created, key = position or (None, None)
    found = await rows.fetch(
        f"""
        SELECT {_COLUMNS} FROM users WHERE $1::timestamptz IS NULL OR (created_at, id) {compare} ($1, $2)
        ORDER BY created_at {direction}, id {direction} LIMIT $3
        """,
        created,
        key,
        limit,
    )
    return [UserRow(**row) for row in found]


async def count(rows: Rows) -> int:
    """Return how many accounts there are."""
    return int(await rows.fetchval("SELECT count(*) FROM users"))
