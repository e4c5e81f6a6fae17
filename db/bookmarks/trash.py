"""The trash: into it, out of it, and gone for ever."""

from collections.abc import Sequence
from uuid import UUID

from db.bookmarks.rows import COLUMNS, BookmarkRow
from db.unit import Unit


async def set_trashed(unit: Unit, owner_id: UUID, keys: Sequence[UUID], *, trashed: bool) -> list[BookmarkRow]:
    """Move bookmarks into the trash or out of it; return those that were not there yet, as they are now."""
    moment, state = ("now()", "NULL") if trashed else ("NULL", "NOT NULL")
    found = await unit.fetch(
        f"""
        UPDATE bookmarks b SET deleted_at = {moment}, version = b.version + 1, updated_at = now()
        WHERE b.owner_id = $1 AND b.id = ANY($2) AND b.deleted_at IS {state} RETURNING {COLUMNS}
        """,
        owner_id,
        list(keys),
    )
    return sorted((BookmarkRow(*row) for row in found), key=lambda row: row.id)


async def purge(unit: Unit, owner_id: UUID, keys: Sequence[UUID]) -> int:
    """Remove bookmarks for ever, with their tags and places; return how many went."""
    return await unit.execute("DELETE FROM bookmarks WHERE owner_id = $1 AND id = ANY($2)", owner_id, list(keys))


async def purge_trash(unit: Unit, *, older_than_days: int, limit: int) -> dict[UUID, list[UUID]]:
    """Remove for ever at most `limit` bookmarks, of all owners, that have lain in the trash for so many days.

    Return the ids of those that went, in order, by owner.
    """
    gone: dict[UUID, list[UUID]] = {}
    for row in await unit.fetch(
        """
        DELETE FROM bookmarks WHERE id IN (
            SELECT id FROM bookmarks WHERE deleted_at < now() - $1 * interval '1 day'
            ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED
        ) RETURNING owner_id, id
        """,
        older_than_days,
        limit,
    ):
        gone.setdefault(row["owner_id"], []).append(row["id"])
    return {owner_id: sorted(gone[owner_id]) for owner_id in sorted(gone)}


async def trashed_ids(unit: Unit, owner_id: UUID, *, limit: int) -> list[UUID]:
    """Return the ids of at most `limit` bookmarks in the trash, locked in their order."""
    found = await unit.fetch(
        """
        SELECT id FROM bookmarks WHERE owner_id = $1 AND deleted_at IS NOT NULL ORDER BY id LIMIT $2 FOR UPDATE
        """,
        owner_id,
        limit,
    )
    return [row["id"] for row in found]
