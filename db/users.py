"""Accounts as rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from typing_extensions import TypeVar

from db.query import Query
from db.shapes import Keyset, Kind, Shape, Source, Value, Whole
from db.tables.users import User
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

    @property
    def is_disabled(self) -> bool:
        """Whether it is closed."""
        return self.disabled_at is not None

    @property
    def is_email_verified(self) -> bool:
        """Whether somebody has shown that they read the mailbox of the address."""
        return self.email_verified_at is not None


SOURCE = Source(
    table=User,
    owner=None,
    computed={
        "is_disabled": Value("({row}.disabled_at IS NOT NULL)", Kind.BOOLEAN),
        "is_email_verified": Value("({row}.email_verified_at IS NOT NULL)", Kind.BOOLEAN),
    },
)
WHOLE = Whole(UserRow)
R = TypeVar("R", default=UserRow)


async def insert(
    unit: Unit,
    *,
    key: UUID,
    email: str,
    email_key: str,
    name: str,
    role: str,
    password_hash: str | None,
    is_email_verified: bool = False,
) -> UserRow | None:
    """Add an account; None when the address is taken. Without a hash no password opens it."""
    row = await unit.fetchrow(
        f"""
        INSERT INTO users (id, email, email_key, name, role, password_hash, email_verified_at)
        VALUES ($1, $2, $3, $4, $5, $6, CASE WHEN $7 THEN now() END)
        ON CONFLICT (email_key) DO NOTHING RETURNING {_COLUMNS}
        """,
        key,
        email,
        email_key,
        name,
        role,
        password_hash,
        is_email_verified,
    )
    return UserRow(**row) if row else None


async def by_id(rows: Rows, key: UUID, shape: Shape[R] = WHOLE.by_default) -> R | None:
    """Return the account or None."""
    query = Query(key)
    sql = f"SELECT {shape.columns(query, 'u')} FROM users u WHERE u.id = {query.owner}"
    row = await rows.fetchrow(sql, *query.arguments)
    return shape.row(row) if row else None


async def by_ids(rows: Rows, keys: Sequence[UUID]) -> dict[UUID, UserRow]:
    """Return accounts by their keys; those that are not there are left out."""
    found = await rows.fetch(f"SELECT {_COLUMNS} FROM users WHERE id = ANY($1)", list(keys))
    return {row["id"]: UserRow(**row) for row in found}


async def by_email_key(rows: Rows, email_key: str) -> tuple[UserRow, str | None] | None:
    """Return the account of an address and its password hash, or None."""
    return await _with_password(rows, "email_key = $1", email_key)


async def with_password(rows: Rows, key: UUID) -> tuple[UserRow, str | None] | None:
    """Return an account and its password hash, or None."""
    return await _with_password(rows, "id = $1", key)


async def set_password_hash(unit: Unit, key: UUID, password_hash: str) -> None:
    """Store a hash made anew."""
    await unit.execute("UPDATE users SET password_hash = $2, updated_at = now() WHERE id = $1", key, password_hash)


async def replace_password_hash(unit: Unit, key: UUID, *, before: str | None, after: str) -> bool:
    """Store the hash of another password; False when the one before is not there any more."""
    return bool(
        await unit.execute(
            """
            UPDATE users SET password_hash = $3, updated_at = now()
            WHERE id = $1 AND password_hash IS NOT DISTINCT FROM $2
            """,
            key,
            before,
            after,
        )
    )


async def note_email_verified(unit: Unit, key: UUID) -> UserRow | None:
    """Remember that the address of an account was confirmed, and return the account."""
    row = await unit.fetchrow(
        f"""
        UPDATE users SET email_verified_at = coalesce(email_verified_at, now()), updated_at = now()
        WHERE id = $1 RETURNING {_COLUMNS}
        """,
        key,
    )
    return UserRow(**row) if row else None


async def hold(unit: Unit, key: UUID) -> bool:
    """Let nobody else who holds or changes this account go on before the transaction ends; False when it is closed."""
    return bool(await unit.fetch("SELECT FROM users WHERE id = $1 AND disabled_at IS NULL FOR NO KEY UPDATE", key))


async def hold_with_password(unit: Unit, key: UUID, password_hash: str) -> bool:
    """Do as `hold`; False also when the account has another password by now."""
    return bool(
        await unit.fetch(
            "SELECT FROM users WHERE id = $1 AND disabled_at IS NULL AND password_hash = $2 FOR NO KEY UPDATE",
            key,
            password_hash,
        )
    )


async def note_login(unit: Unit, key: UUID) -> None:
    """Remember that the account signed in just now."""
    await unit.execute("UPDATE users SET last_login_at = now() WHERE id = $1", key)


async def has_admin(rows: Rows) -> bool:
    """Tell whether anybody can administer this server."""
    return bool(await rows.fetchval("SELECT EXISTS (SELECT FROM users WHERE role = 'ADMIN' AND disabled_at IS NULL)"))


@dataclass(frozen=True, slots=True)
class UserFilter:
    """Which accounts; what is None does not matter. `words`, in lower case, is looked for in the address and name."""

    role: str | None = None
    is_disabled: bool | None = None
    words: str | None = None


async def page(
    rows: Rows,
    asking_id: UUID,
    *,
    position: tuple[datetime, UUID] | None,
    backward: bool,
    limit: int,
    chosen: UserFilter,
    shape: Shape[R] = WHOLE.by_default,
) -> list[tuple[R, datetime, UUID]]:
    """Return at most `limit` accounts with their places, newest first, beyond `position`; oldest first if `backward`.

    All accounts: whoever calls has made sure that `asking_id` may see them.
    """
    query = Query(asking_id)
    keyset = Keyset("users", "u", "u.created_at", not backward, position, limit)
    return await keyset.page(rows, query, _conditions(query, chosen), shape)


async def count(rows: Rows, asking_id: UUID, chosen: UserFilter) -> int:
    """Return how many accounts there are."""
    query = Query(asking_id)
    conditions = " AND ".join(_conditions(query, chosen))
    return int(await rows.fetchval(f"SELECT count(*) FROM users u WHERE {conditions}", *query.arguments))


def _conditions(query: Query, chosen: UserFilter) -> list[str]:
    # Every argument of a statement has to be used in it, and a shape may or may not use the owner.
    conditions = [f"{query.owner}::uuid IS NOT NULL", "u.deleted_at IS NULL"]
    if chosen.role is not None:
        conditions.append(f"u.role = {query.bind(chosen.role)}")
    if chosen.is_disabled is not None:
        conditions.append(f"u.disabled_at IS {'NOT ' if chosen.is_disabled else ''}NULL")
    if chosen.words is not None:
        words = query.bind(chosen.words)
        conditions.append(f"(strpos(u.email_key, {words}) > 0 OR strpos(lower(u.name), {words}) > 0)")
    return conditions


async def _with_password(rows: Rows, condition: str, value: str | UUID) -> tuple[UserRow, str | None] | None:
    row = await rows.fetchrow(f"SELECT {_COLUMNS}, password_hash FROM users WHERE {condition}", value)
    if row is None:
        return None
    values = dict(row)
    password_hash = values.pop("password_hash")
    return UserRow(**values), password_hash
