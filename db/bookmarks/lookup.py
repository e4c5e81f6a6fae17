"""Bookmarks by id and by address, to read or to change."""

from collections.abc import Sequence
from uuid import UUID

from typing_extensions import TypeVar

from db.bookmarks.rows import COLUMNS, SOURCE, WHOLE, BookmarkRow
from db.query import Query
from db.shapes import Shape, by_keys
from db.unit import Rows, Unit

R = TypeVar("R", default=BookmarkRow)


async def by_ids(rows: Rows, owner_id: UUID, keys: Sequence[UUID]) -> list[BookmarkRow]:
    """Return the owner's bookmarks among `keys`, in the trash or not, in the order of their ids."""
    return [row for _, row in await by_keys(rows, SOURCE, owner_id, keys, WHOLE)]


async def by_url_key(
    rows: Rows, owner_id: UUID, url_key: bytes, shape: Shape[R] = WHOLE.by_default, *, in_trash: bool = True
) -> R | None:
    """Return the owner's bookmark of an address; one in the trash only when `in_trash` is true."""
    query = Query(owner_id)
    place = "" if in_trash else "AND b.deleted_at IS NULL"
    sql = f"""
        SELECT {shape.columns(query, "b")} FROM bookmarks b
        WHERE b.owner_id = {query.owner} AND b.url_key = {query.bind(url_key)} {place}
    """
    row = await rows.fetchrow(sql, *query.arguments)
    return shape.row(row) if row else None


async def lock(unit: Unit, owner_id: UUID, keys: Sequence[UUID]) -> list[BookmarkRow]:
    """Return the owner's bookmarks among `keys` and keep others from changing them until the transaction ends.

    Locked in the order of their ids, as everywhere, so that two such calls never wait for each other in a circle.
    """
    found = await unit.fetch(
        f"SELECT {COLUMNS} FROM bookmarks b WHERE b.owner_id = $1 AND b.id = ANY($2) ORDER BY b.id FOR UPDATE",
        owner_id,
        list(keys),
    )
    return [BookmarkRow(*row) for row in found]


async def lock_by_url_key(unit: Unit, owner_id: UUID, url_key: bytes) -> BookmarkRow | None:
    """Return the owner's bookmark of an address and keep others from changing it until the transaction ends."""
    row = await unit.fetchrow(
        f"SELECT {COLUMNS} FROM bookmarks b WHERE b.owner_id = $1 AND b.url_key = $2 FOR UPDATE", owner_id, url_key
    )
    return BookmarkRow(*row) if row else None


async def holds_at_least(rows: Rows, owner_id: UUID, number: int) -> bool:
    """Tell whether the owner has `number` bookmarks or more, the trash included."""
    return bool(
        await rows.fetchval(
            "SELECT count(*) >= $2 FROM (SELECT FROM bookmarks WHERE owner_id = $1 LIMIT $2) AS held", owner_id, number
        )
    )
