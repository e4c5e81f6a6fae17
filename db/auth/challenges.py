"""What stands between a right password and a session: challenges that await a code, devices that are asked for none.

Both lean on the password that let them in (`password_digest`): with another one they are worth nothing.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db.unit import Rows, Unit

# An account may have no password, when it signs in elsewhere.
_DIGEST = "sha256(convert_to(coalesce(u.password_hash, ''), 'UTF8'))"
_STANDS = f"u.id = c.user_id AND u.disabled_at IS NULL AND c.password_digest = {_DIGEST} AND c.expires_at > now()"


@dataclass(frozen=True, slots=True)
class ChallengeRow:
    """A sign-in that awaits a code."""

    id: UUID
    user_id: UUID


async def insert_challenge(unit: Unit, *, key: UUID, user_id: UUID, token_hash: bytes, minutes: int) -> datetime:
    """Store a challenge that ends after `minutes`; return when."""
    return await _insert(unit, "login_challenges", key, user_id, token_hash, f"{minutes} minutes")


async def challenge_of(rows: Rows, token_hash: bytes) -> ChallengeRow | None:
    """Return the challenge that still stands, or None. Nothing is used up."""
    row = await rows.fetchrow(
        f"SELECT c.id, c.user_id FROM login_challenges c JOIN users u ON {_STANDS} WHERE c.token_hash = $1", token_hash
    )
    return ChallengeRow(**row) if row else None


async def try_challenge(rows: Rows, key: UUID, *, most: int) -> bool:
    """Use up one of `most` tries; False when there is none left, or the challenge stands no more."""
    return bool(
        await rows.execute(
            f"""
            UPDATE login_challenges c SET tries = tries + 1 FROM users u
            WHERE {_STANDS} AND c.id = $1 AND c.tries < $2
            """,
            key,
            most,
        )
    )


async def take_challenge(unit: Unit, key: UUID) -> bool:
    """Use up a challenge; False when it was used, or stands no more."""
    return bool(await unit.execute(f"DELETE FROM login_challenges c USING users u WHERE {_STANDS} AND c.id = $1", key))


async def insert_trusted_device(unit: Unit, *, key: UUID, user_id: UUID, token_hash: bytes, days: int) -> datetime:
    """Store a device that is asked for no code for `days`; return until when."""
    return await _insert(unit, "trusted_devices", key, user_id, token_hash, f"{days} days")


async def is_trusted_device(rows: Rows, user_id: UUID, token_hash: bytes) -> bool:
    """Tell whether a device of this account is asked for no code."""
    return bool(
        await rows.fetchval(
            f"""
            SELECT EXISTS (SELECT FROM trusted_devices c JOIN users u ON {_STANDS}
            WHERE c.token_hash = $2 AND c.user_id = $1)
            """,
            user_id,
            token_hash,
        )
    )


async def forget_trusted_devices(unit: Unit, user_id: UUID) -> int:
    """Ask every device of an account for a code again; return how many were trusted."""
    return await unit.execute("DELETE FROM trusted_devices WHERE user_id = $1", user_id)


async def purge_challenges(unit: Unit, *, limit: int) -> int:
    """Forget at most `limit` challenges, and as many devices, that have ended; return how many went."""
    return sum(
        [
            await unit.execute(
                f"""
                DELETE FROM {table} WHERE id IN (
                    SELECT id FROM {table} WHERE expires_at < now() LIMIT $1 FOR UPDATE SKIP LOCKED
                )
                """,
                limit,
            )
            for table in ("login_challenges", "trusted_devices")
        ]
    )


async def _insert(unit: Unit, table: str, key: UUID, user_id: UUID, token_hash: bytes, lasts: str) -> datetime:
    ends: datetime | None = await unit.fetchval(
        f"""
        INSERT INTO {table} (id, user_id, token_hash, password_digest, expires_at)
        SELECT $1, u.id, $3, {_DIGEST}, now() + interval '{lasts}' FROM users u WHERE u.id = $2 RETURNING expires_at
        """,
        key,
        user_id,
        token_hash,
    )
    assert ends is not None  # noqa: S101  whoever signs in has an account, in this transaction too
    return ends
