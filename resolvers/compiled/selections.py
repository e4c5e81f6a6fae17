"""Selections: what of a row is shown, and how the gaps that PostgreSQL leaves in its JSON are filled."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import orjson
from graphql.pyutils import gather_with_cancel

from db.shapes import Printed, Shown


class NotCoveredError(Exception):
    """The answer is not one that a plan can give; the ordinary resolvers will."""


class Asked(Protocol):
    """A field whose resolver fills a gap: resolvers.compiled.plans.FieldPlan."""

    def arguments(self, executor: Any) -> Mapping[str, Any]:
        """Return its arguments, the same for all rows."""
        ...

    async def answer(self, source: Any, executor: Any, arguments: Mapping[str, Any]) -> Any:
        """Return its value for one row, ready to be encoded."""
        ...


@dataclass(frozen=True, slots=True)
class Column:
    """A gap that a column fills, printed by its GraphQL type because PostgreSQL prints it in another way."""

    name: str
    leaf: Any
    is_nullable: bool

    def json(self, row: Shown) -> bytes:
        """Return the value's JSON."""
        value = getattr(row, self.name)
        if value is None:
            if not self.is_nullable:
                raise NotCoveredError
            return b"null"
        return orjson.dumps(self.leaf.coerce_output_value(value))


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """What is shown of rows of one type: the shape that PostgreSQL prints, and what fills its gaps, by their names."""

    shape: Printed
    columns: Mapping[str, Column]
    fields: Mapping[str, Asked]


async def objects(
    rows: Sequence[Shown | bytes | None], selections: Sequence[Selection], executor: Any
) -> list[orjson.Fragment | None]:
    """Return the JSON of rows. The gaps of all of them are filled together, so that loaders can fetch at once."""
    of_shape = {one.shape: one for one in selections if one.columns or one.fields}
    if not of_shape:
        return [None if row is None else orjson.Fragment(row) for row in rows]
    arguments = {field: field.arguments(executor) for one in of_shape.values() for field in one.fields.values()}
    if not arguments:
        return [_filled(row, of_shape[row.shape], {}) if isinstance(row, Shown) else _whole(row) for row in rows]

    async def filled(row: Shown | bytes | None) -> orjson.Fragment | None:
        if not isinstance(row, Shown):
            return _whole(row)
        selection = of_shape[row.shape]
        answers = await gather_with_cancel(
            *(field.answer(row, executor, arguments[field]) for field in selection.fields.values())
        )
        return _filled(row, selection, dict(zip(selection.fields, answers, strict=True)))

    return await gather_with_cancel(*map(filled, rows))


def _whole(row: bytes | None) -> orjson.Fragment | None:
    return None if row is None else orjson.Fragment(row)


def _filled(row: Shown, selection: Selection, answers: Mapping[str, Any]) -> orjson.Fragment:
    """Return a row's JSON with its gaps filled: each piece is an object, and each gap a member between two of them."""
    parts: list[bytes] = []
    for place, piece in enumerate(row.pieces):
        if place:
            name = selection.shape.gaps[place - 1]
            column = selection.columns.get(name)
            text = orjson.dumps(answers[name]) if column is None else column.json(row)
            parts.append(b'"' + name.encode() + b'":' + text)
        if len(piece) > len(b"{}"):
            parts.append(piece[1:-1])
    return orjson.Fragment(b"{" + b",".join(parts) + b"}")
