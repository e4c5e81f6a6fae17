"""Steering the units of a workflow together with it. Units are locked before the workflow's own row, as they do it.

What their workers have in hand is taken from them without a fault: see db.agents.items.
"""

from uuid import UUID

from db.agents.rows import RETURNING, TaskRow, task_in
from db.unit import Unit

_SET = """
UPDATE a2a_tasks SET status = $2, lease_owner = NULL, lease_until = NULL, updated_at = now(),
    finished_at = CASE WHEN $2 = 'CANCELLED' THEN now() END
WHERE parent_id = $1 AND status IN ('PENDING', 'RUNNING', 'PAUSED') AND status <> $2
"""


async def pause_units(unit: Unit, task_id: UUID) -> None:
    """Stop every unit of a workflow, to go on later; their workers find out at their next write."""
    await unit.execute(_SET, task_id, "PAUSED")


async def cancel_units(unit: Unit, task_id: UUID) -> None:
    """Stop every unit of a workflow for good, and its steps that have not ended."""
    await unit.execute(_SET, task_id, "CANCELLED")


async def cancel_steps(unit: Unit, task_id: UUID) -> None:
    """End the steps of a workflow that have not ended."""
    await unit.execute(
        """
        UPDATE a2a_task_steps SET status = 'CANCELLED', finished_at = now()
        WHERE task_id = $1 AND status IN ('PENDING', 'RUNNING')
        """,
        task_id,
    )


async def resume_units(unit: Unit, task_id: UUID) -> None:
    """Let the paused units of a workflow go on."""
    await unit.execute(
        """
        UPDATE a2a_tasks SET status = 'PENDING', attempt = 0, run_after = clock_timestamp(), updated_at = now()
        WHERE parent_id = $1 AND status = 'PAUSED'
        """,
        task_id,
    )


async def reopen(unit: Unit, owner_id: UUID, task_id: UUID) -> TaskRow | None:
    """Let a workflow that has ended go on with its failed items, from the first step that has work left.

    None when it has not ended or there is nothing left to do. Later steps take what succeeds this time.
    """
    held = await unit.fetchval(
        """
        SELECT true FROM a2a_tasks WHERE owner_id = $1 AND id = $2 AND status IN ('FAILED', 'COMPLETED')
        FOR NO KEY UPDATE
        """,
        owner_id,
        task_id,
    )
    first = await unit.fetchval(
        """
        SELECT min(position) FROM a2a_task_steps
        WHERE task_id = $1 AND (failed > 0 OR status NOT IN ('COMPLETED', 'SKIPPED'))
        """,
        task_id,
    )
    if not held or first is None:
        return None
    await unit.execute(
        """
        UPDATE a2a_task_items SET status = 'PENDING', attempt = 0, in_hand = false, reason = NULL, run_after = NULL,
            data = NULL, result_id = NULL, finished_at = NULL
        WHERE task_id = $1 AND step >= $2 AND status = 'FAILED'
        """,
        task_id,
        first,
    )
    await unit.execute(
        """
        UPDATE a2a_task_steps SET status = 'PENDING', failed = 0, open_units = 0, planned_to = 0, is_planned = false,
            is_gathered = position = 0 AND is_gathered, finished_at = NULL,
            source_cursor = CASE WHEN position = 0 THEN source_cursor END
        WHERE task_id = $1 AND position >= $2
        """,
        task_id,
        first,
    )
    return task_in(
        await unit.fetchrow(
            f"""
            UPDATE a2a_tasks AS task SET status = 'PENDING', step = $2::smallint, attempt = 0, error = NULL,
                current_step = NULL,
                progress = least(task.progress, $2::smallint::real / greatest(task.total_steps, 1)),
                finished_at = NULL, run_after = clock_timestamp(), updated_at = now(),
                current_agent = (SELECT agent FROM a2a_task_steps WHERE task_id = $1 AND position = $2::smallint)
            WHERE task.id = $1 {RETURNING}
            """,
            task_id,
            first,
        )
    )
