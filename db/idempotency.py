"""Keys by which a client marks a request, so that a retry finds what the first attempt made."""

from dataclasses import dataclass
from uuid import UUID

from db.unit import Unit


@dataclass(frozen=True, slots=True)
class UsedKey:
    """What a key was used for: the operation, a hash of its input, and the object that it made."""

    operation: str
    request_hash: bytes
    subject_id: UUID


async def take(
    unit: Unit, owner_id: UUID, key: str, *, operation: str, request_hash: bytes, subject_id: UUID, hours: int
) -> UsedKey | None:
    """Take `key` for a request, or return what it was used for in the last `hours`.

    A transaction that took the same key and has not ended is waited for: if it rolls back, the key is free.
    """
    taken = await unit.fetchval(
        """
        INSERT INTO idempotency_keys AS kept (owner_id, key, operation, request_hash, subject_id)
        VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (owner_id, key) DO UPDATE
        SET operation = excluded.operation, request_hash = excluded.request_hash,
            subject_id = excluded.subject_id, created_at = now()
        WHERE kept.created_at < now() - $6 * interval '1 hour'
        RETURNING true
        """,
        owner_id,
        key,
        operation,
        request_hash,
        subject_id,
        hours,
    )
    if taken:
        return None
    row = await unit.fetchrow(
        "SELECT operation, request_hash, subject_id FROM idempotency_keys WHERE owner_id = $1 AND key = $2",
        owner_id,
        key,
    )
    if row is None:
        raise RuntimeError("an idempotency key was purged while it was in use")
    return UsedKey(**row)


async def purge(unit: Unit, *, older_than_hours: int, limit: int) -> int:
    """Forget at most `limit` keys older than `older_than_hours`; return how many."""
    return await unit.execute(
        """
        DELETE FROM idempotency_keys WHERE (owner_id, key) IN (
            SELECT owner_id, key FROM idempotency_keys WHERE created_at < now() - $1 * interval '1 hour'
            LIMIT $2 FOR UPDATE SKIP LOCKED
        )
        """,
        older_than_hours,
        limit,
    )
