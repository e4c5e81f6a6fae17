"""Signed-in devices: of a session's token only the fingerprint is stored."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db.unit import Rows, Unit

SESSION_CHANNEL = "graphmark_sessions"


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A signed-in device."""

    id: UUID
    user_id: UUID
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class LiveSession:
    """What a valid session token says about its bearer."""

    session_id: UUID
    user_id: UUID
    role: str
    is_stale: bool
    has_factor: bool


async def insert_session(
    unit: Unit,
    *,
    key: UUID,
    user_id: UUID,
    token_hash: bytes,
    user_agent: str,
    network_address: str,
    idle_minutes: int,
    absolute_hours: int,
) -> SessionRow:
    """Open a session that ends after `idle_minutes` without use and after `absolute_hours` in any case."""
    row = await unit.fetchrow(
        """
        INSERT INTO sessions (id, user_id, token_hash, user_agent, network_address, idle_expires_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, now() + $6 * interval '1 minute', now() + $7 * interval '1 hour')
        RETURNING id, user_id, created_at, last_seen_at, expires_at
        """,
        key,
        user_id,
        token_hash,
        user_agent,
        network_address,
        idle_minutes,
        absolute_hours,
    )
    assert row is not None  # noqa: S101  an INSERT … RETURNING without a conflict clause gives its row or raises
    return SessionRow(**row)


async def live_session(rows: Rows, token_hash: bytes) -> LiveSession | None:
    """Return whose token this is, or None when it is unknown, expired, revoked, or its account is disabled.

    `is_stale` is true when its last use was noted more than a minute ago, `has_factor` when its account has a second
    factor.
    """
    row = await rows.fetchrow(
        """
        SELECT sessions.id AS session_id, user_id, role, last_seen_at < now() - interval '1 minute' AS is_stale,
            EXISTS (SELECT FROM totp_factors t WHERE t.user_id = users.id AND confirmed_at IS NOT NULL) AS has_factor
        FROM sessions JOIN users ON users.id = sessions.user_id
        WHERE token_hash = $1 AND revoked_at IS NULL AND disabled_at IS NULL
            AND expires_at > now() AND idle_expires_at > now()
        """,
        token_hash,
    )
    return LiveSession(**row) if row else None


async def seconds_left(rows: Rows, session_id: UUID) -> float:
    """Return for how long a session opens something if nobody ends or uses it; 0 when it opens nothing any more."""
    left = await rows.fetchval(
        """
        SELECT extract(epoch FROM least(expires_at, idle_expires_at) - now())::float8
        FROM sessions JOIN users ON users.id = sessions.user_id
        WHERE sessions.id = $1 AND revoked_at IS NULL AND disabled_at IS NULL
        """,
        session_id,
    )
    return max(0.0, left or 0.0)


async def seconds_since_proof(rows: Rows, session_id: UUID) -> float | None:
    """Return how long ago the bearer of a session proved who they are; None when the session has ended."""
    seconds: float | None = await rows.fetchval(
        """
        SELECT extract(epoch FROM now() - created_at)::float8 FROM sessions
        WHERE id = $1 AND revoked_at IS NULL AND least(expires_at, idle_expires_at) > now()
        """,
        session_id,
    )
    return seconds


async def touch_session(rows: Rows, session_id: UUID, *, idle_minutes: int) -> None:
    """Note that the session was used just now."""
    await rows.execute(
        """
        UPDATE sessions SET last_seen_at = now(), idle_expires_at = now() + $2 * interval '1 minute'
        WHERE id = $1 AND revoked_at IS NULL
        """,
        session_id,
        idle_minutes,
    )


async def revoke_session(unit: Unit, session_id: UUID, user_id: UUID) -> bool:
    """End a session of `user_id` and tell every process, so that its sockets close. False when it had ended before."""
    ended = await unit.execute(
        "UPDATE sessions SET revoked_at = now() WHERE id = $1 AND user_id = $2 AND revoked_at IS NULL",
        session_id,
        user_id,
    )
    if ended:
        await unit.fetchval("SELECT pg_notify($1, $2)", SESSION_CHANNEL, str(session_id))
    return bool(ended)


async def revoke_sessions(unit: Unit, user_id: UUID, *, but: UUID | None = None) -> int:
    """End every session of an account except `but`, and tell every process; return how many had not ended before."""
    ended = await unit.fetch(
        """
        UPDATE sessions SET revoked_at = now()
        WHERE user_id = $1 AND revoked_at IS NULL AND id IS DISTINCT FROM $2
        RETURNING id, pg_notify($3, id::text)
        """,
        user_id,
        but,
        SESSION_CHANNEL,
    )
    return len(ended)


async def purge_sessions(unit: Unit, *, limit: int) -> int:
    """Forget at most `limit` sessions that ended more than a day ago; return how many went."""
    return await unit.execute(
        """
        DELETE FROM sessions WHERE id IN (
            SELECT id FROM sessions WHERE least(expires_at, idle_expires_at, revoked_at) < now() - interval '1 day'
            LIMIT $1 FOR UPDATE SKIP LOCKED
        )
        """,
        limit,
    )
