"""Where a workflow takes its bookmarks from, in pieces: all of an account, those of an import."""

from uuid import UUID

from db.unit import Rows, Unit

NEW = "isNew"
"""What the payloads of workflows on bookmarks that were just made have: nobody who starts one can ask for it."""


async def count_open(rows: Rows, owner_id: UUID, kind: str, *, upto: int) -> int:
    """Return how many tasks of a kind of an owner have not ended, counted up to `upto`; units of workflows are none."""
    return int(
        await rows.fetchval(
            """
            SELECT count(*) FROM (
                SELECT FROM a2a_tasks
                WHERE owner_id = $1 AND kind = $2 AND parent_id IS NULL AND status IN ('PENDING', 'RUNNING', 'PAUSED')
                LIMIT $3
            ) AS open
            """,
            owner_id,
            kind,
            upto,
        )
    )


async def owned(rows: Rows, owner_id: UUID, bookmark_ids: list[UUID]) -> set[UUID]:
    """Return which of these are bookmarks of the owner outside the trash."""
    found = await rows.fetch(
        "SELECT id FROM bookmarks WHERE owner_id = $1 AND id = ANY($2) AND deleted_at IS NULL", owner_id, bookmark_ids
    )
    return {row["id"] for row in found}


async def imported(rows: Rows, owner_id: UUID, import_id: UUID, *, beyond: int, limit: int) -> list[tuple[int, UUID]]:
    """Return row number and bookmark of at most `limit` rows of an import that became or met one, after `beyond`."""
    found = await rows.fetch(
        """
        SELECT fate.row, fate.bookmark_id FROM import_rows AS fate JOIN imports i ON i.id = fate.import_id
        WHERE i.id = $1 AND i.owner_id = $2 AND fate.row > $3 AND fate.outcome IN ('CREATED', 'MERGED')
            AND fate.bookmark_id IS NOT NULL
        ORDER BY fate.row LIMIT $4
        """,
        import_id,
        owner_id,
        beyond,
        limit,
    )
    return [(row["row"], row["bookmark_id"]) for row in found]


async def lock_waiting(unit: Unit, owner_id: UUID, *, kind: str, most: int) -> tuple[UUID, int] | None:
    """Return a workflow on new bookmarks that no worker has had yet and how many it has, fewer than `most`; or None.

    No worker takes it until the transaction ends.
    """
    row = await unit.fetchrow(
        f"""
        SELECT task.id, step.total FROM a2a_tasks AS task
        JOIN a2a_task_steps AS step ON step.task_id = task.id AND step.position = 0
        WHERE task.owner_id = $1 AND task.kind = $2 AND task.status = 'PENDING' AND task.started_at IS NULL
            AND task.payload ? '{NEW}' AND step.total < $3
        LIMIT 1 FOR NO KEY UPDATE OF task SKIP LOCKED
        """,
        owner_id,
        kind,
        most,
    )
    return None if row is None else (row["id"], row["total"])
