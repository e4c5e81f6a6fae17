"""Messages on their way out, as rows: written with the change that they tell of, sent by whoever takes them up.

Whoever takes a message up has it until its `due_at`. What became of it is written only by the one that took it up last:
`attempt` is the fence. Time is the database's.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db.unit import Rows, Unit


@dataclass(frozen=True, slots=True)
class MessageRow:
    """A message that was taken up, for the `attempt`th time. `is_expired` tells that nobody needs it any more."""

    id: UUID
    kind: str
    recipient: str
    sealed: bytes
    attempt: int
    is_expired: bool
    created_at: datetime


async def insert(
    unit: Unit, *, key: UUID, user_id: UUID | None, kind: str, recipient: str, sealed: bytes, minutes: int
) -> None:
    """Add a message that is due now and of use for `minutes`."""
    await unit.execute(
        """
        INSERT INTO mail_messages (id, user_id, kind, recipient, sealed, expires_at)
        VALUES ($1, $2, $3, $4, $5, now() + $6 * interval '1 minute')
        """,
        key,
        user_id,
        kind,
        recipient,
        sealed,
        minutes,
    )


async def count_recent(rows: Rows, user_id: UUID, *, hours: int) -> int:
    """Return how many messages were written to an account in the last `hours`."""
    return int(
        await rows.fetchval(
            "SELECT count(*) FROM mail_messages WHERE user_id = $1 AND created_at > now() - $2 * interval '1 hour'",
            user_id,
            hours,
        )
    )


async def was_written(rows: Rows, user_id: UUID, *, kind: str, hours: int) -> bool:
    """Tell whether a message of a kind was written to an account in the last `hours`."""
    return bool(
        await rows.fetchval(
            """
            SELECT EXISTS (
                SELECT FROM mail_messages
                WHERE user_id = $1 AND kind = $2 AND created_at > now() - $3 * interval '1 hour'
            )
            """,
            user_id,
            kind,
            hours,
        )
    )


async def take(rows: Rows, *, limit: int, lease_seconds: float) -> list[MessageRow]:
    """Take up at most `limit` messages that are due, the longest due first, for `lease_seconds`."""
    found = await rows.fetch(
        """
        UPDATE mail_messages AS message
        SET attempt = attempt + 1, due_at = clock_timestamp() + $2 * interval '1 second'
        FROM (
            SELECT id FROM mail_messages WHERE state = 'WAITING' AND due_at <= clock_timestamp()
            ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED
        ) AS due
        WHERE message.id = due.id
        RETURNING message.id, kind, recipient, sealed, attempt, expires_at <= clock_timestamp() AS is_expired,
            created_at
        """,
        limit,
        lease_seconds,
    )
    return sorted((MessageRow(**row) for row in found), key=lambda message: message.id)


async def finish(rows: Rows, message: MessageRow, *, error: str | None) -> bool:
    """Note that a message was sent, or given up for a reason, and forget what it said. False when it was not ours."""
    return bool(
        await rows.execute(
            """
            UPDATE mail_messages
            SET state = CASE WHEN $3::text IS NULL THEN 'SENT' ELSE 'FAILED' END, error = $3, sealed = NULL,
                finished_at = clock_timestamp()
            WHERE id = $1 AND attempt = $2 AND state = 'WAITING'
            """,
            message.id,
            message.attempt,
            error,
        )
    )


async def postpone(
    rows: Rows, message: MessageRow, *, seconds: float, error: str | None, uncount: bool = False
) -> bool:
    """Let go of a message that is to be tried again after `seconds`. False when it was not ours.

    `uncount` takes the attempt back: it was not made.
    """
    return bool(
        await rows.execute(
            """
            UPDATE mail_messages
            SET due_at = clock_timestamp() + $3 * interval '1 second', error = $4,
                attempt = attempt - CASE WHEN $5 THEN 1 ELSE 0 END
            WHERE id = $1 AND attempt = $2 AND state = 'WAITING'
            """,
            message.id,
            message.attempt,
            seconds,
            error,
            uncount,
        )
    )


@dataclass(frozen=True, slots=True)
class Tally:
    """How many messages wait, how many were given up lately, and why the last of these was."""

    waiting: int
    failed: int
    error: str | None


async def tally(rows: Rows) -> Tally:
    """Return what there is to say of messages; sent ones are of no interest."""
    row = await rows.fetchrow(
        """
        SELECT count(*) FILTER (WHERE state = 'WAITING') AS waiting, count(*) FILTER (WHERE state = 'FAILED') AS failed,
            (SELECT error FROM mail_messages WHERE error IS NOT NULL ORDER BY due_at DESC LIMIT 1) AS error
        FROM mail_messages
        """
    )
    assert row is not None  # noqa: S101  an aggregate always gives a row
    return Tally(**row)


async def purge(unit: Unit, *, older_than_days: int, limit: int) -> int:
    """Forget at most `limit` messages that were sent or given up so many days ago; return how many went."""
    return await unit.execute(
        """
        DELETE FROM mail_messages WHERE id IN (
            SELECT id FROM mail_messages WHERE finished_at < now() - $1 * interval '1 day'
            LIMIT $2 FOR UPDATE SKIP LOCKED
        )
        """,
        older_than_days,
        limit,
    )
