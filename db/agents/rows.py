"""Tasks as rows: the work itself, who holds it, and until when.

A worker may write for a task only while the row names it as `lease_owner` with the same `fence`. Every statement here
that a worker runs checks both and tells whether the row was still its own. Time is the database's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from db.shapes import Source, Whole
from db.tables.agents import Task
from db.unit import Rows, Unit

_COLUMNS = """
    id, owner_id, workflow, kind, status, priority, payload, payload_version, attempt, max_attempts, fence, lease_owner,
    lease_until, run_after, progress, current_step, total_steps, error, created_at, started_at, finished_at, updated_at,
    parent_id, step, first_item, last_item, open_items, current_agent
"""
RETURNING = "RETURNING " + ", ".join(f"task.{name.strip()}" for name in _COLUMNS.split(","))
_MINE = "task.id = $1 AND task.lease_owner = $2 AND task.fence = $3"


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One piece of work. `progress` is 0 to 1; `attempt` counts the starts since it last got on.

    A unit of a workflow has the workflow as `parent_id` and the items `first_item` to `last_item` of its `step`; of
    them `open_items` had no fate when that was last written. `step` of a workflow is the one that it is at, from 0.
    """

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
    parent_id: UUID | None
    step: int | None
    first_item: int | None
    last_item: int | None
    open_items: int | None
    current_agent: str | None


SOURCE = Source(table=Task)
WHOLE = Whole(TaskRow)


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
    step: int | None = None,
    current_agent: str | None = None,
) -> TaskRow:
    """Add a task that is due now."""
    row = await unit.fetchrow(
        f"""
        INSERT INTO a2a_tasks (id, owner_id, workflow, kind, payload, payload_version, max_attempts, priority,
            total_steps, step, current_agent)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING {_COLUMNS}
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
        step,
        current_agent,
    )
    return TaskRow(**row)  # type: ignore[arg-type]  # an INSERT that returns always gives a row


async def by_id(rows: Rows, owner_id: UUID, key: UUID) -> TaskRow | None:
    """Return one of the owner's tasks or None."""
    return task_in(
        await rows.fetchrow(f"SELECT {_COLUMNS} FROM a2a_tasks WHERE owner_id = $1 AND id = $2", owner_id, key)
    )


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
    unit: Unit,
    lease: Lease,
    *,
    lease_seconds: float,
    progress: float,
    current_step: str | None,
    open_items: int | None = None,
) -> TaskRow | None:
    """Note that the task got on, and prolong its lease; None when the lease was lost. Progress never goes back."""
    row = await unit.fetchrow(
        f"""
        UPDATE a2a_tasks AS task
        SET lease_until = clock_timestamp() + $4 * interval '1 second', attempt = least(task.attempt, 1),
            progress = greatest(task.progress, $5), current_step = $6, error = NULL, updated_at = now(),
            open_items = coalesce($7, task.open_items)
        WHERE {_MINE} AND task.status = 'RUNNING' {RETURNING}
        """,
        lease.task_id,
        lease.holder,
        lease.fence,
        lease_seconds,
        progress,
        current_step,
        open_items,
    )
    return task_in(row)


async def finish(unit: Unit, lease: Lease, *, status: str, error: str | None) -> TaskRow | None:
    """End a task as `COMPLETED` or `FAILED`; None when the lease was lost."""
    row = await unit.fetchrow(
        f"""
        UPDATE a2a_tasks AS task
        SET status = $4, error = $5, progress = CASE WHEN $4 = 'COMPLETED' THEN 1 ELSE task.progress END,
            lease_owner = NULL, lease_until = NULL, finished_at = now(), updated_at = now()
        WHERE {_MINE} AND task.status = 'RUNNING' {RETURNING}
        """,
        lease.task_id,
        lease.holder,
        lease.fence,
        status,
        error,
    )
    return task_in(row)


async def finish_together(
    unit: Unit, leases: Sequence[Lease], statuses: Sequence[str], errors: Sequence[str | None]
) -> list[TaskRow]:
    """Do as `finish` for several tasks; return those whose lease was not lost, in the order of their ids."""
    found = await unit.fetch(
        f"""
        WITH ended AS (
            SELECT mine.status, mine.error, task.id FROM a2a_tasks AS task
            JOIN unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::text[])
                AS mine (id, lease_owner, fence, status, error) USING (id, lease_owner, fence)
            WHERE task.status = 'RUNNING' ORDER BY task.id FOR NO KEY UPDATE OF task
        ), written AS (
            UPDATE a2a_tasks AS task
            SET status = ended.status, error = ended.error,
                progress = CASE WHEN ended.status = 'COMPLETED' THEN 1 ELSE task.progress END,
                lease_owner = NULL, lease_until = NULL, finished_at = now(), updated_at = now()
            FROM ended WHERE task.id = ended.id {RETURNING}
        )
        SELECT * FROM written ORDER BY id
        """,
        [lease.task_id for lease in leases],
        [lease.holder for lease in leases],
        [lease.fence for lease in leases],
        list(statuses),
        list(errors),
    )
    return [TaskRow(**row) for row in found]


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
        WHERE {_MINE} AND task.status = 'RUNNING' {RETURNING}
        """,
        lease.task_id,
        lease.holder,
        lease.fence,
        delay_seconds,
        error,
        uncount,
    )
    return task_in(row)


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
        WHERE task.owner_id = $1 AND task.id = $2 AND task.status = ANY($4) {RETURNING}
        """,
        owner_id,
        key,
        status,
        list(allowed),
    )
    return task_in(row)


async def park(unit: Unit, lease: Lease, *, progress: float, current_step: str | None) -> TaskRow | None:
    """Let go of a task that goes on when it is woken; it counts as running. None when the lease was lost."""
    row = await unit.fetchrow(
        f"""
        UPDATE a2a_tasks AS task
        SET lease_owner = NULL, lease_until = NULL, run_after = 'infinity', attempt = 0, error = NULL,
            progress = greatest(task.progress, $4), current_step = $5, updated_at = now()
        WHERE {_MINE} AND task.status = 'RUNNING' {RETURNING}
        """,
        lease.task_id,
        lease.holder,
        lease.fence,
        progress,
        current_step,
    )
    return task_in(row)


async def dead(rows: Rows, *, limit: int) -> list[TaskRow]:
    """Return at most `limit` failed tasks of all owners, units left out, the latest first: the dead letters."""
    found = await rows.fetch(
        f"""
        SELECT {_COLUMNS} FROM a2a_tasks WHERE status = 'FAILED' AND parent_id IS NULL
        ORDER BY finished_at DESC, id DESC LIMIT $1
        """,
        limit,
    )
    return [TaskRow(**row) for row in found]


def task_in(row: Any) -> TaskRow | None:
    """Return the task in a record, None for no record."""
    return TaskRow(**row) if row else None
