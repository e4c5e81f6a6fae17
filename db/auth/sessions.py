"""Signed-in devices: of a session's token only the fingerprint is stored."""

from dataclasses import dataclass, fields
from datetime import datetime
from uuid import UUID

from typing_extensions import TypeVar

from db.query import Query
from db.shapes import Keyset, Shape, Source, Whole
from db.tables.auth import Session
from db.unit import Rows, Unit

SESSION_CHANNEL = "graphmark_sessions"
"""Where ended sessions and API keys are called out, each by its id."""

_STANDS = "s.revoked_at IS NULL AND s.expires_at > now() AND s.idle_expires_at > now()"


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A signed-in device. It ends at `idle_expires_at` unless it is used before, and at `expires_at` in any case."""

    id: UUID
    user_id: UUID
    user_agent: str
    network_address: str
    created_at: datetime
    last_seen_at: datetime
    authenticated_at: datetime
    idle_expires_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class LiveSession:
    """What a valid session token says about its bearer."""

    session_id: UUID
    user_id: UUID
    role: str
    is_stale: bool
    has_factor: bool


SOURCE = Source(table=Session, owner="user_id")
WHOLE = Whole(SessionRow)
COLUMNS = ", ".join(item.name for item in fields(SessionRow))
R = TypeVar("R", default=SessionRow)


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
        f"""
        INSERT INTO sessions
            (id, user_id, token_hash, user_agent, network_address, idle_minutes, idle_expires_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6::int, now() + least($6::int * interval '1 minute', $7 * interval '1 hour'),
            now() + $7 * interval '1 hour')
        RETURNING {COLUMNS}
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
    return SessionRow(*row)


async def live_session(rows: Rows, token_hash: bytes) -> LiveSession | None:
    """Return whose token this is, or None when it is unknown, expired, revoked, or its account is disabled.

    `is_stale` is true when its last use was noted more than a minute ago, `has_factor` when its account has a second
    factor.
    """
    row = await rows.fetchrow(
        f"""
        SELECT s.id AS session_id, user_id, role,
            last_seen_at < now() - interval '1 minute' AS is_stale,
            EXISTS (SELECT FROM totp_factors t WHERE t.user_id = u.id AND confirmed_at IS NOT NULL) AS has_factor
        FROM sessions s JOIN users u ON u.id = s.user_id
        WHERE s.token_hash = $1 AND u.disabled_at IS NULL AND {_STANDS}
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
        f"SELECT extract(epoch FROM now() - authenticated_at)::float8 FROM sessions s WHERE s.id = $1 AND {_STANDS}",
        session_id,
    )
    return seconds


async def note_proof(unit: Unit, session_id: UUID) -> SessionRow | None:
    """Note that the bearer of a session proved just now who they are; None when it has ended."""
    row = await unit.fetchrow(
        f"UPDATE sessions s SET authenticated_at = now() WHERE s.id = $1 AND {_STANDS} RETURNING {COLUMNS}", session_id
    )
    return SessionRow(*row) if row else None


async def touch_session(rows: Rows, session_id: UUID) -> None:
    """Note that the session was used just now, if that was not noted within the last minute."""
    await rows.execute(
        """
        UPDATE sessions SET last_seen_at = now(),
            idle_expires_at = least(expires_at, now() + idle_minutes * interval '1 minute')
        WHERE id = $1 AND revoked_at IS NULL AND idle_expires_at > now()
            AND last_seen_at < now() - interval '1 minute'
        """,
        session_id,
    )


async def session_by_id(rows: Rows, key: UUID, shape: Shape[R] = WHOLE.by_default) -> R | None:
    """Return a session that stands, or None. Anybody's: whoever calls decides who may see it."""
    query = Query(key)
    sql = f"SELECT {shape.columns(query, 's')} FROM sessions s WHERE s.id = {query.owner} AND {_STANDS}"
    row = await rows.fetchrow(sql, *query.arguments)
    return shape.row(row) if row else None


async def page_of_sessions(
    rows: Rows,
    user_id: UUID,
    *,
    position: tuple[datetime, UUID] | None,
    backward: bool,
    limit: int,
    shape: Shape[R] = WHOLE.by_default,
) -> list[tuple[R, datetime, UUID]]:
    """Return at most `limit` standing sessions of an account with their places, newest first, beyond `position`.

    Oldest first if `backward`.
    """
    query = Query(user_id)
    keyset = Keyset("sessions", "s", "s.created_at", not backward, position, limit)
    return await keyset.page(rows, query, [f"s.user_id = {query.owner}", _STANDS], shape)


async def count_sessions(rows: Rows, user_id: UUID) -> int:
    """Return how many sessions of an account stand."""
    return int(await rows.fetchval(f"SELECT count(*) FROM sessions s WHERE s.user_id = $1 AND {_STANDS}", user_id))


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
