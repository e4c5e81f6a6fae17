"""Pages of lists: where one begins is said by the last row seen, so that the last page costs as much as the first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast
from uuid import UUID

from db.query import Query
from db.shapes.shape import Shape
from db.unit import Rows

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Keyset:
    """At most `limit` rows of `table`, called `alias`, in the order of `value` and then of their ids.

    `value` is an expression over a row, `position` what both were for the last row seen; None begins the list.
    `value_type` is the type that its value is read as, where the column's is too narrow for what a cursor may hold.
    """

    table: str
    alias: str
    value: str
    descending: bool
    position: tuple[Any, UUID] | None
    limit: int
    value_type: str = ""

    async def page(
        self, rows: Rows, query: Query, conditions: Sequence[str], shape: Shape[R]
    ) -> list[tuple[R, Any, UUID]]:
        """Return the rows that meet all conditions, each with its value and its id.

        Where the shape does not ask for places, value and id are None. Their type does not say so, because then nobody
        looks at them.
        """
        columns = shape.columns(query, self.alias)
        if shape.is_placed:
            columns += self.places
        found = await rows.fetch(self.select(query, columns, conditions), *query.arguments)
        if shape.is_placed:
            return [(shape.row(row), row["sort_value"], row["sort_id"]) for row in found]
        nowhere = cast("UUID", None)
        return [(shape.row(row), None, nowhere) for row in found]

    @property
    def places(self) -> str:
        """What to select behind other columns: the value as `sort_value` and the id as `sort_id`."""
        return f", {self.value} AS sort_value, {self.alias}.id AS sort_id"

    @property
    def direction(self) -> str:
        """ASC or DESC."""
        return "DESC" if self.descending else "ASC"

    def select(self, query: Query, columns: str, conditions: Sequence[str]) -> str:
        """Return the statement. Its limit is text: PostgreSQL plans by it, and there are few of them."""
        if self.position is not None:
            value, key = (query.bind(part) for part in self.position)
            given = f"{value}::{self.value_type}" if self.value_type else value
            beyond = "<" if self.descending else ">"
            conditions = [*conditions, f"({self.value}, {self.alias}.id) {beyond} ({given}, {key})"]
        return (
            f"SELECT {columns} FROM {self.table} {self.alias} WHERE {' AND '.join(conditions)} "
            f"ORDER BY {self.value} {self.direction}, {self.alias}.id {self.direction} LIMIT {int(self.limit)}"
        )
