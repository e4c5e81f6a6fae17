"""Tasks as rows: the work itself, who holds it, and until when.

A worker may write for a task only while the row names it as `lease_owner` with the same `fence`. Every statement here
that a worker runs checks both and tells whether the row was still its own. Time is the database's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from db.unit import Rows, Unit

CHANNEL = "graphmark_work"
_PERIODIC_LOCK = 0x7065_7264
_COLUMNS = """
    id, owner_id, workflow, kind, status, priority, payload, payload_version, attempt, max_attempts, fence, lease_owner,
    lease_until, run_after, progress, current_step, total_steps, error, created_at, started_at, finished_at, updated_at
"""
_RETURNING = "RETURNING " + ", ".join(f"task.{name.strip()}" for name in _COLUMNS.split(","))
_CLAIMABLE = """
    task.status IN ('PENDING', 'RUNNING') AND task.run_after <= clock_timestamp()
    AND (task.lease_until IS NULL OR task.lease_until <= clock_timestamp())
    AND EXISTS (
        SELECT FROM unnest({kinds}::text[], {versions}::int[]) AS known (kind, version)
        WHERE known.kind = task.kind AND task.payload_version <= known.version
    )
"""
_MINE = "task.id = $1 AND task.lease_owner = $2 AND task.fence = $3"


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One piece of work. `progress` is 0 to 1; `attempt` counts the starts since it last got on."""

    id: UUID
    owner_id: UUID
    workflow: str
    kind: str
    status: str
    priority: int
    payload: dict[str, Any]
    payload_version: int
    attempt: int
    max_attempts: int
    fence: int
    lease_owner: UUID | None
    lease_until: datetime | None
    run_after: datetime
    progress: float
    current_step: str | None
    total_steps: int | None
    error: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write for a task: valid while its row says the same."""

    task_id: UUID
    holder: UUID
    fence: int


def lease_of(task: TaskRow) -> Lease:
    """Return the lease under which a task was just claimed."""
    if task.lease_owner is None:
        raise ValueError("nobody holds this task")
    return Lease(task.id, task.lease_owner, task.fence)


async def insert(
    unit: Unit,
    *,
    key: UUID,
    owner_id: UUID,
    workflow: str,
    kind: str,
    payload: Mapping[str, Any],
    payload_version: int,
    max_attempts: int,
    priority: int = 0,
    total_steps: int | None = None,
) -> TaskRow:
    """Add a task that is due now."""
    row = await unit.fetchrow(
        f"""
        INSERT INTO a2a_tasks
            (id, owner_id, workflow, kind, payload, payload_version, max_attempts, priority, total_steps)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING {_COLUMNS}
        """,
        key,
        owner_id,
        workflow,
        kind,
        dict(payload),
        payload_version,
        max_attempts,
        priority,
        total_steps,
    )
    return TaskRow(**row)  # type: ignore[arg-type]  # an INSERT that returns always gives a row


async def by_id(rows: Rows, owner_id: UUID, key: UUID) -> TaskRow | None:
    """Return one of the owner's tasks or None."""
    return _task(
        await rows.fetchrow(f"SELECT {_COLUMNS} FROM a2a_tasks WHERE owner_id = $1 AND id = $2", owner_id, key)
    )


async def by_ids(rows: Rows, owner_id: UUID, keys: list[UUID]) -> list[TaskRow]:
    """Return those of `keys` that are the owner's, in no order."""
    found = await rows.fetch(f"SELECT {_COLUMNS} FROM a2a_tasks WHERE owner_id = $1 AND id = ANY($2)", owner_id, keys)
    return [TaskRow(**row) for row in found]


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
), chosen AS (
    SELECT task.id FROM a2a_tasks AS task JOIN heads USING (id)
    WHERE {_CLAIMABLE.format(kinds="$3", versions="$4")}
    ORDER BY heads.priority DESC, heads.running, heads.run_after LIMIT 1 FOR UPDATE OF task SKIP LOCKED
)
UPDATE a2a_tasks AS task
SET status = 'RUNNING', lease_owner = $1, lease_until = clock_timestamp() + $2 * interval '1 second',
    fence = task.fence + 1, attempt = task.attempt + 1,
    started_at = coalesce(task.started_at, now()), updated_at = now()
