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
    device_token: str | None = strawberry.field(
        default=None, description="From `verifyTotp` with `trustDevice`, on this device: no code is asked for again."
    )


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
