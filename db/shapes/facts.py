"""SQL facts: what PostgreSQL knows about a field of the graph. Columns come from the Piccolo tables, never by hand.

Templates of SQL have two placeholders: `{row}` is the alias of the row's own table, `{owner}` the parameter of
whose rows are read. No value is ever written into them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from piccolo.columns import UUID, Array, BigInt, Boolean, Column, Integer, Real, SmallInt, Text, Timestamptz
from piccolo.table import Table

from db.query import Query


class Kind(StrEnum):
    """How PostgreSQL prints a value, which decides for which GraphQL types that is the right text."""

    TEXT = "text"
    BOOLEAN = "boolean"
    INTEGER = "integer"
    TIME = "time"
    TEXTS = "texts"
    OTHER = "other"
    """PostgreSQL prints it in another way than GraphQL does: fractions, 64-bit numbers."""


_KINDS: dict[type[Column], Kind] = {
    Text: Kind.TEXT,
    UUID: Kind.TEXT,
    Boolean: Kind.BOOLEAN,
    Integer: Kind.INTEGER,
    SmallInt: Kind.INTEGER,
    Timestamptz: Kind.TIME,
    Real: Kind.OTHER,
    BigInt: Kind.OTHER,
}
_MAX_TYPE_NAME_CHARS = 20
# As schema.scalars prints a time: to the second, or to the microsecond when there is a fraction of a second.
_TIME = "replace(to_char({value}, 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), '.000000Z', 'Z')"


@dataclass(frozen=True, slots=True)
class Fact:
    """What is known of a field. The base of all; alone it says that nothing is."""


@dataclass(frozen=True, slots=True)
class Value(Fact):
    """A field that holds one value, or a list of texts: a column or an expression over the row."""

    template: str
    kind: Kind
    is_nullable: bool = False

    def sql(self, query: Query, row: str) -> str:
        """Return the expression of the value as JSON is to show it."""
        raw = self.raw(query, row)
        return _TIME.format(value=raw) if self.kind is Kind.TIME else raw

    def raw(self, query: Query, row: str) -> str:
        """Return the expression of the value as Python is to get it."""
        return self.template.format(row=row, owner=query.owner)


@dataclass(frozen=True, slots=True)
class Identity(Fact):
    """The global id of the row: standard base64 of `Type:uuid`, as kit.ids makes it."""

    type_name: str
    kind: ClassVar[Kind] = Kind.TEXT
    is_nullable: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Refuse a name so long that PostgreSQL would break the line, which it does after 76 characters of base64."""
        if len(self.type_name) > _MAX_TYPE_NAME_CHARS:
            raise ValueError(f"{self.type_name}: at most {_MAX_TYPE_NAME_CHARS} characters, or its ids have two lines")

    def sql(self, query: Query, row: str) -> str:  # noqa: ARG002  the owner does not matter
        """Return the expression of the id."""
        return f"encode(('{self.type_name}:' || {row}.id)::bytea, 'base64')"


@dataclass(frozen=True, eq=False)
class Source:
    """A table as the graph shows it. `owner` is the column that says whose a row is; None where a service decides.

    `joins` adds tables that every row has exactly one row in; `computed` adds or replaces facts of columns.
    """

    table: type[Table]
    owner: str | None = "owner_id"
    joins: str = ""
    computed: Mapping[str, Value] = field(default_factory=dict)

    @property
    def values(self) -> dict[str, Value]:
        """The facts of all columns and computed values, by name."""
        columns = self.table._meta.columns  # noqa: SLF001  Piccolo's way of asking a table for its columns
        return {column._meta.name: _column(column) for column in columns} | dict(self.computed)  # noqa: SLF001  as above

    def tables(self, query: Query, alias: str) -> str:
        """Return what stands behind FROM."""
        own = f"{self.table._meta.tablename} {alias}"  # noqa: SLF001  as above
        return f"{own} {self.joins.format(row=alias, owner=query.owner)}" if self.joins else own

    def owned(self, query: Query, alias: str) -> str:
        """Return the condition that a row is the viewer's. Every statement that touches the table has it."""
        if self.owner is None:
            raise ValueError(f"{self.table.__name__} has no owner; only its own queries may read it")
        return f"{alias}.{self.owner} = {query.owner}"


@dataclass(frozen=True, slots=True)
class Relation(Fact):
    """Rows of another table that belong to the row. `needs` are the columns that its resolver reads of the row."""

    source: Source
    needs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class One(Relation):
    """At most one row: the one whose key is in the row's column `key`. `is_certain`: there always is one."""

    key: str
    is_certain: bool = False

    def sql(self, query: Query, row: str, other: str, printed: str) -> str:
        """Return the JSON of the related row, null when there is none. `printed` is its JSON in terms of `other`."""
        tables, owned = self.source.tables(query, other), self.source.owned(query, other)
        return f"(SELECT {printed} FROM {tables} WHERE {other}.id = {row}.{self.key} AND {owned})"


@dataclass(frozen=True, slots=True)
class Link:
    """A table between two others: the columns that hold the key of the row and of the related row."""

    table: str
    row_key: str
    other_key: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A json column of a row that holds the array of its related rows, as far as `members` go: their names and facts.

    Whoever writes the rows keeps it in step, byte for byte: it is shown in place of the array that it repeats.
    """

    column: str
    members: tuple[tuple[str, Value | Identity], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Several(Relation):
    """At most `limit` rows in the order of `order`, a template that may also name the alias `link`.

    They are joined by `link`, or name the row in their own column `key`. What is often asked of them is also `kept`.
    """

    order: str
    limit: int
    link: Link | None = None
    key: str = ""
    kept: Kept | None = None

    def sql(self, query: Query, row: str, other: str, printed: str) -> str:
        """Return the JSON array of the related rows. `printed` is the JSON of one in terms of `other`."""
        return f"array_to_json(ARRAY(SELECT {printed} {self.chosen(query, f'{row}.id', other)}))"

    def chosen(self, query: Query, key: str, other: str) -> str:
        """Return FROM, WHERE, ORDER BY and LIMIT of the rows that belong to `key`, an expression."""
        tables, owned = self.source.tables(query, other), self.source.owned(query, other)
        order = self.order.format(row=other)
        if self.link is None:
            return f"FROM {tables} WHERE {other}.{self.key} = {key} AND {owned} ORDER BY {order} LIMIT {self.limit}"
        # LIMIT 1 keeps PostgreSQL from reading a whole small table, as a join would, for the few links that a row has.
        found = f"SELECT * FROM {tables} WHERE {other}.id = link.{self.link.other_key} AND {owned} LIMIT 1"
        return (
            f"FROM {self.link.table} link CROSS JOIN LATERAL ({found}) AS {other} "
            f"WHERE link.{self.link.row_key} = {key} ORDER BY {order} LIMIT {self.limit}"
        )


def _column(column: Column) -> Value:
    name, is_nullable = column._meta.name, bool(column._meta.null)  # noqa: SLF001  Piccolo's way, as above
    kind = Kind.TEXTS if isinstance(column, Array) else _KINDS.get(type(column), Kind.OTHER)
    return Value("{row}." + name, kind, is_nullable)
