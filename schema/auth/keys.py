"""API keys: what programs show instead of a password."""

from datetime import datetime

import strawberry

from resolvers import auth as answer
from resolvers.inputs.users import ApiScope
from schema.directives import signed_in
from schema.errors import UserError
from schema.node import Node, global_id, node_type


@strawberry.type(description="An API key, without its secret.")
@node_type
class ApiKey(Node):
    """Answered by db.auth.ApiKeyRow."""

    id = global_id("ApiKey")
    name: str = strawberry.field(description="What it is for: 1 to 100 characters.")
    prefix: str = strawberry.field(description="How the key begins: 10 characters, to know it again.")
    scopes: list[ApiScope] = strawberry.field(description="What it may be used for.")
    created_at: datetime = strawberry.field(description="When it was made.")
    expires_at: datetime = strawberry.field(description="When it ends.")
    last_used_at: datetime | None = strawberry.field(description="When it was last used, to the minute.")


@strawberry.type(description="The answer to `createApiKey`.")
class CreateApiKeyPayload:
    """Answered by resolvers.mutation.Payload."""

    token: str | None = strawberry.field(
        description="Send it as `Authorization: Bearer <token>`. Shown only here; null when refused."
    )
    api_key: ApiKey | None = strawberry.field(description="The key; null when refused.")
    user_errors: list[UserError] = strawberry.field(description="Why it was refused; empty when it was not.")


@strawberry.type(description="The answer to `revokeApiKey`.")
class RevokeApiKeyPayload:
    """Answered by resolvers.mutation.Payload."""

    revoked_id: strawberry.ID | None = strawberry.field(description="The key that is gone; null when refused.")
    user_errors: list[UserError] = strawberry.field(description="Why it was refused; empty when it was not.")


@strawberry.type
class ApiKeyMutation:
    """Making and ending API keys."""

    create_api_key = strawberry.field(
        resolver=answer.create_api_key,
        graphql_type=CreateApiKeyPayload,
        description="Make an API key: at most 50 for each account. Needs a sign-in or `confirmIdentity` of the last ten"
        " minutes.",
        **signed_in(),
    )
    revoke_api_key = strawberry.field(
        resolver=answer.revoke_api_key,
        graphql_type=RevokeApiKeyPayload,
        description="End an API key; its subscriptions end in every process.",
        **signed_in(),
    )
