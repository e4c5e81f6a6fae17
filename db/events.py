"""The outbox: what happened, in the order in which it became true, one sequence per owner without gaps.

Writing takes the owner's counter row and keeps it until the transaction ends. So the numbers of one owner become
visible in their order, and a reader that has seen `n` will never find a smaller number later. That is the property
that a plain identity column lacks. Write events last in a transaction: nobody of the same owner can pass meanwhile.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from db.unit import Rows, Unit

CHANNEL = "graphmark_events"


@dataclass(frozen=True, slots=True)
class EventRow:
    """One thing that happened to the data of `owner_id`."""

    owner_id: UUID
    seq: int
    topic: str
    subject_id: UUID | None
    payload: dict[str, Any]
    created_at: datetime


# Counters are locked in the order of their owners, by everybody: whoever writes for several waits for nobody in turn.
_APPEND = """
WITH draft AS (
    SELECT owner_id, topic, subject_id, payload, count(*) OVER (PARTITION BY owner_id) AS drafts,
        row_number() OVER (PARTITION BY owner_id ORDER BY position) AS nth
    FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::jsonb[]) WITH ORDINALITY
        AS draft (owner_id, topic, subject_id, payload, position)
), counter AS (
    INSERT INTO event_counters AS kept (owner_id, seq)
    SELECT owner_id, count(*) FROM draft GROUP BY owner_id ORDER BY owner_id
    ON CONFLICT (owner_id) DO UPDATE SET seq = kept.seq + excluded.seq
    RETURNING owner_id, seq
), written AS (
    INSERT INTO events (owner_id, seq, topic, subject_id, payload)
    SELECT owner_id, counter.seq - draft.drafts + draft.nth, draft.topic, draft.subject_id, draft.payload
    FROM draft JOIN counter USING (owner_id)
)
SELECT pg_notify('graphmark_events', owner_id::text) FROM counter
"""


async def append(
    unit: Unit,
    owner_ids: Sequence[UUID],
    topics: Sequence[str],
    subjects: Sequence[UUID | None],
    payloads: Sequence[Any],
) -> None:
    """Write events, each with its owner; those of one owner in this order. Readers are woken by the commit."""
    await unit.execute(_APPEND, owner_ids, topics, subjects, payloads)


async def after(
    rows: Rows, owner_id: UUID, topic: str, seq: int, *, subject_id: UUID | None = None, limit: int
) -> list[EventRow]:
    """Return at most `limit` events of `topic` after `seq`, oldest first; only of `subject_id` when it is given."""
    found = await rows.fetch(
        """
        SELECT owner_id, seq, topic, subject_id, payload, created_at FROM events
        WHERE owner_id = $1 AND topic = $2 AND seq > $3 AND ($4::uuid IS NULL OR subject_id = $4)
        ORDER BY seq LIMIT $5
        """,
        owner_id,
        topic,
        seq,
        subject_id,
        limit,
    )
    return [EventRow(**row) for row in found]


@dataclass(frozen=True, slots=True)
class Page:
    """Some events, and the last number that retention removed and the last one written when they were read."""

    events: list[EventRow]
    pruned: int
    latest: int


async def page(rows: Rows, owner_id: UUID, topic: str, seq: int, *, subject_id: UUID | None = None, limit: int) -> Page:
    """Return what `after` and `horizon` do, seen at one moment: with `pruned` above `seq` events may be missing."""
    found = await rows.fetch(
        """
        SELECT $1 AS owner_id, coalesce(counter.pruned_seq, 0) AS pruned, coalesce(counter.seq, 0) AS latest,
            event.seq, event.topic, event.subject_id, event.payload, event.created_at
        FROM (SELECT $1::uuid AS owner_id) AS owner
        LEFT JOIN event_counters AS counter ON counter.owner_id = owner.owner_id
        LEFT JOIN LATERAL (
            SELECT seq, topic, subject_id, payload, created_at FROM events
            WHERE owner_id = $1 AND topic = $2 AND seq > $3 AND ($4::uuid IS NULL OR subject_id = $4)
            ORDER BY seq LIMIT $5
        ) AS event ON true
        ORDER BY event.seq
        """,
        owner_id,
        topic,
        seq,
        subject_id,
        limit,
    )
    events = [
        EventRow(owner_id, row["seq"], row["topic"], row["subject_id"], row["payload"], row["created_at"])
        for row in found
        if row["seq"] is not None
    ]
    return Page(events, found[0]["pruned"], found[0]["latest"])


async def horizon(rows: Rows, owner_id: UUID) -> tuple[int, int]:
    """Return `(pruned, latest)`: the last number that retention removed, and the last one written. Zero when none."""
    row = await rows.fetchrow("SELECT pruned_seq, seq FROM event_counters WHERE owner_id = $1", owner_id)
    return (row["pruned_seq"], row["seq"]) if row else (0, 0)


async def prune(unit: Unit, *, older_than_hours: int, limit: int) -> int:
    """Remove at most `limit` events older than `older_than_hours`; return how many went.

    The owner's horizon moves along, so that a reader with an older cursor is told to read afresh.
    """
    return int(
        await unit.fetchval(
            """
            WITH old AS (
                SELECT owner_id, seq FROM events WHERE created_at < now() - $1 * interval '1 hour'
                ORDER BY created_at, seq LIMIT $2 FOR UPDATE SKIP LOCKED
            ), gone AS (
                DELETE FROM events USING old WHERE events.owner_id = old.owner_id AND events.seq = old.seq
                RETURNING events.owner_id, events.seq
            ), moved AS (
                UPDATE event_counters SET pruned_seq = greatest(pruned_seq, latest.seq)
                FROM (SELECT owner_id, max(seq) AS seq FROM gone GROUP BY owner_id) AS latest
                WHERE event_counters.owner_id = latest.owner_id
            )
            SELECT count(*) FROM gone
            """,
            older_than_hours,
            limit,
        )
    )
