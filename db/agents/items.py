"""The items of a step: each bookmark of each step has exactly one fate.

An item is `in_hand` from the transaction that counts its attempt to the one that writes its fate. Found so by the next
worker, it was in the hands of one that died, when the unit's own attempt says so; else of one that gave the unit back
or lost it to a pause, and then that attempt does not count.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from db.agents.rows import TaskRow
from db.unit import Rows, Unit

GONE = "The bookmark is gone."
"""Why the item of a bookmark that was removed, or moved into the trash, is skipped."""


@dataclass(frozen=True, slots=True)
class ItemRow:
    """A bookmark of a step. `wait_seconds` is how long it is still to wait; `attempt` how often it was begun."""

    position: int
    bookmark_id: UUID
    attempt: int
    in_hand: bool
    reason: str | None
    wait_seconds: float


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of an item in hand. `PENDING` puts it back, for `wait_seconds`; `uncount` takes the attempt back."""

    position: int
    status: str
    reason: str | None = None
    data: Mapping[str, Any] | None = None
    wait_seconds: float = 0
    uncount: bool = False


async def insert_items(unit: Unit, task_id: UUID, step: int, first: int, bookmark_ids: Sequence[UUID]) -> int:
    """Add bookmarks to a step, at positions from `first` on; those that it has are left out. Return how many came."""
    return await unit.execute(
        """
        INSERT INTO a2a_task_items (task_id, step, position, bookmark_id)
        SELECT $1, $2, $3 + number - 1, bookmark_id
        FROM unnest($4::uuid[]) WITH ORDINALITY AS given (bookmark_id, number)
        ON CONFLICT (bookmark_id, task_id, step) DO NOTHING
        """,
        task_id,
        step,
        first,
        list(bookmark_ids),
    )


async def copy_items(unit: Unit, task: TaskRow, step: int, *, beyond: int, limit: int) -> tuple[int, int | None]:
    """Add to `step` at most `limit` items of the step before that follow position `beyond`; they keep their positions.

    Left out are bookmarks that failed or are gone. Returns how many came, and the last position that was looked at,
    None when there was none.
    """
    row = await unit.fetchrow(
        """
        WITH source AS (
            SELECT position, bookmark_id, status FROM a2a_task_items
            WHERE task_id = $1 AND step = $2 - 1 AND position > $3 ORDER BY position LIMIT $4
        ), added AS (
            INSERT INTO a2a_task_items (task_id, step, position, bookmark_id)
            SELECT $1, $2, source.position, source.bookmark_id FROM source
            JOIN bookmarks b ON b.id = source.bookmark_id AND b.owner_id = $5 AND b.deleted_at IS NULL
            WHERE source.status IN ('DONE', 'SKIPPED')
            ON CONFLICT (bookmark_id, task_id, step) DO NOTHING RETURNING 1
        )
        SELECT (SELECT count(*) FROM added) AS added, max(position) AS reached FROM source
        """,
        task.id,
        step,
        beyond,
        limit,
        task.owner_id,
    )
    return (row["added"], row["reached"]) if row else (0, None)


async def positions_to_plan(rows: Rows, task_id: UUID, step: int, *, beyond: int, limit: int) -> list[int]:
    """Return the positions of at most `limit` items without a fate that follow `beyond`, in their order."""
    found = await rows.fetch(
        """
        SELECT position FROM a2a_task_items
        WHERE task_id = $1 AND step = $2 AND position > $3 AND status = 'PENDING' ORDER BY position LIMIT $4
        """,
        task_id,
        step,
        beyond,
        limit,
    )
    return [row["position"] for row in found]


async def pass_over(unit: Unit, task_id: UUID, step: int, *, beyond: int, upto: int, reason: str) -> int:
    """Let every item without a fate between two positions be skipped; return how many were."""
    return await unit.execute(
        """
        UPDATE a2a_task_items SET status = 'SKIPPED', reason = $5, in_hand = false, finished_at = now()
        WHERE task_id = $1 AND step = $2 AND position > $3 AND position <= $4 AND status = 'PENDING'
        """,
        task_id,
        step,
        beyond,
        upto,
        reason,
    )


