"""What is sent to open an account and to sign in."""

import strawberry

from resolvers.inputs.scalars import EmailAddress


@strawberry.input(description="A new account.")
class RegisterInput:
    """For `register`."""

    email: EmailAddress = strawberry.field(description="The address to sign in with; unique on this server.")
    password: str = strawberry.field(description="8 to 1,024 characters; any composition.")
    name: str = strawberry.field(description="How the account is shown: 1 to 100 characters.")
    invite_token: str | None = strawberry.field(
        default=None,
        description="From an invitation or the one-time set-up link, which makes the account an administrator.",
    )


@strawberry.input(description="Credentials.")
class LoginInput:
    """For `login`."""

    email: EmailAddress = strawberry.field(description="The address of the account.")
    password: str = strawberry.field(description="Its password.")
