"""The second factor of an account: an authenticator app, and recovery codes in its place.

What may be used once is used up by one statement, so that of two who come at the same moment one is too late.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from db.unit import Rows, Unit


@dataclass(frozen=True, slots=True)
class FactorState:
    """What an account has. `codes_left` counts recovery codes that have not been used."""

    is_enabled: bool = False
    codes_left: int = 0


async def put_pending_factor(unit: Unit, user_id: UUID, secret: bytes) -> bool:
    """Store a sealed secret that does not count yet, in place of an earlier one; False when the factor is on."""
    return bool(
        await unit.execute(
            """
            INSERT INTO totp_factors (user_id, secret) VALUES ($1, $2)
            ON CONFLICT (user_id) DO UPDATE SET secret = excluded.secret, created_at = now(), last_step = 0
            WHERE totp_factors.confirmed_at IS NULL
            """,
            user_id,
            secret,
        )
    )


async def pending_secret(unit: Unit, user_id: UUID, *, minutes: int) -> bytes | None:
    """Return the sealed secret that was stored in the last `minutes` and is not confirmed; hold it until the end."""
    secret: bytes | None = await unit.fetchval(
        """
        SELECT secret FROM totp_factors
        WHERE user_id = $1 AND confirmed_at IS NULL AND created_at > now() - $2 * interval '1 minute' FOR UPDATE
        """,
        user_id,
        minutes,
    )
    return secret


async def confirm_factor(unit: Unit, user_id: UUID, step: int) -> bool:
    """Let the pending secret count from now on; `step` and all before it are used up. False when there is none."""
    return bool(
        await unit.execute(
            """
            UPDATE totp_factors SET confirmed_at = now(), last_step = $2
            WHERE user_id = $1 AND confirmed_at IS NULL
            """,
            user_id,
            step,
        )
    )


async def factor_secret(rows: Rows, user_id: UUID) -> bytes | None:
    """Return the sealed secret of the account's factor, or None when it has none that counts."""
    secret: bytes | None = await rows.fetchval(
        "SELECT secret FROM totp_factors WHERE user_id = $1 AND confirmed_at IS NOT NULL", user_id
    )
    return secret


async def any_factor_secret(rows: Rows) -> tuple[UUID, bytes] | None:
    """Return some account's factor and whose it is, or None: to see whether the secret key still opens it."""
    row = await rows.fetchrow("SELECT user_id, secret FROM totp_factors WHERE confirmed_at IS NOT NULL LIMIT 1")
    return (row["user_id"], row["secret"]) if row else None


async def take_step(unit: Unit, user_id: UUID, step: int) -> bool:
    """Use up a step of time and all before it; False when it was used up already (OWASP ASVS 5.0, 6.5.1)."""
    return bool(
        await unit.execute(
            """
            UPDATE totp_factors SET last_step = $2
            WHERE user_id = $1 AND confirmed_at IS NOT NULL AND last_step < $2
            """,
            user_id,
            step,
        )
    )


async def remove_factor(unit: Unit, user_id: UUID) -> bool:
    """Forget the factor with all that leans on it: codes, challenges, trusted devices. False when there was none."""
    for table in ("recovery_codes", "login_challenges", "trusted_devices"):
        await unit.execute(f"DELETE FROM {table} WHERE user_id = $1", user_id)
    return bool(await unit.execute("DELETE FROM totp_factors WHERE user_id = $1", user_id))


async def put_recovery_codes(unit: Unit, user_id: UUID, hashes: Sequence[bytes]) -> None:
    """Store new codes in place of all earlier ones."""
    await unit.execute("DELETE FROM recovery_codes WHERE user_id = $1", user_id)
    await unit.execute(
        "INSERT INTO recovery_codes (user_id, code_hash) SELECT $1, unnest($2::bytea[])", user_id, list(hashes)
    )


async def take_recovery_code(unit: Unit, user_id: UUID, code_hash: bytes) -> bool:
    """Use up a code of an account whose factor is on; False when it is unknown or was used."""
    return bool(
        await unit.execute(
            """
            DELETE FROM recovery_codes WHERE user_id = $1 AND code_hash = $2
            AND EXISTS (SELECT FROM totp_factors WHERE user_id = $1 AND confirmed_at IS NOT NULL)
            """,
            user_id,
            code_hash,
        )
    )


async def factor_states(rows: Rows, user_ids: Sequence[UUID]) -> dict[UUID, FactorState]:
    """Return what each of these accounts has; one that has nothing may be missing."""
    found = await rows.fetch(
        """
        SELECT user_id, (SELECT count(*) FROM recovery_codes c WHERE c.user_id = t.user_id) AS codes_left
        FROM totp_factors t WHERE user_id = ANY($1) AND confirmed_at IS NOT NULL
        """,
        list(user_ids),
    )
    return {row["user_id"]: FactorState(is_enabled=True, codes_left=row["codes_left"]) for row in found}
