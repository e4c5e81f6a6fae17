"""Who an account is at an identity provider: an issuer and a subject, which never change hands."""

from uuid import UUID

from db.unit import Rows, Unit


async def user_of_identity(rows: Rows, issuer: str, subject: str) -> UUID | None:
    """Return the account of an identity, or None."""
    key: UUID | None = await rows.fetchval(
        "SELECT user_id FROM identities WHERE issuer = $1 AND subject = $2", issuer, subject
    )
    return key


async def link_identity(unit: Unit, *, key: UUID, user_id: UUID, issuer: str, subject: str) -> bool:
    """Make an identity the account's. False when it is somebody's, or the account has another one of this issuer."""
    return bool(
        await unit.execute(
            """
            INSERT INTO identities (id, user_id, issuer, subject) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING
            """,
            key,
            user_id,
            issuer,
            subject,
        )
    )


async def note_identity_use(unit: Unit, issuer: str, subject: str) -> None:
    """Remember that an identity opened its account just now."""
    await unit.execute("UPDATE identities SET last_used_at = now() WHERE issuer = $1 AND subject = $2", issuer, subject)
