"""Which links are due, and whose owner wants them checked without being asked."""

from collections.abc import Sequence
from uuid import UUID

from db.unit import Rows, Unit


async def owners(rows: Rows, *, after: UUID | None, limit: int) -> list[UUID]:
    """Return at most `limit` accounts behind `after`, in the order of their ids, that want their links checked.

    Those whose last checks of this kind are not done are left out.
    """
    found = await rows.fetch(
        """
        SELECT u.id FROM users u LEFT JOIN agent_settings s ON s.owner_id = u.id
        WHERE u.disabled_at IS NULL AND coalesce(s.recheck_links, true) AND ($1::uuid IS NULL OR u.id > $1)
            AND NOT EXISTS (
                SELECT FROM a2a_tasks t WHERE t.owner_id = u.id AND t.workflow = 'VALIDATION_ONLY' AND t.priority < 0
                AND t.parent_id IS NULL AND t.status IN ('PENDING', 'RUNNING', 'PAUSED')
            )
        ORDER BY u.id LIMIT $2
        """,
        after,
        limit,
    )
    return [row["id"] for row in found]


async def due(rows: Rows, owner_id: UUID, *, limit: int) -> list[UUID]:
    """Return at most `limit` bookmarks outside the trash whose check is due, the longest due first."""
    found = await rows.fetch(
        """
        SELECT h.bookmark_id FROM link_health h JOIN bookmarks b ON b.id = h.bookmark_id
        WHERE h.owner_id = $1 AND h.next_check_at <= now() AND b.deleted_at IS NULL
        ORDER BY h.next_check_at LIMIT $2
        """,
        owner_id,
        limit,
    )
    return [row["bookmark_id"] for row in found]


async def unchecked(rows: Rows, owner_id: UUID, *, limit: int) -> list[UUID]:
    """Return at most `limit` bookmarks outside the trash that were never checked, the newest first."""
    found = await rows.fetch(
        """
        SELECT b.id FROM bookmarks b WHERE b.owner_id = $1 AND b.deleted_at IS NULL
            AND NOT EXISTS (SELECT FROM link_health h WHERE h.bookmark_id = b.id)
        ORDER BY b.added_at DESC, b.id DESC LIMIT $2
        """,
        owner_id,
        limit,
    )
    return [row["id"] for row in found]


async def put_off(unit: Unit, owner_id: UUID, keys: Sequence[UUID], *, hours: float) -> None:
    """Let links be due again only in so many hours: work that checks them was recorded."""
    await unit.execute(
        """
        UPDATE link_health SET next_check_at = now() + $3::float8 * interval '1 hour'
        WHERE owner_id = $1 AND bookmark_id = ANY($2) AND next_check_at <= now()
        """,
        owner_id,
        list(keys),
        hours,
    )
