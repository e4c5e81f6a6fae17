"""The one schema, merged from the parts of the domains."""

import strawberry
from strawberry.schema.config import StrawberryConfig
from strawberry.tools import merge_types
from strawberry.types import get_object_definition

from schema.auth import AuthMutation
from schema.node import NodeQuery
from schema.scalars import SCALARS
from schema.users import UserQuery

QUERIES = (NodeQuery, UserQuery)
MUTATIONS = (AuthMutation,)
SUBSCRIPTIONS: tuple[type, ...] = ()


def build_schema() -> strawberry.Schema:
    """Return the schema. Building takes a good part of a second: do it once per process."""
    query = merge_types("Query", QUERIES)
    mutation = merge_types("Mutation", MUTATIONS)
    subscription = merge_types("Subscription", SUBSCRIPTIONS) if SUBSCRIPTIONS else None
    describe(query, "Reading. Nothing here changes anything.")
    describe(mutation, "Changing. Each field is one transaction: all of it or nothing.")
    return strawberry.Schema(
        query=query, mutation=mutation, subscription=subscription, config=StrawberryConfig(scalar_map=SCALARS)
    )


def describe(merged: type, description: str) -> None:
    """Give a merged root type its description, which merging has no argument for."""
    get_object_definition(merged, strict=True).description = description
