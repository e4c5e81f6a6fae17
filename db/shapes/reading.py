"""The two statements that every table of the graph needs: rows by their keys, and the rows that belong to rows."""

from collections.abc import Sequence
from typing import TypeVar
from uuid import UUID

from db.query import Query
from db.shapes.facts import Several, Source
from db.shapes.shape import Shape
from db.unit import Rows

R = TypeVar("R")


async def by_keys(
    rows: Rows, source: Source, owner_id: UUID, keys: Sequence[UUID], shape: Shape[R]
) -> list[tuple[UUID, R]]:
    """Return the owner's rows among `keys`, each behind its key, in the order of the keys."""
    query = Query(owner_id)
    wanted = query.bind(list(keys))
    found = await rows.fetch(
        f"SELECT {shape.columns(query, 'r')}, r.id AS found_id FROM {source.tables(query, 'r')} "
        f"WHERE {source.owned(query, 'r')} AND r.id = ANY({wanted}) ORDER BY r.id",
        *query.arguments,
    )
    return [(row["found_id"], shape.row(row)) for row in found]


async def related(
    rows: Rows, relation: Several, owner_id: UUID, keys: Sequence[UUID], shape: Shape[R]
) -> dict[UUID, list[R]]:
    """Return what belongs to each of several rows, in the relation's order, at most its limit each."""
    query = Query(owner_id)
    homes = query.bind(list(keys))
    order = relation.order.format(row="r")
    belonging: dict[UUID, list[R]] = {key: [] for key in keys}
    for row in await rows.fetch(
        f"SELECT found.*, home.id AS home FROM unnest({homes}::uuid[]) AS home (id) CROSS JOIN LATERAL ("
        f"SELECT {shape.columns(query, 'r')}, row_number() OVER (ORDER BY {order}) AS place "
        f"{relation.chosen(query, 'home.id', 'r')}) AS found ORDER BY found.place",
        *query.arguments,
    ):
        belonging[row["home"]].append(shape.row(row))
    return belonging
