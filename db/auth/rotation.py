"""What the token of a session was before: so that one that was stolen gives itself away when it is used."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db.auth.sessions import LiveSession
from db.unit import Rows, Unit

MAX_RETIRED = 100
"""Of a session, the latest are remembered. Of earlier ones it is not known any more that they were its own."""


@dataclass(frozen=True, slots=True)
class Rotating:
    """A session whose token is about to be renewed: it is locked. `generation` counts the renewals."""

    token_hash: bytes
    generation: int
    expires_at: datetime
    idle_minutes: int


@dataclass(frozen=True, slots=True)
class RetiredToken:
    """What a token was that opens nothing by itself any more."""

    live: LiveSession
    is_in_grace: bool


async def retired_token(rows: Rows, token_hash: bytes, *, grace_seconds: float) -> RetiredToken | None:
    """Return the standing session whose token this was, or None."""
    row = await rows.fetchrow(
        """
        SELECT s.id AS session_id, s.user_id, u.role,
            s.last_seen_at < now() - interval '1 minute' AS is_stale,
            EXISTS (SELECT FROM totp_factors f WHERE f.user_id = u.id AND f.confirmed_at IS NOT NULL) AS has_factor,
            t.retired_at > now() - $2 * interval '1 second' AS is_in_grace
        FROM session_tokens t JOIN sessions s ON s.id = t.session_id JOIN users u ON u.id = s.user_id
        WHERE t.token_hash = $1 AND u.disabled_at IS NULL
            AND s.revoked_at IS NULL AND s.expires_at > now() AND s.idle_expires_at > now()
        """,
        token_hash,
        grace_seconds,
    )
    if row is None:
        return None
    values = dict(row)
    is_in_grace = values.pop("is_in_grace")
    return RetiredToken(LiveSession(**values), is_in_grace)


async def lock_session(unit: Unit, session_id: UUID) -> Rotating | None:
    """Be the only one who renews the token of a standing session; None when it has ended."""
    row = await unit.fetchrow(
        """
        SELECT token_hash, generation, expires_at, idle_minutes FROM sessions
        WHERE id = $1 AND revoked_at IS NULL AND least(expires_at, idle_expires_at) > now() FOR UPDATE
        """,
        session_id,
    )
    return Rotating(**row) if row else None


async def generation_of(unit: Unit, session_id: UUID, token_hash: bytes, *, grace_seconds: float) -> int | None:
    """Return which generation of a session's token this was, while it is in its grace; None otherwise."""
    generation: int | None = await unit.fetchval(
        """
        SELECT generation FROM session_tokens
        WHERE token_hash = $1 AND session_id = $2 AND retired_at > now() - $3 * interval '1 second'
        """,
        token_hash,
        session_id,
        grace_seconds,
    )
    return generation


async def rotate(unit: Unit, session_id: UUID, before: Rotating, token_hash: bytes) -> None:
    """Give a locked session its next token."""
    await unit.execute(
        "INSERT INTO session_tokens (token_hash, session_id, generation) VALUES ($1, $2, $3)",
        before.token_hash,
        session_id,
        before.generation,
    )
    await unit.execute(
        "DELETE FROM session_tokens WHERE session_id = $1 AND generation <= $2",
        session_id,
        before.generation - MAX_RETIRED,
    )
    await unit.execute(
        "UPDATE sessions SET token_hash = $2, generation = generation + 1 WHERE id = $1", session_id, token_hash
    )
