"""Imports: what was asked, how far it got, what it counted."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from typing_extensions import TypeVar

from db import agents
from db.query import Query
from db.shapes import Kind, One, Shape, Source, Value, Whole, by_keys
from db.tables import imports as tables
from db.unit import Rows, Unit

_TASK = "JOIN a2a_tasks AS {row}_task ON {row}_task.id = {row}.task_id AND {row}_task.owner_id = {owner}"
_COMPUTED = {
    "status": Value("{row}_task.status", Kind.TEXT),
    "progress": Value("{row}_task.progress", Kind.OTHER),
    "error": Value("{row}_task.error", Kind.TEXT, is_nullable=True),
    "started_at": Value("{row}_task.started_at", Kind.TIME, is_nullable=True),
    "finished_at": Value("{row}_task.finished_at", Kind.TIME, is_nullable=True),
    "processed": Value("({row}.created + {row}.merged + {row}.skipped + {row}.errors)", Kind.INTEGER),
}
SOURCE = Source(table=tables.Import, joins=_TASK, computed=_COMPUTED)
TASK = One(agents.SOURCE, needs=("task_id",), key="task_id")
"""The task that does an import."""
UNDO_TASK = One(agents.SOURCE, needs=("undo_task_id",), key="undo_task_id")
"""The task that takes an import back."""
WORKFLOW = One(agents.SOURCE, needs=("workflow_task_id",), key="workflow_task_id")
"""The workflow on what an import made or met."""


@dataclass(frozen=True, slots=True)
class ImportRow:
    """One import of one file. `total` is None until the file has been counted; `next_row` is the first row to write."""

    id: UUID
    owner_id: UUID
    task_id: UUID
    upload_id: UUID
    status: str
    format: str
    file_name: str
    file_size_bytes: int
    options: dict[str, Any]
    total: int | None
    next_row: int
    created: int
    merged: int
    skipped: int
    errors: int
    progress: float
    error: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    undo_task_id: UUID | None
    undo_next_row: int
    removed: int
    restored: int
    kept: int
    undone_at: datetime | None
    workflow_task_id: UUID | None

    @property
    def processed(self) -> int:
        """Rows that have met their fate."""
        return self.created + self.merged + self.skipped + self.errors


R = TypeVar("R", default=ImportRow)
WHOLE = Whole(ImportRow, joined=tuple((name, fact.template) for name, fact in _COMPUTED.items() if name != "processed"))


async def insert(
    unit: Unit,
    *,
    key: UUID,
    owner_id: UUID,
    task_id: UUID,
    upload_id: UUID,
    source_format: str,
    file_name: str,
    file_size_bytes: int,
    options: dict[str, Any],
) -> ImportRow:
    """Add an import that waits for its task."""
    await unit.execute(
        """
        INSERT INTO imports (id, owner_id, task_id, upload_id, format, file_name, file_size_bytes, options)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        """,
        key,
        owner_id,
        task_id,
        upload_id,
        source_format,
        file_name,
        file_size_bytes,
        options,
    )
    made = await by_id(unit, owner_id, key)
    if made is None:
        raise RuntimeError("an import vanished while it was made")
    return made


async def by_id(rows: Rows, owner_id: UUID, key: UUID) -> ImportRow | None:
    """Return one of the owner's imports or None."""
    found = await by_keys(rows, SOURCE, owner_id, [key], WHOLE)
    return found[0][1] if found else None


async def lock(unit: Unit, owner_id: UUID, key: UUID) -> None:
    """Let nobody write or steer one of the owner's imports until the transaction ends. Its task is locked later."""
    await unit.execute("SELECT FROM imports WHERE owner_id = $1 AND id = $2 FOR NO KEY UPDATE", owner_id, key)


async def by_task(rows: Rows, owner_id: UUID, task_id: UUID) -> ImportRow | None:
    """Return the import that a task does or undoes, or None."""
    query = Query(owner_id)
    task = query.bind(task_id)
    sql = f"{_select(query, WHOLE)} AND (i.task_id = {task} OR i.undo_task_id = {task})"
    row = await rows.fetchrow(sql, *query.arguments)
    return WHOLE.row(row) if row else None


