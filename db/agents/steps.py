"""The steps of a workflow: which bookmarks each takes, which units do them, and how many have met their fate.

Transactions lock in this order: items, the unit's own row, the step, the workflow's row, the owner's events.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db.agents.rows import RETURNING, TaskRow, task_in
from db.unit import Rows, Unit

_COLUMNS = """
    task_id, position, agent, status, source_cursor, is_gathered, planned_to, is_planned, open_units, total, done,
    failed, skipped, started_at, finished_at
"""
_OPEN = "('PENDING', 'RUNNING', 'PAUSED')"
# A step counts when it is wholly planned: before, nobody knows of how much its first items are a part.
_SHARE = """
    SELECT coalesce(avg(CASE WHEN status IN ('COMPLETED', 'FAILED', 'SKIPPED') THEN 1
        WHEN is_planned AND total > 0 THEN (done + failed + skipped)::real / total ELSE 0 END), 0)
    FROM a2a_task_steps WHERE task_id = {task}
"""


@dataclass(frozen=True, slots=True)
class StepRow:
    """One step: an agent and the items that it is given.

    `is_gathered`: all its items are there. `planned_to` is the last item that a unit was made for; `is_planned`: all
    have one. Of the `total` items `done + failed + skipped` have met their fate.
    """

    task_id: UUID
    position: int
    agent: str
    status: str
    source_cursor: str | None
    is_gathered: bool
    planned_to: int
    is_planned: bool
    open_units: int
    total: int
    done: int
    failed: int
    skipped: int
    started_at: datetime | None
    finished_at: datetime | None


async def insert_steps(unit: Unit, task_id: UUID, agents: Sequence[str]) -> None:
    """Give a workflow its steps, in the order of `agents`."""
    await unit.execute(
        """
        INSERT INTO a2a_task_steps (task_id, position, agent)
        SELECT $1, position - 1, agent FROM unnest($2::text[]) WITH ORDINALITY AS step (agent, position)
        """,
        task_id,
        list(agents),
    )


async def steps_of(rows: Rows, task_ids: Sequence[UUID]) -> list[StepRow]:
    """Return the steps of some workflows, each workflow's in their order. The caller has checked whose they are."""
    found = await rows.fetch(
        f"SELECT {_COLUMNS} FROM a2a_task_steps WHERE task_id = ANY($1) ORDER BY task_id, position", list(task_ids)
    )
    return [StepRow(**row) for row in found]


async def steps_of_owner(rows: Rows, owner_id: UUID, task_ids: Sequence[UUID]) -> list[StepRow]:
    """Return the steps of the owner's workflows among these, each workflow's in their order."""
    found = await rows.fetch(
        f"""
        SELECT {", ".join(f"step.{name.strip()}" for name in _COLUMNS.split(","))} FROM a2a_task_steps AS step
        JOIN a2a_tasks AS task ON task.id = step.task_id
        WHERE task.owner_id = $1 AND task.id = ANY($2) ORDER BY step.task_id, step.position
        """,
        owner_id,
        list(task_ids),
    )
    return [StepRow(**row) for row in found]


async def lock_step(unit: Unit, task_id: UUID, position: int) -> StepRow | None:
    """Return one step, and keep others from changing it until the transaction ends."""
    row = await unit.fetchrow(
        f"SELECT {_COLUMNS} FROM a2a_task_steps WHERE task_id = $1 AND position = $2 FOR NO KEY UPDATE",
        task_id,
        position,
    )
    return StepRow(**row) if row else None


async def note_planned(
    unit: Unit, step: StepRow, *, cursor: str | None, is_gathered: bool, planned_to: int, is_planned: bool, units: int
) -> None:
    """Note how far the planning of a step got; `units` is how many were made just now."""
    await unit.execute(
        """
        UPDATE a2a_task_steps SET source_cursor = $3, is_gathered = $4, planned_to = $5, is_planned = $6,
            open_units = open_units + $7, status = 'RUNNING', started_at = coalesce(started_at, now())
        WHERE task_id = $1 AND position = $2
        """,
        step.task_id,
        step.position,
        cursor,
        is_gathered,
        planned_to,
        is_planned,
        units,
    )


async def count_fates(
    unit: Unit, task_id: UUID, position: int, *, total: int = 0, done: int = 0, failed: int = 0, skipped: int = 0
) -> None:
    """Add to the counters of a step."""
    await unit.execute(
        """
        UPDATE a2a_task_steps
        SET total = total + $3, done = done + $4, failed = failed + $5, skipped = skipped + $6
        WHERE task_id = $1 AND position = $2
        """,
        task_id,
        position,
        total,
        done,
        failed,
        skipped,
    )


