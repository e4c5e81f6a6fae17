"""The one schema, merged from the parts of the domains."""

import strawberry
from graphql import GraphQLError
from strawberry.schema.config import StrawberryConfig
from strawberry.tools import merge_types
from strawberry.types import ExecutionContext, get_object_definition

from resolvers.compiled import CompiledExecutor
from schema.admin import AdminMutation, AdminQuery
from schema.agents import AgentMutation, AgentQuery, AgentSubscription
from schema.audit import AuditQuery
from schema.auth import AuthMutation, FactorMutation, PasswordMutation
from schema.bookmarks import BookmarkMutation, BookmarkQuery, BookmarkSubscription
from schema.categorization import CategorizationMutation, CategorizationQuery
from schema.collections import CollectionMutation, CollectionQuery
from schema.imports import ImportMutation, ImportQuery, ImportSubscription
from schema.node import NodeQuery
from schema.rules import RuleMutation, RuleQuery
from schema.scalars import SCALARS
from schema.search import SearchQuery
from schema.server import ServerQuery
from schema.tags import TagMutation, TagQuery
from schema.users import UserQuery
from schema.validation import ValidationMutation, ValidationQuery

QUERIES = (
    NodeQuery,
    BookmarkQuery,
    CollectionQuery,
    TagQuery,
    CategorizationQuery,
    RuleQuery,
    ImportQuery,
    AgentQuery,
    ValidationQuery,
    SearchQuery,
    ServerQuery,
    UserQuery,
    AuditQuery,
    AdminQuery,
)
MUTATIONS = (
    AuthMutation,
    FactorMutation,
    PasswordMutation,
    BookmarkMutation,
    CollectionMutation,
    TagMutation,
    CategorizationMutation,
    ValidationMutation,
    RuleMutation,
    ImportMutation,
    AgentMutation,
    AdminMutation,
)
SUBSCRIPTIONS: tuple[type, ...] = (BookmarkSubscription, ImportSubscription, AgentSubscription)


class Schema(strawberry.Schema):
    """Strawberry's schema, which leaves it to the transport to tell a client's mistake from a fault worth logging."""

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Log nothing here: app.graphql.errors does, once, with the request's id."""


def build_schema() -> Schema:
    """Return the schema. Building takes a good part of a second: do it once per process."""
    query = merge_types("Query", QUERIES)
    mutation = merge_types("Mutation", MUTATIONS)
    subscription = merge_types("Subscription", SUBSCRIPTIONS) if SUBSCRIPTIONS else None
    describe(query, "Reading. Nothing here changes anything.")
    describe(mutation, "Changing. Each field is one transaction: all of it or nothing.")
    if subscription is not None:
        describe(subscription, "Following. Each event carries a cursor; sent as `after`, it resumes without a gap.")
    return Schema(
        query=query,
        mutation=mutation,
        subscription=subscription,
        config=StrawberryConfig(scalar_map=SCALARS),
        execution_context_class=CompiledExecutor,
    )


def sdl() -> str:
    """Return the schema as text, as schema/schema.graphql holds it."""
    return build_schema().as_str()


def describe(merged: type, description: str) -> None:
    """Give a merged root type its description, which merging has no argument for."""
    get_object_definition(merged, strict=True).description = description
