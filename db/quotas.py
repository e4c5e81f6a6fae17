"""What single accounts may have, and what they have."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from db.unit import Rows, Unit


@dataclass(frozen=True, slots=True)
class QuotaRow:
    """The bounds of one account; None is what the settings say."""

    max_bookmarks: int | None = None
    max_storage_bytes: int | None = None
    max_running_imports: int | None = None


@dataclass(frozen=True, slots=True)
class UseRow:
    """What one account has: bookmarks with the trash, files that wait and pictures in bytes, imports that go on."""

    bookmarks: int
    storage_bytes: int
    running_imports: int


async def quota_of(rows: Rows, user_id: UUID) -> QuotaRow:
    """Return the bounds of an account."""
    row = await rows.fetchrow(
        "SELECT max_bookmarks, max_storage_bytes, max_running_imports FROM user_quotas WHERE user_id = $1", user_id
    )
    return QuotaRow(**row) if row else QuotaRow()


async def set_quota(unit: Unit, user_id: UUID, quota: QuotaRow) -> None:
    """Give an account its bounds."""
    await unit.execute(
        """
        INSERT INTO user_quotas (user_id, max_bookmarks, max_storage_bytes, max_running_imports)
        VALUES ($1, $2, $3, $4) ON CONFLICT (user_id) DO UPDATE SET max_bookmarks = excluded.max_bookmarks,
            max_storage_bytes = excluded.max_storage_bytes, max_running_imports = excluded.max_running_imports
        """,
        user_id,
        quota.max_bookmarks,
        quota.max_storage_bytes,
        quota.max_running_imports,
    )


async def lock_room(rows: Rows, user_id: UUID) -> None:
    """Let nobody else add a bookmark to an account that is nearly full until the transaction ends."""
    await rows.fetchval("SELECT pg_advisory_xact_lock(hashtextextended($1::text, 83))", str(user_id))


async def lock_storage(unit: Unit, user_id: UUID) -> None:
    """Let nobody else add to what an account stores until the transaction ends."""
    await unit.fetchval("SELECT pg_advisory_xact_lock(hashtextextended($1::text, 82))", str(user_id))


async def stored_bytes(rows: Rows, user_id: UUID) -> int:
    """Return how many bytes the waiting files and the pictures of an account take."""
    return int(
        await rows.fetchval(
            """
            SELECT (SELECT coalesce(sum(size_bytes), 0) FROM uploads WHERE owner_id = $1 AND expires_at > now())
                + (SELECT coalesce(sum(octet_length(png)), 0) FROM screenshots WHERE owner_id = $1)
            """,
            user_id,
        )
    )


async def counts(rows: Rows, user_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Return how many bookmarks accounts have outside the trash; one without any is left out."""
    found = await rows.fetch(
        "SELECT owner_id, count(*) AS n FROM bookmarks WHERE owner_id = ANY($1) AND deleted_at IS NULL"
        " GROUP BY owner_id",
        list(user_ids),
    )
    return {row["owner_id"]: row["n"] for row in found}


async def use_of(rows: Rows, user_id: UUID) -> UseRow:
    """Return what an account has."""
    row = await rows.fetchrow(
        """
        SELECT (SELECT count(*) FROM bookmarks WHERE owner_id = $1) AS bookmarks,
            (SELECT count(*) FROM imports i JOIN a2a_tasks t ON t.id = i.task_id
                WHERE i.owner_id = $1 AND t.status IN ('PENDING', 'RUNNING', 'PAUSED')) AS running_imports
        """,
        user_id,
    )
    assert row is not None  # noqa: S101  a row without FROM is one row
    return UseRow(row["bookmarks"], await stored_bytes(rows, user_id), row["running_imports"])
