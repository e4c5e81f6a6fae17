"""What is redeemed by a link in a mail: it proves that somebody reads the mailbox of an account.

Such a token belongs to an account and to a fact about it, its `bound_to`: the link for a new password to the password
and the address that the account had, the link that confirms an address to the address. When the fact has changed the
token is worth nothing.
"""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from db.unit import Rows, Unit

RESET: Final = "PASSWORD_RESET"
VERIFICATION: Final = "EMAIL_VERIFICATION"
LOCKED_OUT: Final = "LOCKED_OUT"
_FACTS: Final = {
    RESET: "sha256(convert_to(coalesce(users.password_hash, '') || ' ' || users.email_key, 'UTF8'))",
    VERIFICATION: "sha256(convert_to(users.email_key, 'UTF8'))",
}

_CONDITION: Final = """
    token.token_hash = $1 AND token.purpose = $2 AND token.used_at IS NULL AND token.expires_at > now()
    AND users.id = token.user_id AND users.disabled_at IS NULL AND token.bound_to = {fact}
"""


async def insert_mailed_token(
    unit: Unit, *, key: UUID, purpose: str, token_hash: bytes, user_id: UUID, minutes: int
) -> None:
    """Store a token of an account that can be redeemed once within `minutes`; earlier ones of the purpose are void."""
    await unit.execute(
        "DELETE FROM one_time_tokens WHERE user_id = $1 AND purpose = $2 AND used_at IS NULL", user_id, purpose
    )
    await unit.execute(
        f"""
        INSERT INTO one_time_tokens (id, purpose, token_hash, user_id, expires_at, bound_to)
        SELECT $1, $2, $3, users.id, now() + $5 * interval '1 minute', {_FACTS[purpose]} FROM users WHERE users.id = $4
        """,
        key,
        purpose,
        token_hash,
        user_id,
        minutes,
    )


async def owner_of_mailed_token(rows: Rows, token_hash: bytes, purpose: str) -> UUID | None:
    """Return whose token this is while it can be redeemed, or None."""
    condition = _CONDITION.format(fact=_FACTS[purpose])
    owner: UUID | None = await rows.fetchval(
        f"SELECT users.id FROM one_time_tokens AS token, users WHERE {condition}", token_hash, purpose
    )
    return owner


async def redeem_mailed_token(unit: Unit, token_hash: bytes, purpose: str) -> UUID | None:
    """Use a token up and return whose it is, or None when it cannot be redeemed. One statement: no race."""
    owner: UUID | None = await unit.fetchval(
        f"""
        UPDATE one_time_tokens AS token SET used_at = now() FROM users
        WHERE {_CONDITION.format(fact=_FACTS[purpose])} RETURNING token.user_id
        """,
        token_hash,
        purpose,
    )
    return owner


@dataclass(frozen=True, slots=True)
class MailRequest:
    """An account is to be written to that has this address, if there is one. `kind` is `RESET` or `LOCKED_OUT`."""

    id: UUID
    kind: str
    email_key: str
    network_address: str
    user_agent: str


async def insert_mail_request(rows: Rows, request: MailRequest) -> None:
    """Write a request down; one of the same kind for the same address that waits is enough."""
    await rows.execute(
        """
        INSERT INTO mail_requests (id, kind, email_key, network_address, user_agent) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (email_key, kind) DO NOTHING
        """,
        request.id,
        request.kind,
        request.email_key,
        request.network_address,
        request.user_agent,
    )


async def take_mail_request(unit: Unit) -> MailRequest | None:
    """Take the oldest request that nobody else is at, to be answered in this transaction; None when there is none."""
    row = await unit.fetchrow(
        """
        DELETE FROM mail_requests WHERE id = (
            SELECT id FROM mail_requests ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
        ) RETURNING id, kind, email_key, network_address, user_agent
        """
    )
    return MailRequest(**row) if row else None


async def know_device(unit: Unit, user_id: UUID, digest: bytes) -> bool:
    """Remember a device of an account; tell whether it is a new one beside others that are known."""
    had_any = await unit.fetchval("SELECT EXISTS (SELECT FROM known_devices WHERE user_id = $1)", user_id)
    is_new = await unit.fetchval(
        """
        INSERT INTO known_devices (user_id, digest) VALUES ($1, $2)
        ON CONFLICT (user_id, digest) DO UPDATE SET seen_at = now() RETURNING xmax = 0
        """,
        user_id,
        digest,
    )
    return bool(had_any and is_new)


async def forget_devices(unit: Unit, user_id: UUID) -> None:
    """Know no device of an account any more."""
    await unit.execute("DELETE FROM known_devices WHERE user_id = $1", user_id)


async def purge_devices(unit: Unit, *, days: int, limit: int) -> int:
    """Forget at most `limit` devices that were not signed in from for so many days; return how many."""
    return await unit.execute(
        """
        DELETE FROM known_devices WHERE (user_id, digest) IN (
            SELECT user_id, digest FROM known_devices WHERE seen_at < now() - $1 * interval '1 day'
            LIMIT $2 FOR UPDATE SKIP LOCKED
        )
        """,
        days,
        limit,
    )
