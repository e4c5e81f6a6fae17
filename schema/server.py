"""What this server is and can do."""

import strawberry

from resolvers import server as answer
from resolvers.inputs.scalars import BigInt
from resolvers.inputs.server import Registration, SignInKind
from schema.directives import public


@strawberry.type(description="Something that may be switched off or missing on this server.")
class ServerCapability:
    """Answered by resolvers.server.Capability."""

    name: str = strawberry.field(description="Stable name, such as `vector_search`.")
    is_available: bool = strawberry.field(description="Whether it works here.")
    detail: str = strawberry.field(description="What does it, or what is missing.")


@strawberry.type(description="Limits that a client should know before it asks.")
class ServerLimits:
    """Answered by resolvers.server.LimitsView."""

    max_page_size: int = strawberry.field(description="Largest `first` or `last`, in rows.")
    max_query_depth: int = strawberry.field(description="Deepest nesting of fields in one document.")
    max_query_aliases: int = strawberry.field(description="Most aliases in one document.")
    max_query_cost: int = strawberry.field(description="Most that one operation may cost, in points.")
    max_upload_bytes: BigInt = strawberry.field(description="Largest file to upload, in bytes.")
    max_bookmarks: int = strawberry.field(description="Most bookmarks of one account.")
    max_subscriptions_per_connection: int = strawberry.field(description="Most subscriptions on one WebSocket.")


@strawberry.type(description="A way to sign in to this server.")
class SignInMethod:
    """Answered by resolvers.server.SignInView."""

    kind: SignInKind = strawberry.field(description="How it is done.")
    name: str = strawberry.field(description="What to write on its button.")
    path: str | None = strawberry.field(
        description="Where to send a browser, `?next=/path` leads back; null where the mutation `login` does it."
    )


@strawberry.type(description="What this server is and can do.")
class ServerInfo:
    """Answered by resolvers.server.ServerView."""

    version: str = strawberry.field(description="Version of Graphmark.")
    registration: Registration = strawberry.field(description="Who may open an account here.")
    sign_in_methods: list[SignInMethod] = strawberry.field(description="How people sign in here.")
    capabilities: list[ServerCapability] = strawberry.field(description="What works here and what does not.")
    limits: ServerLimits = strawberry.field(description="Limits that a client should know before it asks.")


@strawberry.type
class ServerQuery:
    """Asking about the server."""

    server_info = strawberry.field(
        resolver=answer.server_info,
        graphql_type=ServerInfo,
        description="Version, capabilities and limits. Open to everybody.",
        **public(),
    )
