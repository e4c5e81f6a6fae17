"""Walking over all bookmarks that match a condition, however many, in the order in which they were made."""

from datetime import datetime
from uuid import UUID

from db.search.conditions import Compiled, Condition
from db.unit import Rows
from db.wall import INDEXED

Place = tuple[datetime, UUID]
"""When a bookmark was made, and its id."""


async def walk(
    rows: Rows, owner_id: UUID, condition: Condition | None, *, beyond: Place | None, limit: int
) -> list[Place]:
    """Return at most `limit` of the owner's bookmarks outside the trash that match, after `beyond`, the oldest first.

    `condition` is a resolved one (db.search.queries.resolved); None matches all.
    """
    compiled = None if condition is None else Compiled(owner_id, condition, ranked=False)
    arguments = [owner_id] if compiled is None else compiled.arguments
    head = "" if compiled is None else f"WITH {compiled.text_relation()}"
    where = "" if compiled is None else f"AND {compiled.where()}"
    if beyond is not None:
        arguments = [*arguments, *beyond]
        where += f" AND (b.created_at, b.id) > (${len(arguments) - 1}::timestamptz, ${len(arguments)}::uuid)"
    found = await rows.fetch(
        f"""
        {head} SELECT b.created_at, b.id FROM {INDEXED} b WHERE b.owner_id = $1 AND b.deleted_at IS NULL {where}
        ORDER BY b.created_at, b.id LIMIT {int(limit)}
        """,
        *arguments,
    )
    return [(row["created_at"], row["id"]) for row in found]
