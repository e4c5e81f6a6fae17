"""Which bookmarks meet a condition: among some that are named, or all of an owner's, walked by their ids."""

from collections.abc import Sequence
from uuid import UUID

from db.search.conditions import Compiled, Condition
from db.unit import Rows
from db.wall import INDEXED

_MINE = "b.owner_id = $1 AND b.deleted_at IS NULL"


async def among(rows: Rows, owner_id: UUID, condition: Condition, keys: Sequence[UUID]) -> list[UUID]:
    """Return those of `keys` that are bookmarks of the owner outside the trash and meet the condition, in order.

    The condition has its tags looked up (db.search.queries.resolved). Asked row by row: the ids are the index.
    """
    compiled = Compiled(owner_id, condition, ranked=False)
    wanted = compiled.bind(list(keys))
    found = await rows.fetch(
        f"WITH {compiled.text_relation()} SELECT b.id FROM bookmarks b "
        f"WHERE {_MINE} AND b.id = ANY ({wanted}::uuid[]) AND {compiled.where(indexed=False)} ORDER BY b.id",
        *compiled.arguments,
    )
    return [row["id"] for row in found]


async def walked(rows: Rows, owner_id: UUID, condition: Condition, after: UUID | None, *, limit: int) -> list[UUID]:
    """Return the first `limit` of the owner's bookmarks behind the id `after` that meet the condition, by id."""
    compiled = Compiled(owner_id, condition, ranked=False)
    begin = compiled.bind(after or UUID(int=0))
    found = await rows.fetch(
        f"WITH {compiled.text_relation()} SELECT b.id FROM {INDEXED} b "
        f"WHERE {_MINE} AND b.id > {begin} AND {compiled.where()} ORDER BY b.id LIMIT {int(limit)}",
        *compiled.arguments,
    )
    return [row["id"] for row in found]


async def count(rows: Rows, owner_id: UUID, condition: Condition, *, most: int) -> int:
    """Return how many of the owner's bookmarks outside the trash meet the condition; no further than `most`."""
    compiled = Compiled(owner_id, condition, ranked=False)
    return int(
        await rows.fetchval(
            f"WITH {compiled.text_relation()} SELECT count(*) FROM "
            f"(SELECT FROM {INDEXED} b WHERE {_MINE} AND {compiled.where()} LIMIT {int(most)}) AS found",
            *compiled.arguments,
        )
    )
