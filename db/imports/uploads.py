"""Uploaded files: one row each; the file itself lies in the folder of uploads under the row's id."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db.unit import Rows, Unit

_UPLOAD_LOCK = 0x7570_6C64
_COLUMNS = "id, owner_id, file_name, size_bytes, sha256, detected_format, created_at, expires_at"


@dataclass(frozen=True, slots=True)
class UploadRow:
    """A file that was received. `file_name` is what its sender called it, for showing only."""

    id: UUID
    owner_id: UUID
    file_name: str
    size_bytes: int
    sha256: bytes
    detected_format: str
    created_at: datetime
    expires_at: datetime


async def insert_upload(
    unit: Unit,
    *,
    key: UUID,
    owner_id: UUID,
    file_name: str,
    size_bytes: int,
    sha256: bytes,
    detected_format: str,
    hours: int,
) -> UploadRow:
    """Remember a stored file for `hours`."""
    row = await unit.fetchrow(
        f"""
        INSERT INTO uploads (id, owner_id, file_name, size_bytes, sha256, detected_format, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, now() + $7 * interval '1 hour') RETURNING {_COLUMNS}
        """,
        key,
        owner_id,
        file_name,
        size_bytes,
        sha256,
        detected_format,
        hours,
    )
    return UploadRow(**row)  # type: ignore[arg-type]  # an INSERT that returns always gives a row


async def waiting_bytes(unit: Unit, owner_id: UUID) -> int:
    """Return how much the owner's unexpired uploads take up, and let nobody add to it until this transaction ends."""
    await unit.execute("SELECT pg_advisory_xact_lock(hashtextextended($1::text, $2))", str(owner_id), _UPLOAD_LOCK)
    return int(
        await unit.fetchval(
            "SELECT coalesce(sum(size_bytes), 0) FROM uploads WHERE owner_id = $1 AND expires_at > now()", owner_id
        )
    )


async def upload_by_id(rows: Rows, owner_id: UUID, key: UUID) -> UploadRow | None:
    """Return one of the owner's uploads that has not expired, or None."""
    row = await rows.fetchrow(
        f"SELECT {_COLUMNS} FROM uploads WHERE owner_id = $1 AND id = $2 AND expires_at > now()", owner_id, key
    )
    return UploadRow(**row) if row else None


async def purge_uploads(unit: Unit, *, limit: int) -> int:
    """Forget at most `limit` expired uploads that no open import needs; return how many."""
    return await unit.execute(
        """
        DELETE FROM uploads WHERE id IN (
            SELECT id FROM uploads AS u WHERE expires_at < now() AND NOT EXISTS (
                SELECT FROM imports AS i JOIN a2a_tasks AS t ON t.id = i.task_id
                WHERE i.upload_id = u.id AND t.status IN ('PENDING', 'RUNNING', 'PAUSED')
            ) ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED
        )
        """,
        limit,
    )


async def known_uploads(rows: Rows, keys: list[UUID]) -> set[UUID]:
    """Return those of `keys` that are uploads, of whomever."""
    return {row["id"] for row in await rows.fetch("SELECT id FROM uploads WHERE id = ANY($1)", keys)}
