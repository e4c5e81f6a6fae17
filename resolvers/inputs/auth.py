"""What is sent to open an account and to sign in."""

from datetime import datetime

import strawberry

from resolvers.inputs.scalars import EmailAddress
from resolvers.inputs.users import ApiScope

REMEMBER = (
    "Whether to stay signed in for long: a week without use and 30 days in any case, instead of half an hour and half a"
    " day. Servers may be set otherwise."
)
COOKIE = (
    "Whether the token goes into the cookie `__Host-graphmark`, which no script can read, instead of the payload. Only"
    " over HTTP, not over WebSockets and streams."
)


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
    remember: bool = strawberry.field(default=False, description=REMEMBER)
    cookie: bool = strawberry.field(default=False, description=COOKIE)


@strawberry.input(description="Credentials.")
class LoginInput:
    """For `login`."""

    email: EmailAddress = strawberry.field(description="The address of the account.")
    password: str = strawberry.field(description="Its password.")
    device_token: str | None = strawberry.field(
        default=None, description="From `verifyTotp` with `trustDevice`, on this device: no code is asked for again."
    )
    remember: bool = strawberry.field(default=False, description=REMEMBER)
    cookie: bool = strawberry.field(default=False, description=COOKIE)


@strawberry.input(description="The second step of a sign-in.")
class VerifyTotpInput:
    """For `verifyTotp`."""

    challenge_token: str = strawberry.field(description="From `login`; good for five minutes and at most five codes.")
    code: str = strawberry.field(
        description="6 digits of the authenticator app, or a recovery code; spaces, dashes and case do not count."
    )
    trust_device: bool = strawberry.field(
        default=False,
        description="Whether to give a token with which `login` asks for no code on this device for 30 days.",
    )
    remember: bool = strawberry.field(default=False, description=REMEMBER)
    cookie: bool = strawberry.field(default=False, description=COOKIE)


@strawberry.input(description="Who sets up a second factor.")
class EnableTotpInput:
    """For `enableTotp`."""

    password: str = strawberry.field(description="The password of the account.")


@strawberry.input(description="Proof that the authenticator app is set up.")
class ConfirmTotpInput:
    """For `confirmTotp`."""

    code: str = strawberry.field(description="6 digits of the authenticator app.")


@strawberry.input(description="Proof of both factors.")
class DisableTotpInput:
    """For `disableTotp`."""

    password: str = strawberry.field(description="The password of the account.")
    code: str = strawberry.field(description="6 digits of the authenticator app, or a recovery code.")


@strawberry.input(description="Proof of both factors.")
class RegenerateRecoveryCodesInput:
    """For `regenerateRecoveryCodes`."""

    password: str = strawberry.field(description="The password of the account.")
    code: str = strawberry.field(description="6 digits of the authenticator app, or a recovery code.")


@strawberry.input(description="A new password for the account that asks.")
class ChangePasswordInput:
    """For `changePassword`."""

    current_password: str = strawberry.field(description="The password until now.")
    new_password: str = strawberry.field(description="8 to 1,024 characters of any kind, not among the common ones.")


@strawberry.input(description="Who has forgotten a password.")
class RequestPasswordResetInput:
    """For `requestPasswordReset`."""

    email: EmailAddress = strawberry.field(description="The address of the account.")


@strawberry.input(description="A new password by the link in a mail.")
class ResetPasswordInput:
    """For `resetPassword`."""

    token: str = strawberry.field(description="What stands behind `token=` in the link; good for 30 minutes and once.")
    new_password: str = strawberry.field(description="8 to 1,024 characters of any kind, not among the common ones.")
    code: str | None = strawberry.field(
        default=None,
        description="A code of the second factor, or a recovery code; needed when the account has a second factor.",
    )


@strawberry.input(description="The confirmation of an address by the link in a mail.")
class VerifyEmailInput:
    """For `verifyEmail`."""

    token: str = strawberry.field(description="What stands behind `token=` in the link; good for 24 hours and once.")


@strawberry.input(description="Proof of whose account it is.")
class DeleteAccountInput:
    """For `deleteAccount`."""

    password: str = strawberry.field(
        description="The password; anything for an account that has none, which must have signed in just before."
    )
    code: str | None = strawberry.field(
        default=None,
        description="A code of the second factor, or a recovery code; needed when the account has a second factor.",
    )


@strawberry.input(description="How to hand over the next token.")
class RefreshSessionInput:
    """For `refreshSession`."""

    cookie: bool = strawberry.field(default=False, description=COOKIE + " Always so when a cookie signed the request.")


@strawberry.input(description="A session to end.")
class RevokeSessionInput:
    """For `revokeSession`."""

    id: strawberry.ID = strawberry.field(description="The session: one of yours, or anybody's for an administrator.")


@strawberry.input(description="A proof of who is asking.")
class ConfirmIdentityInput:
    """For `confirmIdentity`."""

    password: str = strawberry.field(description="The password of the account.")
    code: str | None = strawberry.field(
        default=None,
        description="6 digits of the authenticator app, or a recovery code; needed where there is a second factor.",
    )


@strawberry.input(description="A new API key.")
class CreateApiKeyInput:
    """For `createApiKey`."""

    name: str = strawberry.field(description="What it is for: 1 to 100 characters.")
    scopes: list[ApiScope] = strawberry.field(description="What it may be used for: at least one.")
    expires_at: datetime | None = strawberry.field(
        default=None, description="When it ends: in 90 days when left out, in 366 at the latest. Servers may differ."
    )


@strawberry.input(description="An API key to end.")
class RevokeApiKeyInput:
    """For `revokeApiKey`."""

    id: strawberry.ID = strawberry.field(description="The key: one of yours, or anybody's for an administrator.")