async def snapshot(rows: Rows, owner_id: UUID, key: UUID) -> tuple[ImportRow, int] | None:
    """Return an import and the number of its owner's last event, as they were at one moment."""
    query = Query(owner_id)
    seq = ", coalesce((SELECT seq FROM event_counters WHERE owner_id = i.owner_id), 0) AS seq"
    sql = f"{_select(query, WHOLE, seq)} AND i.id = {query.bind(key)}"
    row = await rows.fetchrow(sql, *query.arguments)
    return (WHOLE.row(row), row["seq"]) if row else None


async def page(
    rows: Rows,
    owner_id: UUID,
    *,
    statuses: list[str] | None,
    position: UUID | None,
    backward: bool,
    limit: int,
    shape: Shape[R] = WHOLE.by_default,
) -> list[tuple[R, UUID]]:
    """Return at most `limit` imports beyond `position`, each with its key, newest first; `backward`: oldest first."""
    query = Query(owner_id)
    conditions = _of_status(query, statuses)
    if position is not None:
        conditions += f" AND i.id {'>' if backward else '<'} {query.bind(position)}"
    found = await rows.fetch(
        f"{_select(query, shape, ', i.id AS sort_id')}{conditions} "
        f"ORDER BY i.id {'ASC' if backward else 'DESC'} LIMIT {int(limit)}",
        *query.arguments,
    )
    return [(shape.row(row), row["sort_id"]) for row in found]


async def count(rows: Rows, owner_id: UUID, *, statuses: list[str] | None) -> int:
    """Return how many imports the owner has, of the given statuses or of all."""
    query = Query(owner_id)
    owned, conditions = SOURCE.owned(query, "i"), _of_status(query, statuses)
    sql = f"SELECT count(*) FROM {SOURCE.tables(query, 'i')} WHERE {owned}{conditions}"
    return int(await rows.fetchval(sql, *query.arguments))


async def open_count(unit: Unit, owner_id: UUID) -> int:
    """Return how many imports of the owner wait or run. Of two transactions that ask, one waits for the other."""
    await unit.execute("SELECT pg_advisory_xact_lock($1, hashtext($2::text))", _START_LOCK, str(owner_id))
    return await count(unit, owner_id, statuses=["PENDING", "RUNNING"])


async def advance(
    unit: Unit, key: UUID, *, next_row: int, created: int, merged: int, skipped: int, errors: int, total: int | None
) -> None:
    """Add what a chunk counted and move the cursor. `total` is set when it is not None."""
    await unit.execute(
        """
        UPDATE imports SET next_row = $2, created = created + $3, merged = merged + $4, skipped = skipped + $5,
            errors = errors + $6, total = coalesce($7, total) WHERE id = $1
        """,
        key,
        next_row,
        created,
        merged,
        skipped,
        errors,
        total,
    )


async def settle_total(unit: Unit, task_id: UUID) -> None:
    """Let `total` be what was processed: the import of this task has ended, no further row will meet a fate."""
    await unit.execute("UPDATE imports SET total = created + merged + skipped + errors WHERE task_id = $1", task_id)


async def set_workflow(unit: Unit, key: UUID, task_id: UUID) -> None:
    """Note the workflow that goes on with what an import made or met."""
    await unit.execute("UPDATE imports SET workflow_task_id = $2 WHERE id = $1", key, task_id)


_START_LOCK = 0x696D_7074


def _select(query: Query, shape: Shape[Any], more: str = "") -> str:
    """Return the beginning of a statement that reads the owner's imports, with `more` columns; it ends in WHERE."""
    tables, owned = SOURCE.tables(query, "i"), SOURCE.owned(query, "i")
    return f"SELECT {shape.columns(query, 'i')}{more} FROM {tables} WHERE {owned}"


def _of_status(query: Query, statuses: list[str] | None) -> str:
    return "" if statuses is None else f" AND i_task.status = ANY({query.bind(statuses)})"