FROM chosen WHERE task.id = chosen.id {_RETURNING}
"""


async def claim(unit: Unit, holder: UUID, *, lease_seconds: float, kinds: Mapping[str, int]) -> TaskRow | None:
    """Take the next due task of the given `kinds` (name to newest payload version), or None.

    Higher priority first; among equals the owner with the fewest running tasks, then who has waited longest. A task
    of another kind or of a newer version is left for a worker that knows it. The attempt is counted here, so that a
    task which kills its worker counts too.
    """
    return _task(await unit.fetchrow(_CLAIM, holder, lease_seconds, list(kinds), list(kinds.values())))


async def renew(rows: Rows, lease: Lease, *, lease_seconds: float) -> bool:
    """Prolong a lease; False when it was lost."""
    return bool(
        await rows.execute(
            f"""
            UPDATE a2a_tasks AS task SET lease_until = clock_timestamp() + $4 * interval '1 second'
            WHERE {_MINE} AND task.status = 'RUNNING'
            """,
            lease.task_id,
            lease.holder,
            lease.fence,
            lease_seconds,
        )
    )


async def step(
    unit: Unit, lease: Lease, *, lease_seconds: float, progress: float, current_step: str | None
) -> TaskRow | None:
    """Note that the task got on, and prolong its lease; None when the lease was lost. Progress never goes back."""
    row = await unit.fetchrow(
        f"""
        UPDATE a2a_tasks AS task
        SET lease_until = clock_timestamp() + $4 * interval '1 second', attempt = least(task.attempt, 1),
            progress = greatest(task.progress, $5), current_step = $6, error = NULL, updated_at = now()
        WHERE {_MINE} AND task.status = 'RUNNING' {_RETURNING}
        """,
        lease.task_id,
        lease.holder,
        lease.fence,
        lease_seconds,
        progress,
        current_step,
    )
    return _task(row)


async def finish(unit: Unit, lease: Lease, *, status: str, error: str | None) -> TaskRow | None:
    """End a task as `COMPLETED` or `FAILED`; None when the lease was lost."""
    row = await unit.fetchrow(
        f"""
        UPDATE a2a_tasks AS task
        SET status = $4, error = $5, progress = CASE WHEN $4 = 'COMPLETED' THEN 1 ELSE task.progress END,
            lease_owner = NULL, lease_until = NULL, finished_at = now(), updated_at = now()
        WHERE {_MINE} AND task.status = 'RUNNING' {_RETURNING}
        """,
        lease.task_id,
        lease.holder,
        lease.fence,
        status,
        error,
    )
    return _task(row)


async def give_back(
    unit: Unit, lease: Lease, *, delay_seconds: float, error: str | None, uncount: bool
) -> TaskRow | None:
    """Let go of a task that is to be tried again after `delay_seconds`; None when the lease was lost.

    `uncount` takes the attempt back: the task did nothing wrong.
    """
    row = await unit.fetchrow(
        f"""
        UPDATE a2a_tasks AS task
        SET status = 'PENDING', lease_owner = NULL, lease_until = NULL, error = $5,
            run_after = clock_timestamp() + $4 * interval '1 second',
            attempt = task.attempt - CASE WHEN $6 THEN 1 ELSE 0 END, updated_at = now()
        WHERE {_MINE} AND task.status = 'RUNNING' {_RETURNING}
        """,
        lease.task_id,
        lease.holder,
        lease.fence,
        delay_seconds,
        error,
        uncount,
    )
    return _task(row)


async def redirect(unit: Unit, owner_id: UUID, key: UUID, *, status: str, allowed: tuple[str, ...]) -> TaskRow | None:
    """Set the status on the owner's behalf if it is one of `allowed`, else None.

    Takes the lease away: whoever holds the task finds at its next write that it does not.
    """
    row = await unit.fetchrow(
        f"""
        UPDATE a2a_tasks AS task
        SET status = $3, lease_owner = NULL, lease_until = NULL, run_after = clock_timestamp(), updated_at = now(),
            attempt = CASE WHEN $3 = 'PENDING' THEN 0 ELSE task.attempt END,
            error = CASE WHEN $3 = 'PENDING' THEN NULL ELSE task.error END,
            finished_at = CASE WHEN $3 = 'CANCELLED' THEN now() END
        WHERE task.owner_id = $1 AND task.id = $2 AND task.status = ANY($4) {_RETURNING}
        """,
        owner_id,
        key,
        status,
        list(allowed),
    )
    return _task(row)


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


async def dead(rows: Rows, *, limit: int) -> list[TaskRow]:
    """Return at most `limit` failed tasks of all owners, the latest first: the dead letters."""
    found = await rows.fetch(
        f"SELECT {_COLUMNS} FROM a2a_tasks WHERE status = 'FAILED' ORDER BY finished_at DESC, id DESC LIMIT $1", limit
    )
    return [TaskRow(**row) for row in found]


def _task(row: Any) -> TaskRow | None:
    return TaskRow(**row) if row else None


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