async def close_unit(unit: Unit, task_id: UUID, position: int) -> bool:
    """Note that a unit of a step has ended; tell whether it was the last of all."""
    return bool(
        await unit.fetchval(
            """
            UPDATE a2a_task_steps SET open_units = open_units - 1 WHERE task_id = $1 AND position = $2
            RETURNING is_planned AND open_units <= 0
            """,
            task_id,
            position,
        )
    )


async def count_open_units(unit: Unit, task_id: UUID, position: int) -> int:
    """Count the units of a step that have not ended, and correct the step's own number of them."""
    return int(
        await unit.fetchval(
            f"""
            UPDATE a2a_task_steps AS step SET open_units = (
                SELECT count(*) FROM a2a_tasks WHERE parent_id = $1 AND step = $2 AND status IN {_OPEN}
            ) WHERE step.task_id = $1 AND step.position = $2 RETURNING open_units
            """,
            task_id,
            position,
        )
        or 0
    )


async def end_step(unit: Unit, task_id: UUID, position: int, *, status: str) -> None:
    """End a step."""
    await unit.execute(
        "UPDATE a2a_task_steps SET status = $3, finished_at = now() WHERE task_id = $1 AND position = $2",
        task_id,
        position,
        status,
    )


async def enter_step(unit: Unit, task_id: UUID, position: int, *, agent: str | None) -> None:
    """Note which step a workflow is at."""
    await unit.execute("UPDATE a2a_tasks SET step = $2, current_agent = $3 WHERE id = $1", task_id, position, agent)


async def insert_units(unit: Unit, workflow: TaskRow, agent: str, ranges: Sequence[tuple[int, int, int]]) -> None:
    """Add a unit for each of `ranges`: first item, last item, number of items. They are due at once."""
    await unit.execute(
        """
        INSERT INTO a2a_tasks (id, owner_id, workflow, kind, payload, payload_version, max_attempts, priority,
            parent_id, step, current_agent, first_item, last_item, open_items)
        SELECT gen_random_uuid(), $2, $3, $5, '{}', 1, $6, $7, $1, $4, $5, part.first_item, part.last_item, part.items
        FROM unnest($8::int[], $9::int[], $10::int[]) AS part (first_item, last_item, items)
        """,
        workflow.id,
        workflow.owner_id,
        workflow.workflow,
        workflow.step,
        agent,
        workflow.max_attempts,
        workflow.priority,
        [first for first, _, _ in ranges],
        [last for _, last, _ in ranges],
        [items for _, _, items in ranges],
    )


async def tell(unit: Unit, task_id: UUID, *, at_once: bool, pause_seconds: float) -> TaskRow | None:
    """Bring the progress of a running workflow up to date; None when that was done less than a pause ago.

    With `at_once` it is done in any case. So the row, which many units would write, is written a few times a second.
    """
    return task_in(
        await unit.fetchrow(
            f"""
            UPDATE a2a_tasks AS task SET progress = greatest(task.progress, ({_SHARE.format(task="$1")})),
                updated_at = clock_timestamp()
            WHERE task.id = $1 AND task.status IN ('PENDING', 'RUNNING')
                AND ($2 OR task.updated_at < clock_timestamp() - $3 * interval '1 second') {RETURNING}
            """,
            task_id,
            at_once,
            pause_seconds,
        )
    )


async def share(rows: Rows, task_id: UUID) -> float:
    """Return how much of a workflow is done, from 0 to 1."""
    return float(await rows.fetchval(_SHARE.format(task="$1"), task_id))


async def wake(unit: Unit, task_id: UUID) -> None:
    """Let a parked workflow go on."""
    await unit.execute(
        "UPDATE a2a_tasks SET run_after = clock_timestamp() WHERE id = $1 AND run_after = 'infinity'", task_id
    )


async def wake_forgotten(unit: Unit, *, kind: str, limit: int) -> int:
    """Wake parked workflows that have no open unit; return how many. There are none unless rows were lost."""
    return await unit.execute(
        f"""
        UPDATE a2a_tasks SET run_after = clock_timestamp() WHERE id IN (
            SELECT task.id FROM a2a_tasks AS task
            WHERE task.kind = $1 AND task.status = 'RUNNING' AND task.run_after = 'infinity'
                AND NOT EXISTS (
                    SELECT FROM a2a_tasks AS part WHERE part.parent_id = task.id AND part.status IN {_OPEN}
                )
            LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED
        )
        """,
        kind,
        limit,
    )
