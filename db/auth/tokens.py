"""What can be redeemed once: set-up links, invitations. Of a token only the fingerprint is stored."""

from uuid import UUID

from db.unit import Unit


async def insert_one_time_token(
    unit: Unit, *, key: UUID, purpose: str, token_hash: bytes, user_id: UUID | None, hours: int
) -> None:
    """Store a token that can be redeemed once within `hours`."""
    await unit.execute(
        """
        INSERT INTO one_time_tokens (id, purpose, token_hash, user_id, expires_at)
        VALUES ($1, $2, $3, $4, now() + $5 * interval '1 hour')
        """,
        key,
        purpose,
        token_hash,
        user_id,
        hours,
    )


async def redeem_one_time_token(unit: Unit, token_hash: bytes, purposes: tuple[str, ...]) -> str | None:
    """Use a token up and return its purpose, or None when it is unknown, used or expired. One statement: no race."""
    purpose: str | None = await unit.fetchval(
        """
        UPDATE one_time_tokens SET used_at = now()
        WHERE token_hash = $1 AND purpose = ANY($2) AND used_at IS NULL AND expires_at > now() RETURNING purpose
        """,
        token_hash,
        list(purposes),
    )
    return purpose


async def void_one_time_tokens(unit: Unit, purpose: str) -> None:
    """Make every unused token of `purpose` worthless."""
    await unit.execute("DELETE FROM one_time_tokens WHERE purpose = $1 AND used_at IS NULL", purpose)


async def purge_tokens(unit: Unit, *, limit: int) -> int:
    """Forget at most `limit` tokens that were used or expired more than a day ago; return how many went."""
    return await unit.execute(
        """
        DELETE FROM one_time_tokens WHERE id IN (
            SELECT id FROM one_time_tokens WHERE least(expires_at, used_at) < now() - interval '1 day'
            LIMIT $1 FOR UPDATE SKIP LOCKED
        )
        """,
        limit,
    )
