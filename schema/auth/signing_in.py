"""Opening accounts and signing in."""

from datetime import datetime

import strawberry

from resolvers import auth as answer
from schema.directives import public
from schema.errors import UserError
from schema.users import User


@strawberry.type(description="A signed-in device.")
class Session:
    """Answered by resolvers.auth.cookies.HandedOver."""

    token: str | None = strawberry.field(
        description="Send it as `Authorization: Bearer <token>`. Shown only here; null where the cookie holds it."
    )
    expires_at: datetime = strawberry.field(description="When it ends in any case; it ends earlier without use.")


@strawberry.type(description="The second step of a sign-in, when the account has a second factor.")
class LoginChallenge:
    """A promise that a password was right, good for nothing but `verifyTotp`."""

    token: str = strawberry.field(description="To be sent with the code of the second factor.")
    expires_at: datetime = strawberry.field(description="When the sign-in has to start again.")


@strawberry.type(description="The answer to `register`.")
class RegisterPayload:
    """Answered by resolvers.mutation.Payload."""

    session: Session | None = strawberry.field(description="The session of the new account; null when refused.")
    user: User | None = strawberry.field(description="The new account; null when refused.")
    user_errors: list[UserError] = strawberry.field(description="Why it was refused; empty when it was not.")


@strawberry.type(description="The answer to `login`.")
class LoginPayload:
    """Answered by resolvers.mutation.Payload."""

    session: Session | None = strawberry.field(description="The new session; null when refused or challenged.")
    challenge: LoginChallenge | None = strawberry.field(description="Present when a second factor is due.")
    user: User | None = strawberry.field(description="Who signed in; null until the session is there.")
    user_errors: list[UserError] = strawberry.field(description="Why it was refused; empty when it was not.")


@strawberry.type(description="The answer to `verifyTotp`.")
class VerifyTotpPayload:
    """Answered by resolvers.mutation.Payload."""

    session: Session | None = strawberry.field(description="The new session; null when refused.")
    user: User | None = strawberry.field(description="Who signed in; null when refused.")
    device_token: str | None = strawberry.field(
        description="For `login` on this device in the next 30 days, when `trustDevice` was asked for; else null."
    )
    user_errors: list[UserError] = strawberry.field(description="Why it was refused; empty when it was not.")


@strawberry.type
class SignInMutation:
    """Opening accounts and signing in."""

    register = strawberry.field(
        resolver=answer.register,
        graphql_type=RegisterPayload,
        description="Open an account and sign it in.",
        **public(),
    )
    login = strawberry.field(
        resolver=answer.login,
        graphql_type=LoginPayload,
        description="Sign in.",
        **public(),
    )
    verify_totp = strawberry.field(
        resolver=answer.verify_totp,
        graphql_type=VerifyTotpPayload,
        description="Complete a sign-in with a code of the app, or with a recovery code; each works once.",
        **public(),
    )
