"""The end of sessions and keys, told to every process in the transaction of the end, so that their sockets close."""

from collections.abc import Sequence
from uuid import UUID

from db.auth.sessions import SESSION_CHANNEL
from db.unit import Unit


async def revoke_session(unit: Unit, session_id: UUID, user_id: UUID) -> bool:
    """End a session of `user_id` and tell every process, so that its sockets close. False when it had ended before."""
    ended = await unit.fetch(
        "UPDATE sessions SET revoked_at = now() WHERE id = $1 AND user_id = $2 AND revoked_at IS NULL RETURNING id",
        session_id,
        user_id,
    )
    await call_out(unit, [row["id"] for row in ended])
    return bool(ended)


async def revoke_sessions(unit: Unit, user_id: UUID, *, but: UUID | None = None) -> int:
    """End every session of an account but one; return how many ended."""
    ended = await unit.fetch(
        """
        UPDATE sessions SET revoked_at = now()
        WHERE user_id = $1 AND id IS DISTINCT FROM $2
            AND revoked_at IS NULL AND least(expires_at, idle_expires_at) > now()
        RETURNING id
        """,
        user_id,
        but,
    )
    await call_out(unit, [row["id"] for row in ended])
    return len(ended)


async def revoke_surplus(unit: Unit, user_id: UUID, *, keep: int) -> int:
    """End the sessions of an account that were not used for longest, beyond `keep`; return how many ended."""
    ended = await unit.fetch(
        """
        UPDATE sessions SET revoked_at = now() WHERE revoked_at IS NULL AND id IN (
            SELECT id FROM sessions WHERE user_id = $1 AND revoked_at IS NULL
                AND least(expires_at, idle_expires_at) > now()
            ORDER BY last_seen_at DESC, created_at DESC, id DESC OFFSET $2
        ) RETURNING id
        """,
        user_id,
        keep,
    )
    await call_out(unit, [row["id"] for row in ended])
    return len(ended)


async def call_out_keys(unit: Unit, owner_id: UUID) -> None:
    """Have every process look again what the API keys of an account still open."""
    rows = await unit.fetch("SELECT id FROM api_keys WHERE owner_id = $1", owner_id)
    await call_out(unit, [row["id"] for row in rows])


async def call_out(unit: Unit, ids: Sequence[UUID]) -> None:
    """Tell every process after the commit that these sessions or keys may have ended."""
    if ids:
        await unit.fetch("SELECT pg_notify($1, id::text) FROM unnest($2::uuid[]) AS id", SESSION_CHANNEL, list(ids))
