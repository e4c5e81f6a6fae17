"""What administrators change of accounts, and whom they invite."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from db.unit import Rows, Unit
from db.users import UserRow

_USER = "id, email, name, role, disabled_at, email_verified_at, last_login_at, created_at, updated_at"
_INVITE = "id, email, user_id, invited_by, created_at, expires_at"
_OPEN = "purpose = 'INVITE' AND used_at IS NULL AND expires_at > now()"


@dataclass(frozen=True, slots=True)
class InviteRow:
    """An invitation that waits. `email` is whom it is for, None for whoever has the link; `user_id` an account."""

    id: UUID
    email: str | None
    user_id: UUID | None
    invited_by: UUID | None
    created_at: datetime
    expires_at: datetime


async def lock_admins(unit: Unit) -> list[UUID]:
    """Return who can administer this server, and keep all of them as they are until the transaction ends.

    Somebody who was invited and never signed in is not counted.
    """
    rows = await unit.fetch(
        """
        SELECT id FROM users WHERE role = 'ADMIN' AND disabled_at IS NULL
            AND (password_hash IS NOT NULL OR last_login_at IS NOT NULL)
        ORDER BY id FOR UPDATE
        """
    )
    return [row["id"] for row in rows]


async def lock(unit: Unit, key: UUID) -> UserRow | None:
    """Return an account and keep it as it is until the transaction ends."""
    row = await unit.fetchrow(f"SELECT {_USER} FROM users WHERE id = $1 FOR UPDATE", key)
    return UserRow(**row) if row else None


async def set_role(unit: Unit, key: UUID, role: str) -> None:
    """Give an account another role."""
    await unit.execute("UPDATE users SET role = $2, updated_at = now() WHERE id = $1", key, role)


async def set_disabled(unit: Unit, key: UUID, *, disabled: bool) -> None:
    """Close an account, or open it again."""
    await unit.execute(
        "UPDATE users SET disabled_at = CASE WHEN $2 THEN now() END, updated_at = now() WHERE id = $1", key, disabled
    )


async def rename(unit: Unit, key: UUID, *, name: str, email: str, email_key: str) -> bool:
    """Give an account a name and an address; another address is not verified. False when the address is taken."""
    try:
        async with unit.connection.transaction():
            await unit.execute(
                """
                UPDATE users SET name = $2, email = $3, email_key = $4, updated_at = now(),
                    email_verified_at = CASE WHEN email_key = $4 THEN email_verified_at END
                WHERE id = $1
                """,
                key,
                name,
                email,
                email_key,
            )
    except asyncpg.UniqueViolationError:
        return False
    return True


async def complete(unit: Unit, key: UUID, *, name: str, password_hash: str) -> UserRow | None:
    """Give an account that waits for its owner a name and a password; None when it waits no longer.

    Who has signed in at a provider of identities waits for nothing.
    """
    row = await unit.fetchrow(
        f"""
        UPDATE users SET name = $2, password_hash = $3, updated_at = now()
        WHERE id = $1 AND password_hash IS NULL AND last_login_at IS NULL AND disabled_at IS NULL RETURNING {_USER}
        """,
        key,
        name,
        password_hash,
    )
    return UserRow(**row) if row else None


async def insert_invite(
    unit: Unit,
    *,
    key: UUID,
    token_hash: bytes,
    email: str | None,
    user_id: UUID | None,
    invited_by: UUID | None,
    hours: int,
) -> InviteRow:
    """Store an invitation. Earlier ones of the same account are void."""
    if user_id is not None:
        await void_invites(unit, user_id)
    row = await unit.fetchrow(
        f"""
        INSERT INTO one_time_tokens (id, purpose, token_hash, email, user_id, invited_by, expires_at)
        VALUES ($1, 'INVITE', $2, $3, $4, $5, now() + $6 * interval '1 hour') RETURNING {_INVITE}
        """,
        key,
        token_hash,
        email,
        user_id,
        invited_by,
        hours,
    )
    assert row is not None  # noqa: S101  an INSERT … RETURNING without a conflict clause gives its row or raises
    return InviteRow(**row)


async def count_invites(rows: Rows) -> int:
    """Return how many invitations wait."""
    return int(await rows.fetchval(f"SELECT count(*) FROM one_time_tokens WHERE {_OPEN}"))


async def invites(rows: Rows, *, position: tuple[datetime, UUID] | None, backward: bool, limit: int) -> list[InviteRow]:
    """Return at most `limit` invitations that wait, newest first, beyond `position`; oldest first if `backward`."""
    order, beyond = ("ASC", ">") if backward else ("DESC", "<")
    place = "" if position is None else f" AND (created_at, id) {beyond} ($1, $2)"
    found = await rows.fetch(
        f"SELECT {_INVITE} FROM one_time_tokens WHERE {_OPEN}{place} ORDER BY created_at {order}, id {order} "
        f"LIMIT {int(limit)}",
        *(position or ()),
    )
    return [InviteRow(**row) for row in found]


async def redeem_invite(unit: Unit, token_hash: bytes) -> InviteRow | None:
    """Use an invitation up and return it, or None when it is unknown, used or expired. One statement: no race."""
    row = await unit.fetchrow(
        f"UPDATE one_time_tokens SET used_at = now() WHERE token_hash = $1 AND {_OPEN} RETURNING {_INVITE}", token_hash
    )
    return InviteRow(**row) if row else None


async def void_invites(unit: Unit, user_id: UUID) -> None:
    """Take back every invitation to complete an account."""
    await unit.execute(f"DELETE FROM one_time_tokens WHERE user_id = $1 AND {_OPEN}", user_id)


async def delete_invite(unit: Unit, key: UUID) -> InviteRow | None:
    """Take an invitation back and return it; None when it does not wait."""
    row = await unit.fetchrow(f"DELETE FROM one_time_tokens WHERE id = $1 AND {_OPEN} RETURNING {_INVITE}", key)
    return InviteRow(**row) if row else None
