"""An owner's categories."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from typing_extensions import TypeVar

from db.query import Query
from db.shapes import One, Shape, Source, Whole
from db.tables.categorization import Category
from db.unit import Rows, Unit


@dataclass(frozen=True, slots=True)
class CategoryRow:
    """A category. `key` is the folded name that it has in the taxonomy; `position` orders the list."""

    id: UUID
    owner_id: UUID
    key: str
    name: str
    color: str | None
    position: int
    created_at: datetime


R = TypeVar("R", default=CategoryRow)
SOURCE = Source(table=Category)
WHOLE = Whole(CategoryRow)
OF_BOOKMARK = One(SOURCE, needs=("category_id",), key="category_id")
"""The category of a bookmark."""


async def listed(rows: Rows, owner_id: UUID, shape: Shape[R] = WHOLE.by_default) -> list[R]:
    """Return all categories of an owner in their order; there are as many as the taxonomy has."""
    query = Query(owner_id)
    found = await rows.fetch(
        f"SELECT {shape.columns(query, 'c')} FROM categories c WHERE c.owner_id = {query.owner} "
        "ORDER BY c.position, c.id",
        *query.arguments,
    )
    return [shape.row(row) for row in found]


async def insert(unit: Unit, owner_id: UUID, drafts: Sequence[tuple[UUID, str, str, str]]) -> None:
    """Add categories `(id, key, name, colour)` in this order; what is there already stays as it is."""
    await unit.execute(
        """
        INSERT INTO categories (owner_id, id, key, name, color, position)
        SELECT $1, new.id, new.key, new.name, new.color, new.place
        FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[]) WITH ORDINALITY AS new (id, key, name, color, place)
        ON CONFLICT (owner_id, key) DO NOTHING
        """,
        owner_id,
        *(list(column) for column in zip(*drafts, strict=True)),
    )
