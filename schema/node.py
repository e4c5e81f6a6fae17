"""Objects with a global id (Relay's Global Object Identification)."""

from typing import Any, TypeVar

import strawberry

from resolvers import node as answer
from resolvers.compiled import answers, printed, with_columns
from resolvers.inputs.users import ApiScope
from schema.directives import requires

T = TypeVar("T", bound=type)


@strawberry.interface(description="An object with a globally unique, opaque id; `node(id:)` finds it again.")
class Node:
    """Every type whose rows have a key."""

    id: strawberry.ID = strawberry.field(description="Opaque and stable. Do not take it apart.")


def global_id(type_name: str) -> Any:
    """Return the field `id` of the type called `type_name`."""
    return strawberry.field(
        resolver=answer.global_id_of(type_name),
        metadata=printed(answer.identity_of(type_name)),
        graphql_type=strawberry.ID,
        description="Opaque and stable. Do not take it apart.",
    )


def node_type(cls: T) -> T:
    """Say which rows answer for a type that implements `Node`: GraphQL asks each type whether a row is its own.

    Its fields without a resolver are the columns of the rows' table, or computed from them.
    The rows are those of resolvers.node.KINDS. Use below `@strawberry.type`, so that Strawberry finds the answer.
    """
    kind = answer.KINDS[cls.__name__]
    row_type = kind.row_type
    cls.is_type_of = classmethod(lambda _cls, row, _info: isinstance(row, row_type))  # type: ignore[attr-defined]  # read by Strawberry
    return with_columns(cls, kind.source.values)


@strawberry.type
class NodeQuery:
    """Finding objects by id."""

    node = strawberry.field(
        resolver=answer.node,
        metadata=answers(),
        graphql_type=Node | None,
        description="The object with this id; null when it does not exist or is not yours.",
        **requires(ApiScope.READ),
    )
    nodes = strawberry.field(
        resolver=answer.nodes,
        metadata=answers(),
        graphql_type=list[Node | None],
        description="The objects with these ids, in their order; null where one does not exist or is not yours.",
        **requires(ApiScope.READ),
    )
