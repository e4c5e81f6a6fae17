"""Who gets which task, who is rung for it, and who runs the periodic jobs."""

from collections.abc import Mapping
from uuid import UUID

from db.agents.rows import RETURNING, TaskRow, task_in
from db.unit import Rows, Unit

CHANNEL = "graphmark_work"
_PERIODIC_LOCK = 0x7065_7264
_CLAIMABLE = """
    task.status IN ('PENDING', 'RUNNING') AND task.run_after <= clock_timestamp()
    AND (task.lease_until IS NULL OR task.lease_until <= clock_timestamp())
    AND EXISTS (
        SELECT FROM unnest({kinds}::text[], {versions}::int[]) AS known (kind, version)
        WHERE known.kind = task.kind AND task.payload_version <= known.version
    )
"""

# One candidate list per owner keeps the cost independent of how much one of them has waiting: the recursive part
# hops from owner to owner along the index, the lateral part takes the heads of each.
_CLAIM = f"""
WITH RECURSIVE waiting (owner_id) AS (
    (SELECT owner_id FROM a2a_tasks WHERE status IN ('PENDING', 'RUNNING') ORDER BY owner_id LIMIT 1)
    UNION ALL
    SELECT (
        SELECT task.owner_id FROM a2a_tasks AS task
        WHERE task.status IN ('PENDING', 'RUNNING') AND task.owner_id > waiting.owner_id
        ORDER BY task.owner_id LIMIT 1
    ) FROM waiting WHERE waiting.owner_id IS NOT NULL
), busy AS (
    SELECT owner_id, count(*) AS running FROM a2a_tasks
    WHERE status = 'RUNNING' AND lease_until > clock_timestamp() GROUP BY owner_id
), heads AS (
    SELECT head.id, head.priority, head.run_after, coalesce(busy.running, 0) AS running
    FROM waiting LEFT JOIN busy USING (owner_id) CROSS JOIN LATERAL (
        SELECT task.id, task.priority, task.run_after FROM a2a_tasks AS task
        WHERE task.owner_id = waiting.owner_id AND {_CLAIMABLE.format(kinds="$3", versions="$4")}
        ORDER BY task.priority DESC, task.run_after LIMIT 16
    ) AS head
    WHERE NOT $5 OR busy.running IS NULL
), chosen AS (
    SELECT task.id FROM a2a_tasks AS task JOIN heads USING (id)
    WHERE {_CLAIMABLE.format(kinds="$3", versions="$4")}
    ORDER BY heads.priority DESC, heads.running, heads.run_after LIMIT 1 FOR UPDATE OF task SKIP LOCKED
)
UPDATE a2a_tasks AS task
SET status = 'RUNNING', lease_owner = $1, lease_until = clock_timestamp() + $2 * interval '1 second',
    fence = task.fence + 1, attempt = task.attempt + 1,
    started_at = coalesce(task.started_at, now()), updated_at = now()
FROM chosen WHERE task.id = chosen.id {RETURNING}
"""


async def claim(
    unit: Unit, holder: UUID, *, lease_seconds: float, kinds: Mapping[str, int], only_of_idle: bool = False
) -> TaskRow | None:
    """Take the next due task of the given `kinds` (name to newest payload version), or None.

    Higher priority first; among equals the owner with the fewest running tasks, then who has waited longest. A task
    of another kind or of a newer version is left for a worker that knows it. With `only_of_idle` only owners of whom
    nothing runs get one. The attempt is counted here, so that a task which kills its worker counts too.
    """
    return task_in(await unit.fetchrow(_CLAIM, holder, lease_seconds, list(kinds), list(kinds.values()), only_of_idle))


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


async def is_crowded(rows: Rows, owner_id: UUID, *, kinds: Mapping[str, int]) -> bool:
    """Tell whether somebody with fewer running tasks than `owner_id` has a due one that nobody runs."""
    return bool(
        await rows.fetchval(
            f"""
            WITH busy AS (
                SELECT owner_id, count(*) AS running FROM a2a_tasks
                WHERE status = 'RUNNING' AND lease_until > clock_timestamp() GROUP BY owner_id
            )
            SELECT EXISTS (
                SELECT FROM a2a_tasks AS task LEFT JOIN busy USING (owner_id)
                WHERE {_CLAIMABLE.format(kinds="$2", versions="$3")}
                AND coalesce(busy.running, 0) < (SELECT running FROM busy WHERE owner_id = $1)
            )
            """,
            owner_id,
            list(kinds),
            list(kinds.values()),
        )
    )


async def ring(rows: Rows) -> None:
    """Wake the workers that listen. The notification says only that there is work: the rows are the truth."""
    await rows.execute(f"NOTIFY {CHANNEL}")


async def take_slot(unit: Unit, name: str, *, every_seconds: int) -> bool:
    """Take the present time slot of a periodic job until the transaction ends; False when somebody took it.

    A slot is given back when the transaction rolls back. Slots are counted by the database's clock.
    """
    if not await unit.fetchval("SELECT pg_try_advisory_xact_lock($1, hashtext($2))", _PERIODIC_LOCK, name):
        return False
    return bool(
        await unit.fetchval(
            """
            INSERT INTO periodic_runs AS last (name, slot)
            VALUES ($1, floor(extract(epoch FROM clock_timestamp()) / $2)::bigint)
            ON CONFLICT (name) DO UPDATE SET slot = excluded.slot, ran_at = now() WHERE last.slot < excluded.slot
            RETURNING true
            """,
            name,
            every_seconds,
        )
    )
