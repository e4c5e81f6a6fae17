"""Shapes: what of a row is read, as SQL, and what is made of the record that comes back."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, ClassVar, Protocol, TypeVar, cast

from db.query import Query
from db.shapes.facts import Identity, One, Several, Value

R_co = TypeVar("R_co", covariant=True)


class Shape(Protocol[R_co]):
    """What is read of the rows of one table."""

    @property
    def width(self) -> int:
        """How many columns of the result it takes."""
        ...

    @property
    def is_placed(self) -> bool:
        """Whether somebody wants to know where in its list a row stands."""
        ...

    def columns(self, query: Query, alias: str) -> str:
        """Return the list of what to select, `width` expressions over the table called `alias`."""
        ...

    def row(self, values: Sequence[Any]) -> R_co:
        """Return the row in the first `width` values of a record."""
        ...


@dataclass(frozen=True)
class Whole(Shape[R_co]):
    """All columns, as a frozen dataclass whose fields have their names. `joined` maps fields to other expressions."""

    row_type: type[R_co]
    joined: tuple[tuple[str, str], ...] = ()
    is_placed: ClassVar[bool] = True

    @property
    def by_default(self) -> Any:
        """The same, typed as what a parameter that takes any shape may have as its default."""
        return self

    @cached_property
    def width(self) -> int:
        """See `Shape.width`."""
        return len(self._names)

    @cached_property
    def _names(self) -> tuple[str, ...]:
        return tuple(item.name for item in fields(cast("Any", self.row_type)))

    def columns(self, query: Query, alias: str) -> str:  # noqa: ARG002  a dataclass needs no owner
        """See `Shape.columns`."""
        joined = dict(self.joined)
        return ", ".join(joined.get(name, f"{{row}}.{name}").format(row=alias) for name in self._names)

    def row(self, values: Sequence[Any]) -> R_co:
        """See `Shape.row`."""
        return self.row_type(*values[: self.width])


class Shown:
    """A row as a selection shows it: pieces of the JSON object, and the columns that its gaps need.

    `pieces` are JSON objects of the members before, between and behind the gaps; a column is read as an attribute.
    """

    __slots__ = ("_needed", "pieces", "shape")

    def __init__(self, shape: "Printed", pieces: Sequence[bytes], needed: dict[str, Any]) -> None:
        self.shape = shape
        self.pieces = pieces
        self._needed = needed

    def __getattr__(self, name: str) -> Any:
        """Return a column that was asked for by `Printed.needs`."""
        try:
            return self._needed[name]
        except KeyError:
            raise AttributeError(f"{name} was not read") from None

    def __repr__(self) -> str:
        """Show what was read, for whoever looks for a fault."""
        return f"Shown({self.pieces!r}, {self._needed!r})"


@dataclass(frozen=True, slots=True)
class Member:
    """One member of the JSON object: its key, and what PostgreSQL prints for it.

    `inner` is the selection of a related row or rows; `typename` is printed as it is.
    """

    name: str
    fact: Value | Identity | One | Several | None
    inner: "Printed | None" = None
    typename: str = ""

    def sql(self, query: Query, row: str, place: int) -> str:
        """Return the member as one item of a SELECT. `place` tells the aliases of its relation from its siblings'."""
        return f'{self._expression(query, row, place)} AS "{self.name}"'

    def _expression(self, query: Query, row: str, place: int) -> str:
        if isinstance(self.fact, One | Several):
            assert self.inner is not None  # noqa: S101  the planner gives every relation its selection
            kept = self.fact.kept if isinstance(self.fact, Several) else None
            if kept is not None and kept.members == self.inner.values:
                return f"{row}.{kept.column}"
            other = f"{row}_{place}"
            return self.fact.sql(query, row, other, self.inner.json(query, other))
        return f"'{self.typename}'::text" if self.fact is None else self.fact.sql(query, row)


@dataclass(frozen=True, slots=True)
class Gap:
    """The place of a member that PostgreSQL does not print; whoever asked fills it in."""

    name: str


@dataclass(frozen=True, eq=False)
class Printed:
    """A selection of one object type. `members` are in the order of the response.

    `needs` are the columns that are read beside the JSON, each with the expression of its value. A row is the JSON
    itself where there are no gaps to fill, else `Shown`.
    """

    members: tuple[Member | Gap, ...]
    needs: tuple[tuple[str, Value], ...] = ()
    is_placed: bool = True

    @cached_property
    def pieces(self) -> tuple[tuple[Member, ...], ...]:
        """The members between the gaps, one more than there are gaps. Without gaps: all members."""
        pieces: list[list[Member]] = [[]]
        for member in self.members:
            if isinstance(member, Gap):
                pieces.append([])
            else:
                pieces[-1].append(member)
        return tuple(tuple(piece) for piece in pieces)

    @property
    def values(self) -> tuple[tuple[str, Any], ...]:
        """The members: their keys and facts. None is the fact of a type's name, a gap has itself in its place."""
        return tuple((member.name, getattr(member, "fact", member)) for member in self.members)

    @cached_property
    def gaps(self) -> tuple[str, ...]:
        """The keys of the members to fill in."""
        return tuple(member.name for member in self.members if isinstance(member, Gap))

    @cached_property
    def width(self) -> int:
        """See `Shape.width`."""
        return len(self.pieces) + len(self.needs)

    def columns(self, query: Query, alias: str) -> str:
        """See `Shape.columns`. The text is the same for every statement, so it is made once."""
        text = self._texts.get(alias)
        if text is None:
            text = self._texts[alias] = self._columns(query, alias)
        return text

    @cached_property
    def _texts(self) -> dict[str, str]:
        return {}

    def _columns(self, query: Query, alias: str) -> str:
        items = [_object(piece, query, alias) for piece in self.pieces]
        return ", ".join(items + [value.raw(query, alias) for _, value in self.needs])

    def json(self, query: Query, alias: str) -> str:
        """Return the expression of the whole object. Only for a selection without gaps."""
        if self.gaps:
            raise ValueError("a selection with gaps is more than one expression")
        return _object(self.pieces[0], query, alias)

    def row(self, values: Sequence[Any]) -> Shown | bytes:
        """See `Shape.row`."""
        if not self.gaps:
            return cast("bytes", values[0])
        count = len(self.pieces)
        needed = {name: values[count + place] for place, (name, _) in enumerate(self.needs)}
        return Shown(self, values[:count], needed)


@dataclass(frozen=True, eq=False)
class Together:
    """Several selections of the same rows, read by one statement. A row is the tuple of what each makes of it."""

    parts: tuple[Printed, ...]

    @cached_property
    def width(self) -> int:
        """See `Shape.width`."""
        return sum(part.width for part in self.parts)

    @cached_property
    def is_placed(self) -> bool:
        """See `Shape.is_placed`."""
        return any(part.is_placed for part in self.parts)

    def columns(self, query: Query, alias: str) -> str:
        """See `Shape.columns`."""
        return ", ".join(part.columns(query, alias) for part in self.parts)

    def row(self, values: Sequence[Any]) -> tuple[Shown | bytes, ...]:
        """See `Shape.row`."""
        rows, start = [], 0
        for part in self.parts:
            rows.append(part.row(values[start : start + part.width]))
            start += part.width
        return tuple(rows)


def _object(members: tuple[Member, ...], query: Query, alias: str) -> str:
    if not members:
        return "'{}'::json"
    listed = ", ".join(member.sql(query, alias, place) for place, member in enumerate(members))
    # The name has a blank because no response name has one: a member called like the row would be taken for it.
    return f'(SELECT row_to_json("the row") FROM (SELECT {listed}) AS "the row")'
