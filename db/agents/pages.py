"""Lists: an account's tasks, and the bookmarks, messages and artifacts of one task."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from typing_extensions import TypeVar

from db.agents.results import RESULT, MessageRow, ResultRow
from db.agents.rows import WHOLE, TaskRow
from db.query import Query
from db.shapes import Keyset, Shape
from db.unit import Rows

R = TypeVar("R", default=TaskRow)
# A list is always read from a place on, the first page from beyond one end: with "$2 IS NULL OR" in its place a plan
# for any values would read everything before the place as well.
_MAX_STEP, _MAX_POSITION, _MAX_ID, _MAX_UUID = 2**15 - 1, 2**31 - 1, 2**63 - 1, 2**128 - 1


class TaskSort(StrEnum):
    """What a list of tasks can be ordered by."""

    CREATED_AT = "CREATED_AT"
    UPDATED_AT = "UPDATED_AT"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFilter:
    """Which tasks; None means no condition. Units of workflows are never among them."""

    statuses: Sequence[str] | None = None
    workflows: Sequence[str] | None = None
    bookmark_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class FateRow:
    """One bookmark of one step of a task. The bookmark may be gone."""

    task_id: UUID
    step: int
    position: int
    agent: str
    bookmark_id: UUID
    status: str
    reason: str | None
    attempt: int
    finished_at: datetime | None


async def page(
    rows: Rows,
    owner_id: UUID,
    wanted: TaskFilter,
    *,
    sort: TaskSort,
    descending: bool,
    position: tuple[datetime, UUID] | None,
    limit: int,
    shape: Shape[R] = WHOLE.by_default,
) -> list[tuple[R, datetime, UUID]]:
    """Return at most `limit` tasks beyond `position`, each with its place in the order."""
    query = Query(owner_id)
    keyset = Keyset("a2a_tasks", "t", f"t.{sort.value.lower()}", descending, position, limit)
    return await keyset.page(rows, query, _conditions(query, wanted), shape)


async def count(rows: Rows, owner_id: UUID, wanted: TaskFilter) -> int:
    """Return how many tasks meet `wanted`."""
    query = Query(owner_id)
    where = " AND ".join(_conditions(query, wanted))
    return int(await rows.fetchval(f"SELECT count(*) FROM a2a_tasks t WHERE {where}", *query.arguments))


def _conditions(query: Query, wanted: TaskFilter) -> list[str]:
    conditions = [f"t.owner_id = {query.owner}", "t.parent_id IS NULL"]
    if wanted.statuses is not None:
        conditions.append(f"t.status = ANY({query.bind(list(wanted.statuses))})")
    if wanted.workflows is not None:
        conditions.append(f"t.workflow = ANY({query.bind(list(wanted.workflows))})")
    if wanted.bookmark_id is not None:
        key = query.bind(wanted.bookmark_id)
        conditions.append(f"t.id IN (SELECT item.task_id FROM a2a_task_items AS item WHERE item.bookmark_id = {key})")
    return conditions


# The caller has checked whose the task is.
async def fates_page(
    rows: Rows,
    task_id: UUID,
    *,
    statuses: Sequence[str] | None,
    agents: Sequence[str] | None,
    position: tuple[int, int] | None,
    backward: bool,
    limit: int,
) -> list[FateRow]:
    """Return at most `limit` bookmarks of the steps of a task beyond step and position; against it when `backward`."""
    compare, way = ("<", "DESC") if backward else (">", "ASC")
    step, place = position or ((_MAX_STEP, _MAX_POSITION) if backward else (-1, -1))
    found = await rows.fetch(
        f"""
        SELECT item.task_id, item.step, item.position, step.agent, item.bookmark_id, item.status, item.reason,
            item.attempt, item.finished_at
        FROM a2a_task_items AS item
        JOIN a2a_task_steps AS step ON step.task_id = item.task_id AND step.position = item.step
        WHERE item.task_id = $1 AND ($2::text[] IS NULL OR item.status = ANY($2))
            AND ($3::text[] IS NULL OR step.agent = ANY($3))
            AND (item.step, item.position) {compare} ($4::bigint, $5::bigint)
        ORDER BY item.step {way}, item.position {way} LIMIT $6
        """,
        task_id,
        None if statuses is None else list(statuses),
        None if agents is None else list(agents),
        step,
        place,
        limit,
    )
    return [FateRow(**row) for row in found]


async def count_all_fates(
    rows: Rows, task_id: UUID, *, statuses: Sequence[str] | None, agents: Sequence[str] | None
) -> int:
    """Return how many bookmarks of the steps of a task there are of these."""
    return int(
        await rows.fetchval(
            """
            SELECT count(*) FROM a2a_task_items AS item
            JOIN a2a_task_steps AS step ON step.task_id = item.task_id AND step.position = item.step
            WHERE item.task_id = $1 AND ($2::text[] IS NULL OR item.status = ANY($2))
                AND ($3::text[] IS NULL OR step.agent = ANY($3))
            """,
            task_id,
            None if statuses is None else list(statuses),
            None if agents is None else list(agents),
        )
    )


async def messages_page(
    rows: Rows, task_id: UUID, *, kinds: Sequence[str] | None, position: int | None, backward: bool, limit: int
) -> list[MessageRow]:
    """Return at most `limit` messages of a task beyond `position`, the oldest first; `backward`: the latest first."""
    compare, way = ("<", "DESC") if backward else (">", "ASC")
    found = await rows.fetch(
        f"""
        SELECT id, task_id, kind, agent, message, created_at FROM a2a_task_messages
        WHERE task_id = $1 AND ($2::text[] IS NULL OR kind = ANY($2)) AND id {compare} $3::bigint
        ORDER BY id {way} LIMIT $4
        """,
        task_id,
        None if kinds is None else list(kinds),
        position if position is not None else _MAX_ID if backward else 0,
        limit,
    )
    return [MessageRow(**row) for row in found]


async def count_messages(rows: Rows, task_id: UUID, *, kinds: Sequence[str] | None) -> int:
    """Return how many messages of a task are kept."""
    return int(
        await rows.fetchval(
            "SELECT count(*) FROM a2a_task_messages WHERE task_id = $1 AND ($2::text[] IS NULL OR kind = ANY($2))",
            task_id,
            None if kinds is None else list(kinds),
        )
    )


async def results_page(
    rows: Rows, task_id: UUID, *, position: UUID | None, backward: bool, limit: int
) -> list[ResultRow]:
    """Return at most `limit` artifacts of a task beyond `position`, the oldest first; `backward`: the latest first."""
    compare, way = ("<", "DESC") if backward else (">", "ASC")
    found = await rows.fetch(
        f"""
        SELECT {RESULT} FROM a2a_task_results WHERE task_id = $1 AND id {compare} $2
        ORDER BY id {way} LIMIT $3
        """,
        task_id,
        position or UUID(int=_MAX_UUID if backward else 0),
        limit,
    )
    return [ResultRow(**row) for row in found]


async def count_results(rows: Rows, task_id: UUID) -> int:
    """Return how many artifacts a task has."""
    return int(await rows.fetchval("SELECT count(*) FROM a2a_task_results WHERE task_id = $1", task_id))
