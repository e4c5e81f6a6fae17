"""What a field of the schema carries for the planner, as metadata beside its resolver."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeVar

from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.field import StrawberryField

from db.shapes import Fact, Identity, Relation, Value

FACT = "graphmark.fact"
"""The key in `StrawberryField.metadata`."""

T = TypeVar("T", bound=type)


@dataclass(frozen=True, slots=True)
class Answers(Fact):
    """The field's resolver gives rows in the shape that is asked for (resolvers.shaped).

    `needs` are the columns that it reads of its parent's row. With a `relation` PostgreSQL can answer within the
    parent's statement, and the resolver is called only where there is none.
    """

    needs: tuple[str, ...] = ()
    relation: Relation | None = None


def answers(relation: Relation | None = None, *, needs: tuple[str, ...] = ()) -> dict[str, Fact]:
    """Return the metadata of a field whose resolver gives shaped rows."""
    return {FACT: Answers(needs if relation is None else relation.needs, relation)}


def printed(fact: Value | Identity) -> dict[str, Fact]:
    """Return the metadata of a field with a resolver whose value PostgreSQL can print as well."""
    return {FACT: fact}


def with_columns(cls: T, values: Mapping[str, Value]) -> T:
    """Give every field of a type that has no resolver the fact of the same name, if there is one."""
    for name, field in vars(cls).items():
        if isinstance(field, StrawberryField) and field.base_resolver is None and name in values:
            field.metadata = MappingProxyType({**field.metadata, FACT: values[name]})
    return cls


def fact_of(definition: Any) -> Fact | None:
    """Return the fact of a field, given as graphql-core's definition, or None."""
    field = strawberry_field(definition)
    return None if field is None else field.metadata.get(FACT)


def strawberry_field(definition: Any) -> StrawberryField | None:
    """Return Strawberry's side of a field, or None for fields that are graphql-core's own."""
    field = definition.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    return field if isinstance(field, StrawberryField) else None