async def give_up(unit: Unit, part: TaskRow, *, reason: str) -> int:
    """Let every item of a unit that has no fate fail; return how many did."""
    return await unit.execute(
        """
        UPDATE a2a_task_items SET status = 'FAILED', reason = $5, in_hand = false, finished_at = now()
        WHERE task_id = $1 AND step = $2 AND position BETWEEN $3 AND $4 AND status = 'PENDING'
        """,
        part.parent_id,
        part.step,
        part.first_item,
        part.last_item,
        reason,
    )


async def pending_of(rows: Rows, part: TaskRow) -> list[ItemRow]:
    """Return the items of a unit that have no fate yet, in their order."""
    found = await rows.fetch(
        """
        SELECT position, bookmark_id, attempt, in_hand, reason,
            greatest(0, extract(epoch FROM run_after - clock_timestamp()))::float8 AS wait_seconds
        FROM a2a_task_items
        WHERE task_id = $1 AND step = $2 AND position BETWEEN $3 AND $4 AND status = 'PENDING' ORDER BY position
        """,
        part.parent_id,
        part.step,
        part.first_item,
        part.last_item,
    )
    return [ItemRow(**{**row, "wait_seconds": row["wait_seconds"] or 0.0}) for row in found]


async def begin(unit: Unit, part: TaskRow, positions: Sequence[int], *, recount: bool) -> set[int]:
    """Take items into hand, each counts an attempt; return which. Those whose bookmark is gone are skipped.

    With `recount` an attempt that was begun and not ended is counted anew.
    """
    found = await unit.fetch(
        """
        UPDATE a2a_task_items AS item SET in_hand = there.is_there, attempt = item.attempt + there.is_there::int
                - ($6 AND item.in_hand)::int,
            status = CASE WHEN there.is_there THEN item.status ELSE 'SKIPPED' END,
            reason = CASE WHEN there.is_there THEN item.reason ELSE $5 END,
            finished_at = CASE WHEN NOT there.is_there THEN clock_timestamp() END
        FROM (
            SELECT given.position, b.id IS NOT NULL AS is_there FROM a2a_task_items AS given
            LEFT JOIN bookmarks b ON b.id = given.bookmark_id AND b.owner_id = $4 AND b.deleted_at IS NULL
            WHERE given.task_id = $1 AND given.step = $2 AND given.position = ANY($3)
        ) AS there
        WHERE item.task_id = $1 AND item.step = $2 AND item.position = there.position AND item.status = 'PENDING'
        RETURNING item.position, item.in_hand
        """,
        part.parent_id,
        part.step,
        list(positions),
        part.owner_id,
        GONE,
        recount,
    )
    return {row["position"] for row in found if row["in_hand"]}


async def settle(unit: Unit, part: TaskRow, fates: Sequence[Fate]) -> None:
    """Write what became of items in hand."""
    await unit.execute(
        """
        UPDATE a2a_task_items AS item SET status = fate.status, reason = fate.reason, data = fate.data, in_hand = false,
            attempt = item.attempt - fate.uncount::int, run_after = clock_timestamp() + fate.wait * interval '1 second',
            finished_at = CASE WHEN fate.status <> 'PENDING' THEN clock_timestamp() END
        FROM unnest($3::int[], $4::text[], $5::text[], $6::jsonb[], $7::float8[], $8::boolean[])
            AS fate (position, status, reason, data, wait, uncount)
        WHERE item.task_id = $1 AND item.step = $2 AND item.position = fate.position AND item.status = 'PENDING'
        """,
        part.parent_id,
        part.step,
        [fate.position for fate in fates],
        [fate.status for fate in fates],
        [fate.reason for fate in fates],
        [None if fate.data is None else dict(fate.data) for fate in fates],
        [fate.wait_seconds for fate in fates],
        [fate.uncount for fate in fates],
    )


async def hold(unit: Unit, owner_id: UUID, bookmark_ids: Sequence[UUID]) -> set[UUID]:
    """Return which of these are bookmarks of the owner outside the trash; they stay rows until the transaction ends."""
    found = await unit.fetch(
        """
        SELECT id FROM bookmarks WHERE owner_id = $1 AND id = ANY($2) AND deleted_at IS NULL
        ORDER BY id FOR KEY SHARE
        """,
        owner_id,
        list(bookmark_ids),
    )
    return {row["id"] for row in found}
