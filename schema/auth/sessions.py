"""Where somebody is signed in, and what ends, renews and confirms a session."""

from datetime import datetime

import strawberry

from resolvers import auth as answer
from resolvers.live import PER_SESSION
from schema.auth.signing_in import Session
from schema.directives import signed_in
from schema.errors import UserError
from schema.node import Node, global_id, node_type


@strawberry.type(description="A device that is signed in to an account.")
@node_type
class UserSession(Node):
    """Answered by db.auth.SessionRow."""

    id = global_id("UserSession")
    device = strawberry.field(
        resolver=answer.device,
        graphql_type=str,
        description="What the device says it is, such as `Firefox on Linux`: at most 60 characters. It proves nothing.",
    )
    network_address: str = strawberry.field(description="The address that it was opened from.")
    created_at: datetime = strawberry.field(description="When it was opened.")
    last_seen_at: datetime = strawberry.field(description="When it was last used, to the minute.")
    authenticated_at: datetime = strawberry.field(description="When its bearer last proved who they are.")
    idle_expires_at: datetime = strawberry.field(description="When it ends if it is not used before.")
    expires_at: datetime = strawberry.field(description="When it ends in any case.")
    is_current = strawberry.field(
        resolver=answer.is_current,
        metadata={PER_SESSION: True},
        graphql_type=bool,
        description="Whether it is the session that asks.",
    )


@strawberry.type(description="The answer to `logout`.")
class LogoutPayload:
    """Answered by resolvers.mutation.Payload."""

    ended: bool | None = strawberry.field(description="Whether a session was ended by this.")
    user_errors: list[UserError] = strawberry.field(description="Why it was refused; empty when it was not.")


@strawberry.type(description="The answer to `refreshSession`.")
class RefreshSessionPayload:
    """Answered by resolvers.mutation.Payload."""

    session: Session | None = strawberry.field(description="The session with its next token; null when refused.")
    user_errors: list[UserError] = strawberry.field(description="Why it was refused; empty when it was not.")


@strawberry.type(description="The answer to `revokeSession`.")
class RevokeSessionPayload:
    """Answered by resolvers.mutation.Payload."""

    session: UserSession | None = strawberry.field(description="The session as it was; null when refused.")
    user_errors: list[UserError] = strawberry.field(description="Why it was refused; empty when it was not.")


@strawberry.type(description="The answer to `revokeOtherSessions`.")
class RevokeOtherSessionsPayload:
    """Answered by resolvers.mutation.Payload."""

    revoked_count: int | None = strawberry.field(description="How many sessions ended.")
    user_errors: list[UserError] = strawberry.field(description="Why it was refused; empty when it was not.")


@strawberry.type(description="The answer to `confirmIdentity`.")
class ConfirmIdentityPayload:
    """Answered by resolvers.mutation.Payload."""

    session: UserSession | None = strawberry.field(description="The session, confirmed; null when refused.")
    user_errors: list[UserError] = strawberry.field(description="Why it was refused; empty when it was not.")


@strawberry.type
class SessionMutation:
    """Ending, renewing and confirming sessions."""

    logout = strawberry.field(
        resolver=answer.logout,
        graphql_type=LogoutPayload,
        description="End the session that asks; its subscriptions end in every process.",
        **signed_in(while_enrolling=True),
    )
    refresh_session = strawberry.field(
        resolver=answer.refresh_session,
        graphql_type=RefreshSessionPayload,
        description="Give the session that asks its next token; it ends when it would have. The old token is good for"
        " ten more seconds, in which renewing it again gives the same one. Whoever shows it later ends the session.",
        **signed_in(),
    )
    revoke_session = strawberry.field(
        resolver=answer.revoke_session,
        graphql_type=RevokeSessionPayload,
        description="End a session; its subscriptions end in every process.",
        **signed_in(),
    )
    revoke_other_sessions = strawberry.field(
        resolver=answer.revoke_other_sessions,
        graphql_type=RevokeOtherSessionsPayload,
        description="End all your sessions but the one that asks.",
        **signed_in(),
    )
    confirm_identity = strawberry.field(
        resolver=answer.confirm_identity,
        graphql_type=ConfirmIdentityPayload,
        description="Prove again who you are; for ten minutes what demands it is open to this session.",
        **signed_in(),
    )
