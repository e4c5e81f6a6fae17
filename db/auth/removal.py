"""Removing an account: closed in one statement, emptied in pieces, then gone with what is left.

Small tables go with the account by their foreign keys. The large ones are emptied before, so that no statement has more
than a few thousand rows to remove.
"""

from typing import Final
from uuid import UUID

from db.unit import Rows, Unit

_AT_ONCE = 100
# Each with how its rows are found by the account, in this order: what hangs on a row goes before or with it.
_LARGE: Final = (
    "import_rows WHERE import_id IN (SELECT id FROM imports WHERE owner_id = $1)",
    "a2a_task_items WHERE task_id IN (SELECT id FROM a2a_tasks WHERE owner_id = $1)",
    "bookmarks WHERE owner_id = $1",
    "a2a_tasks WHERE owner_id = $1 AND parent_id IS NOT NULL",
    "ai_calls WHERE owner_id = $1",
    "events WHERE owner_id = $1",
)


async def close(unit: Unit, user_id: UUID) -> bool:
    """Let an account open nothing any more and forget its address and name; False when it is closed already.

    Its address is free for another account from now on, and so is who it was at identity providers.
    """
    closed = await unit.execute(
        """
        UPDATE users SET deleted_at = now(), disabled_at = coalesce(disabled_at, now()), password_hash = NULL,
            email = 'deleted', email_key = 'deleted ' || id, name = 'deleted', email_verified_at = NULL, role = 'USER',
            updated_at = now()
        WHERE id = $1 AND deleted_at IS NULL
        """,
        user_id,
    )
    await unit.execute("DELETE FROM identities WHERE user_id = $1", user_id)
    await unit.execute(
        """
        UPDATE a2a_tasks SET status = 'CANCELLED', lease_owner = NULL, lease_until = NULL, finished_at = now()
        WHERE owner_id = $1 AND status IN ('PENDING', 'RUNNING', 'PAUSED')
        """,
        user_id,
    )
    return bool(closed)


async def closed(rows: Rows) -> list[UUID]:
    """Return at most 100 closed accounts, the longest closed first."""
    found = await rows.fetch(
        f"SELECT id FROM users WHERE deleted_at IS NOT NULL ORDER BY deleted_at, id LIMIT {_AT_ONCE}"
    )
    return [row["id"] for row in found]


async def uploads_of(rows: Rows, user_id: UUID) -> list[UUID]:
    """Return the uploads of an account, whose files go with it."""
    return [row["id"] for row in await rows.fetch("SELECT id FROM uploads WHERE owner_id = $1", user_id)]


async def remove_some(unit: Unit, user_id: UUID, *, limit: int) -> int:
    """Remove at most `limit` rows of the first large table that has some of a closed account; return how many."""
    for what in _LARGE:
        table = what.partition(" ")[0]
        gone = await unit.execute(
            f"DELETE FROM {table} WHERE ctid = ANY(ARRAY(SELECT ctid FROM {what} LIMIT $2 FOR UPDATE SKIP LOCKED))",
            user_id,
            limit,
        )
        if gone:
            return gone
    return 0


async def remove(unit: Unit, user_id: UUID) -> int:
    """Remove a closed account with the rest of what it holds; return whether it was there, as a number."""
    return await unit.execute("DELETE FROM users WHERE id = $1 AND deleted_at IS NOT NULL", user_id)
