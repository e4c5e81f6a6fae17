"""Imports: what was asked, how far it got, what it counted."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from db.unit import Rows, Unit

_COLUMNS = """
    i.id, i.owner_id, i.task_id, i.upload_id, t.status, i.format, i.file_name, i.file_size_bytes, i.options, i.total,
    i.next_row, i.created, i.merged, i.skipped, i.errors, t.progress, t.error, i.created_at, t.started_at,
    t.finished_at, i.undo_task_id, i.undo_next_row, i.removed, i.restored, i.kept, i.undone_at
"""
_FROM = "imports AS i JOIN a2a_tasks AS t ON t.id = i.task_id"


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

    @property
    def processed(self) -> int:
        """Rows that have met their fate."""
        return self.created + self.merged + self.skipped + self.errors


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
    found = await by_ids(rows, owner_id, [key])
    return found[0] if found else None


async def lock(unit: Unit, owner_id: UUID, key: UUID) -> None:
    """Let nobody write or steer one of the owner's imports until the transaction ends. Its task is locked later."""
    await unit.execute("SELECT FROM imports WHERE owner_id = $1 AND id = $2 FOR NO KEY UPDATE", owner_id, key)


async def by_ids(rows: Rows, owner_id: UUID, keys: list[UUID]) -> list[ImportRow]:
    """Return those of `keys` that are the owner's, in no order."""
    found = await rows.fetch(f"SELECT {_COLUMNS} FROM {_FROM} WHERE i.owner_id = $1 AND i.id = ANY($2)", owner_id, keys)
    return [ImportRow(**row) for row in found]


async def by_task(rows: Rows, owner_id: UUID, task_id: UUID) -> ImportRow | None:
    """Return the import that a task does or undoes, or None."""
    row = await rows.fetchrow(
        f"SELECT {_COLUMNS} FROM {_FROM} WHERE i.owner_id = $1 AND (i.task_id = $2 OR i.undo_task_id = $2)",
        owner_id,
        task_id,
    )
    return ImportRow(**row) if row else None


async def snapshot(rows: Rows, owner_id: UUID, key: UUID) -> tuple[ImportRow, int] | None:
    """Return an import and the number of its owner's last event, as they were at one moment."""
    row = await rows.fetchrow(
        f"""
        SELECT {_COLUMNS}, coalesce((SELECT seq FROM event_counters WHERE owner_id = i.owner_id), 0) AS seq
        FROM {_FROM} WHERE i.owner_id = $1 AND i.id = $2
        """,
        owner_id,
        key,
    )
    if row is None:
        return None
    values = dict(row)
    seq = values.pop("seq")
    return ImportRow(**values), seq


async def page(
    rows: Rows, owner_id: UUID, *, statuses: list[str] | None, position: UUID | None, backward: bool, limit: int
) -> list[ImportRow]:
    """Return at most `limit` imports beyond `position`, newest first; against that order when `backward`."""
    compare, direction = (">", "ASC") if backward else ("<", "DESC")
    found = await rows.fetch(
        f"""
        SELECT {_COLUMNS} FROM {_FROM}
        WHERE i.owner_id = $1 AND ($2::text[] IS NULL OR t.status = ANY($2))
            AND ($3::uuid IS NULL OR i.id {compare} $3)
        ORDER BY i.id {direction} LIMIT $4
        """,
        owner_id,
        statuses,
        position,
        limit,
    )
    return [ImportRow(**row) for row in found]


async def count(rows: Rows, owner_id: UUID, *, statuses: list[str] | None) -> int:
    """Return how many imports the owner has, of the given statuses or of all."""
    return int(
        await rows.fetchval(
            f"SELECT count(*) FROM {_FROM} WHERE i.owner_id = $1 AND ($2::text[] IS NULL OR t.status = ANY($2))",
            owner_id,
            statuses,
        )
    )


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


_START_LOCK = 0x696D_7074
