"""Who gets which task, who is rung for it, and who runs the periodic jobs."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import cast
from uuid import UUID

from db.agents.rows import RETURNING, TaskRow
from db.unit import Rows, Unit

CHANNEL = "graphmark_work"
CLAIM_MOST = 16
"""Tasks of one owner, kind and priority that one claim may take."""
_PERIODIC_LOCK = 0x7065_7264
_CLAIM_LOCK = 0x636C_6169
_DUE = """
    task.status IN ('PENDING', 'RUNNING') AND task.run_after <= clock_timestamp()
    AND (task.lease_until IS NULL OR task.lease_until <= clock_timestamp())
"""

# One list of candidates for each owner, kind and priority keeps the cost independent of how much one of them has
# waiting: the recursive part hops from list to list along the index, the lateral part takes the heads of each.
# `room` is how many more tasks of a kind may run, of all workers together; NULL is any number.
_WAITING = """
RECURSIVE known AS (
    SELECT known.kind, known.version, agent.rate_per_minute,
        CASE WHEN agent.is_paused OR agent.rate_per_minute IS NOT NULL AND agent.rate_next_at > clock_timestamp() THEN 0
            WHEN agent.rate_per_minute IS NOT NULL THEN least(1, agent.concurrency - coalesce(busy.running, 0))
            ELSE agent.concurrency - coalesce(busy.running, 0) END AS room
    FROM unnest({kinds}::text[], {versions}::int[]) AS known (kind, version)
    LEFT JOIN agent_registrations AS agent USING (kind)
    LEFT JOIN (
        SELECT kind, count(*) AS running FROM a2a_tasks
        WHERE status = 'RUNNING' AND lease_until > clock_timestamp() GROUP BY kind
    ) AS busy USING (kind)
), waiting (owner_id, kind, priority) AS (
    (
        SELECT owner_id, kind, priority FROM a2a_tasks WHERE status IN ('PENDING', 'RUNNING')
        ORDER BY owner_id, kind, priority LIMIT 1
    )
    UNION ALL
    SELECT next.owner_id, next.kind, next.priority FROM waiting CROSS JOIN LATERAL (
        SELECT task.owner_id, task.kind, task.priority FROM a2a_tasks AS task
        WHERE task.status IN ('PENDING', 'RUNNING')
            AND (task.owner_id, task.kind, task.priority) > (waiting.owner_id, waiting.kind, waiting.priority)
        ORDER BY task.owner_id, task.kind, task.priority LIMIT 1
    ) AS next
), busy AS (
    SELECT owner_id, count(*) AS running FROM a2a_tasks
    WHERE status = 'RUNNING' AND lease_until > clock_timestamp() GROUP BY owner_id
)"""

# Of one owner's tasks each further one is worth what the next owner's first is: several claimed at once are shared
# out as they would be one by one. A seat is a free slot: `$6` of them may be taken by anybody, the others of the `$7`
# only by the first task of an owner of whom nothing runs. Brief ones go beyond the seats.
_CLAIM = f"""
WITH {_WAITING.format(kinds="$3", versions="$4")}, heads AS (
    SELECT head.id, head.kind, head.priority, head.run_after, known.room,
        known.kind = ANY($5) AND head.attempt = 0 AND known.room IS NULL AS is_brief,
        coalesce(busy.running, 0) + row_number() OVER (
            PARTITION BY waiting.owner_id ORDER BY head.priority DESC, head.run_after, head.id
        ) AS turn
    FROM waiting JOIN known USING (kind) LEFT JOIN busy USING (owner_id) CROSS JOIN LATERAL (
        SELECT task.id, task.kind, task.priority, task.run_after, task.attempt FROM a2a_tasks AS task
        WHERE (task.owner_id, task.kind, task.priority) = (waiting.owner_id, waiting.kind, waiting.priority)
            AND {_DUE} AND task.payload_version <= known.version
        ORDER BY task.run_after LIMIT {CLAIM_MOST}
    ) AS head
    WHERE (known.room IS NULL OR known.room > 0) AND ($6 > 0 OR busy.running IS NULL OR known.kind = ANY($5))
), placed AS (
    SELECT *, row_number() OVER (PARTITION BY kind ORDER BY priority DESC, turn, run_after, id) AS place FROM heads
), ranked AS (
    SELECT *, row_number() OVER (ORDER BY priority DESC, turn, run_after, id) AS rank
    FROM placed WHERE room IS NULL OR place <= room
), seated AS (
    SELECT *, rank <= $6 OR turn = 1 AS may_sit,
        count(*) FILTER (WHERE rank <= $6 OR turn = 1) OVER (ORDER BY rank) AS seat
    FROM ranked
), chosen AS (
    SELECT task.id FROM a2a_tasks AS task JOIN seated USING (id)
    WHERE {_DUE} AND (seated.may_sit AND seated.seat <= $7 OR seated.is_brief)
    ORDER BY seated.rank LIMIT $8 FOR UPDATE OF task SKIP LOCKED
), taken AS (
    UPDATE a2a_tasks AS task
    SET status = 'RUNNING', lease_owner = $1, lease_until = clock_timestamp() + $2 * interval '1 second',
        fence = task.fence + 1, attempt = task.attempt + 1,
        started_at = coalesce(task.started_at, now()), updated_at = now()
    FROM chosen WHERE task.id = chosen.id {RETURNING}
), paced AS (
    UPDATE agent_registrations AS agent
    SET rate_next_at = greatest(agent.rate_next_at, clock_timestamp())
        + coalesce(taken.open_items, 1) * interval '1 minute' / agent.rate_per_minute
    FROM taken WHERE agent.kind = taken.kind AND agent.rate_per_minute IS NOT NULL
)
SELECT taken.* FROM taken JOIN seated USING (id) ORDER BY seated.rank
"""

# A task of a kind for which there is no room now helps nobody who waits for it, except when this one makes the room.
_IS_CROWDED = f"""
WITH {_WAITING.format(kinds="$3", versions="$4")}
SELECT EXISTS (
    SELECT FROM waiting JOIN known USING (kind) LEFT JOIN busy USING (owner_id)
    WHERE coalesce(busy.running, 0) < (SELECT running FROM busy WHERE owner_id = $1)
    AND (known.room IS NULL OR known.room > 0 OR known.kind = $2)
    AND NOT EXISTS (SELECT FROM agent_registrations AS agent WHERE agent.kind = known.kind AND agent.is_paused)
    AND EXISTS (
        SELECT FROM a2a_tasks AS task
        WHERE (task.owner_id, task.kind, task.priority) = (waiting.owner_id, waiting.kind, waiting.priority)
            AND {_DUE} AND task.payload_version <= known.version
    )
)
"""


async def claim(
    unit: Unit,
    holder: UUID,
    *,
    lease_seconds: float,
    kinds: Mapping[str, int],
    limit: int = 1,
    reserved: int = 0,
    brief: Sequence[str] = (),
    ahead: int = 0,
) -> list[TaskRow]:
    """Take at most `limit` due tasks of the given `kinds` (name to newest payload version), the most urgent first.

    Higher priority first; among equals the owner with the fewest running tasks, then who has waited longest. A task
    of another kind or of a newer version is left for a worker that knows it, and so is one of an agent that is paused
    or at one of its limits. The last `reserved` of them go only to owners of whom nothing runs. Up to `ahead` more are
    taken of the kinds that are `brief`, if they have no limits and the task was never tried. The attempt is counted
    here, so that a task which kills its worker counts too.
    """
    # One claim at a time: two that count the running tasks of an agent at once would both take its last place.
    await unit.execute("SELECT pg_advisory_xact_lock($1)", _CLAIM_LOCK)
    found = await unit.fetch(
        _CLAIM,
        holder,
        lease_seconds,
        list(kinds),
        list(kinds.values()),
        list(brief) if ahead else [],
        limit - reserved,
        limit,
        limit + ahead,
    )
    return [TaskRow(**row) for row in found]


async def end_frozen(rows: Rows, *, seconds: float) -> int:
    """End the transactions of workers that have kept PostgreSQL waiting in one for `seconds`; return how many.

    A process that is frozen in the middle of a COPY holds its locks for ever: no timeout of PostgreSQL reaches a
    backend that reads from its client, only its end does.
    """
    return int(
        await rows.fetchval(
            """
            SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
            WHERE datname = current_database() AND usename = current_user AND application_name = 'graphmark-worker'
                AND pid <> pg_backend_pid() AND wait_event = 'ClientRead'
                AND xact_start < clock_timestamp() - $1 * interval '1 second'
            """,
            seconds,
        )
    )


async def count_due(rows: Rows, *, limit: int) -> int:
    """Return how many tasks could be claimed now by a worker that knows them, counting no further than `limit`."""
    return int(
        await rows.fetchval(
            """
            SELECT count(*) FROM (
                SELECT FROM a2a_tasks WHERE status IN ('PENDING', 'RUNNING') AND run_after <= clock_timestamp()
                AND (lease_until IS NULL OR lease_until <= clock_timestamp()) LIMIT $1
            ) AS due
            """,
            limit,
        )
    )


async def is_crowded(rows: Rows, owner_id: UUID, kind: str, *, kinds: Mapping[str, int]) -> bool:
    """Tell whether somebody with fewer running tasks than `owner_id` waits for what a task of `kind` would free."""
    return bool(await rows.fetchval(_IS_CROWDED, owner_id, kind, list(kinds), list(kinds.values())))


async def ring(rows: Rows) -> None:
    """Wake the workers that listen. The notification says only that there is work: the rows are the truth."""
    await rows.execute(f"NOTIFY {CHANNEL}")


async def clock(rows: Rows) -> datetime:
    """Return the database's time: the one clock that all schedulers go by."""
    return cast("datetime", await rows.fetchval("SELECT clock_timestamp()"))


async def take_slot(unit: Unit, name: str, *, begins_at: datetime, is_first_past: bool = False) -> bool:
    """Take a periodic job's slot that began at a time, in whole seconds; False when it, or a later one, was taken.

    The slot is taken until the transaction ends, and given back when it rolls back. With `is_first_past` the first slot
    that is ever asked for counts as taken.
    """
    if not await unit.fetchval("SELECT pg_try_advisory_xact_lock($1, hashtext($2))", _PERIODIC_LOCK, name):
        return False
    return bool(
        await unit.fetchval(
            """
            INSERT INTO periodic_runs AS last (name, slot)
            VALUES ($1, $2)
            ON CONFLICT (name) DO UPDATE SET slot = excluded.slot, ran_at = now() WHERE last.slot < excluded.slot
            RETURNING last.xmax <> 0 OR NOT $3  -- a row that was there before has been locked to be changed
            """,
            name,
            int(begins_at.timestamp()),
            is_first_past,
        )
    )
