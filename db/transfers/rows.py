"""Where transfers stand."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from uuid import UUID

from db.unit import Rows, Unit


@dataclass(frozen=True, slots=True)
class TransferRow:
    """A transfer. `total` is how many bookmarks there were when it was asked for; `skipped` lay in the trash."""

    id: UUID
    task_id: UUID
    from_id: UUID
    to_id: UUID
    total: int
    moved: int
    merged: int
    skipped: int


_COLUMNS = ", ".join(f"f.{item.name}" for item in fields(TransferRow))
_OPEN = "('PENDING', 'RUNNING', 'PAUSED')"


async def there(unit: Unit, keys: Sequence[UUID]) -> set[UUID]:
    """Return which of these accounts are there and stay so until the transaction ends; not those being deleted."""
    found = await unit.fetch(
        "SELECT id FROM users WHERE id = ANY($1) AND deleted_at IS NULL ORDER BY id FOR SHARE", list(keys)
    )
    return {row["id"] for row in found}


async def count(rows: Rows, from_id: UUID, to_id: UUID) -> tuple[int, int]:
    """Return how many bookmarks an account has, the trash included, and how many of them the other has as well."""
    row = await rows.fetchrow(
        """
        SELECT count(*) AS total, count(t.id) AS twins FROM bookmarks s
        LEFT JOIN bookmarks t ON t.owner_id = $2 AND t.url_key = s.url_key WHERE s.owner_id = $1
        """,
        from_id,
        to_id,
    )
    assert row is not None  # noqa: S101  an aggregate is one row
    return row["total"], row["twins"]


async def is_busy(rows: Rows, keys: Sequence[UUID]) -> bool:
    """Tell whether a transfer from or to one of these accounts goes on."""
    return bool(
        await rows.fetchval(
            f"""
            SELECT EXISTS (SELECT FROM transfers f JOIN a2a_tasks t ON t.id = f.task_id
                WHERE (f.from_id = ANY($1) OR f.to_id = ANY($1)) AND t.status IN {_OPEN})
            """,
            list(keys),
        )
    )


async def insert(unit: Unit, *, key: UUID, task_id: UUID, from_id: UUID, to_id: UUID, total: int) -> None:
    """Add a transfer that has not begun."""
    await unit.execute(
        "INSERT INTO transfers (id, task_id, from_id, to_id, total) VALUES ($1, $2, $3, $4, $5)",
        key,
        task_id,
        from_id,
        to_id,
        total,
    )


async def by_id(rows: Rows, key: UUID) -> TransferRow | None:
    """Return a transfer by its key."""
    row = await rows.fetchrow(f"SELECT {_COLUMNS} FROM transfers f WHERE f.id = $1", key)
    return TransferRow(*row) if row else None


async def by_task(rows: Rows, task_id: UUID) -> TransferRow | None:
    """Return the transfer that a task does."""
    row = await rows.fetchrow(f"SELECT {_COLUMNS} FROM transfers f WHERE f.task_id = $1", task_id)
    return TransferRow(*row) if row else None


async def advance(unit: Unit, key: UUID, *, moved: int, merged: int, skipped: int) -> TransferRow:
    """Count what a piece did. An end that was written down before the task was tried again counts no more."""
    row = await unit.fetchrow(
        f"""
        UPDATE transfers f SET moved = moved + $2, merged = merged + $3, skipped = skipped + $4, ended_at = NULL
        WHERE id = $1 RETURNING {_COLUMNS}
        """,
        key,
        moved,
        merged,
        skipped,
    )
    return TransferRow(*row)  # type: ignore[misc]  # the row is locked with its task


async def stopped(unit: Unit, *, limit: int) -> list[tuple[TransferRow, UUID, str]]:
    """Return transfers that have failed or were cancelled, whose end is not written down: with actor and status."""
    found = await unit.fetch(
        f"""
        SELECT t.owner_id, t.status, {_COLUMNS} FROM transfers f JOIN a2a_tasks t ON t.id = f.task_id
        WHERE f.ended_at IS NULL AND t.status NOT IN {_OPEN} ORDER BY f.created_at LIMIT $1
        FOR UPDATE OF f SKIP LOCKED
        """,
        limit,
    )
    return [(TransferRow(*list(row)[2:]), row["owner_id"], row["status"]) for row in found]


async def end(unit: Unit, key: UUID) -> None:
    """Note that the end of a transfer is written down."""
    await unit.execute("UPDATE transfers SET ended_at = now() WHERE id = $1", key)
