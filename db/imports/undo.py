"""Taking an import back: what it made and nobody touched since goes, what it changed becomes as it was."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from db.unit import Unit


async def to_undo(unit: Unit, import_id: UUID, *, from_row: int, limit: int) -> list[tuple[int, str, UUID]]:
    """Return `(row, outcome, bookmark)` of the next rows that made or changed a bookmark."""
    found = await unit.fetch(
        """
        SELECT row, outcome, bookmark_id FROM import_rows
        WHERE import_id = $1 AND row >= $2 AND bookmark_id IS NOT NULL AND (outcome = 'CREATED' OR undo IS NOT NULL)
        ORDER BY row LIMIT $3
        """,
        import_id,
        from_row,
        limit,
    )
    return [(row["row"], row["outcome"], row["bookmark_id"]) for row in found]


async def remove_untouched(unit: Unit, owner_id: UUID, keys: Sequence[UUID]) -> list[UUID]:
    """Remove those of these bookmarks that are still at their first version; return their ids."""
    found = await unit.fetch(
        """
        WITH untouched AS (
            SELECT id FROM bookmarks WHERE owner_id = $1 AND id = ANY($2) AND version = 1 ORDER BY id FOR UPDATE
        )
        DELETE FROM bookmarks USING untouched WHERE bookmarks.id = untouched.id RETURNING bookmarks.id
        """,
        owner_id,
        list(keys),
    )
    return [row["id"] for row in found]


async def changes_of(unit: Unit, import_id: UUID, bookmark_ids: Sequence[UUID]) -> dict[UUID, list[tuple[int, Any]]]:
    """Return `(row, undo)` of everything that an import changed of these bookmarks, in the order of the file."""
    found = await unit.fetch(
        """
        SELECT row, bookmark_id, undo FROM import_rows
        WHERE import_id = $1 AND bookmark_id = ANY($2) AND undo IS NOT NULL ORDER BY row
        """,
        import_id,
        list(bookmark_ids),
    )
    changes: dict[UUID, list[tuple[int, Any]]] = {}
    for row in found:
        changes.setdefault(row["bookmark_id"], []).append((row["row"], row["undo"]))
    return changes


async def lock_versions(unit: Unit, owner_id: UUID, keys: Sequence[UUID]) -> dict[UUID, int]:
    """Lock the owner's bookmarks among `keys` in order, and return their versions."""
    found = await unit.fetch(
        "SELECT id, version FROM bookmarks WHERE owner_id = $1 AND id = ANY($2) ORDER BY id FOR UPDATE",
        owner_id,
        list(keys),
    )
    return {row["id"]: row["version"] for row in found}


async def restore(unit: Unit, key: UUID, old: dict[str, Any]) -> None:
    """Give a locked bookmark its old texts back, take added tags and collections off, put it back into the trash."""
    fields = old.get("fields", {})
    await unit.execute(
        """
        UPDATE bookmarks SET version = version + 1, updated_at = now(),
            title = CASE WHEN 'title' = ANY($2) THEN coalesce($3, '') ELSE title END,
            description = CASE WHEN 'description' = ANY($2) THEN $4 ELSE description END,
            notes = CASE WHEN 'notes' = ANY($2) THEN $5 ELSE notes END,
            favicon_url = CASE WHEN 'favicon_url' = ANY($2) THEN $6 ELSE favicon_url END,
            deleted_at = coalesce($7::text::timestamptz, deleted_at)
        WHERE id = $1
        """,
        key,
        list(fields),
        *(fields.get(name) for name in ("title", "description", "notes", "favicon_url")),
        old.get("deleted_at"),
    )
    for table, column in (("bookmark_tags", "tag_id"), ("bookmark_collections", "collection_id")):
        gone = old.get(column.removesuffix("_id") + "s", [])
        if gone:
            await unit.execute(f"DELETE FROM {table} WHERE bookmark_id = $1 AND {column} = ANY($2::uuid[])", key, gone)


async def remove_empty(unit: Unit, owner_id: UUID, import_id: UUID) -> None:
    """Remove the collections and tags that the import made, as far as nothing lies in them, the innermost first."""
    for table, kind, link, column in (
        ("collections", "COLLECTION", "bookmark_collections", "collection_id"),
        ("tags", "TAG", "bookmark_tags", "tag_id"),
    ):
        while await unit.execute(
            f"""
            DELETE FROM {table} AS made USING import_objects AS o
            WHERE o.import_id = $2 AND o.kind = $3 AND o.object_id = made.id AND made.owner_id = $1
                AND NOT EXISTS (SELECT FROM {link} WHERE {column} = made.id)
                AND NOT EXISTS (SELECT FROM {table} AS child WHERE child.parent_id = made.id)
            """,
            owner_id,
            import_id,
            kind,
        ):
            pass


async def advance(unit: Unit, import_id: UUID, *, next_row: int, removed: int, restored: int, kept: int) -> None:
    """Add what a chunk took back, and move its cursor."""
    await unit.execute(
        """
        UPDATE imports SET undo_next_row = $2, removed = removed + $3, restored = restored + $4, kept = kept + $5
        WHERE id = $1
        """,
        import_id,
        next_row,
        removed,
        restored,
        kept,
    )


async def begin(unit: Unit, import_id: UUID, task_id: UUID) -> None:
    """Let a task be the one that takes the import back."""
    await unit.execute("UPDATE imports SET undo_task_id = $2 WHERE id = $1", import_id, task_id)


async def end(unit: Unit, import_id: UUID) -> None:
    """Write down that the import is taken back."""
    await unit.execute("UPDATE imports SET undone_at = coalesce(undone_at, now()) WHERE id = $1", import_id)
