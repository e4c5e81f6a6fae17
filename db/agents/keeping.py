"""How long tasks are kept, and dead letters: what failed for good, to be looked at and tried again."""

from uuid import UUID

from db.unit import Rows, Unit

Key = tuple[UUID, UUID]
"""Whose a task is, and its id."""


async def purge(unit: Unit, *, older_than_days: int, limit: int) -> int:
    """Remove at most `limit` tasks that ended so long ago, with all that belongs to them; return how many.

    Those of imports stay as long as the import does.
    """
    return await unit.execute(
        """
        DELETE FROM a2a_tasks WHERE id IN (
            SELECT task.id FROM a2a_tasks AS task
            WHERE task.parent_id IS NULL AND task.finished_at < now() - $1 * interval '1 day'
                AND NOT EXISTS (SELECT FROM imports i WHERE i.task_id = task.id OR i.undo_task_id = task.id)
            ORDER BY task.finished_at LIMIT $2 FOR UPDATE SKIP LOCKED
        )
        """,
        older_than_days,
        limit,
    )


async def with_failures(rows: Rows, *, agent: str | None, limit: int) -> list[Key]:
    """Return at most `limit` tasks of all owners that ended with something failed in them, the latest first."""
    found = await rows.fetch(
        """
        SELECT task.id, task.owner_id FROM a2a_tasks AS task
        WHERE task.parent_id IS NULL AND task.status IN ('FAILED', 'COMPLETED') AND (
            task.status = 'FAILED' AND $1::text IS NULL OR EXISTS (
                SELECT FROM a2a_task_steps AS step
                WHERE step.task_id = task.id AND step.failed > 0 AND ($1::text IS NULL OR step.agent = $1)
            )
        )
        ORDER BY task.finished_at DESC, task.id DESC LIMIT $2
        """,
        agent,
        limit,
    )
    return [(row["owner_id"], row["id"]) for row in found]
