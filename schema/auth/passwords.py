"""Passwords and confirmed addresses in the schema."""

import strawberry

from resolvers import auth as answer
from schema.directives import public, signed_in
from schema.errors import UserError

_REFUSED = "Why it was refused; empty when it was not."


@strawberry.type(description="The answer to `changePassword`.")
class ChangePasswordPayload:
    """Answered by resolvers.mutation.Payload."""

    changed: bool | None = strawberry.field(description="True when the new password counts; null when refused.")
    user_errors: list[UserError] = strawberry.field(description=_REFUSED)


@strawberry.type(description="The answer to `requestPasswordReset`: the same whether or not there is such an account.")
class RequestPasswordResetPayload:
    """Answered by resolvers.mutation.Payload."""

    accepted: bool | None = strawberry.field(description="True when it was taken down; null when refused.")
    user_errors: list[UserError] = strawberry.field(description=_REFUSED)


@strawberry.type(description="The answer to `resetPassword`. Nobody is signed in by it.")
class ResetPasswordPayload:
    """Answered by resolvers.mutation.Payload."""

    reset: bool | None = strawberry.field(description="True when the new password counts; null when refused.")
    user_errors: list[UserError] = strawberry.field(description=_REFUSED)


@strawberry.type(description="The answer to `requestEmailVerification`.")
class RequestEmailVerificationPayload:
    """Answered by resolvers.mutation.Payload."""

    accepted: bool | None = strawberry.field(description="True when a mail is on its way; null when refused.")
    user_errors: list[UserError] = strawberry.field(description=_REFUSED)


@strawberry.type(description="The answer to `verifyEmail`.")
class VerifyEmailPayload:
    """Answered by resolvers.mutation.Payload."""

    verified: bool | None = strawberry.field(description="True when the address is confirmed; null when refused.")
    user_errors: list[UserError] = strawberry.field(description=_REFUSED)


@strawberry.type(description="The answer to `deleteAccount`.")
class DeleteAccountPayload:
    """Answered by resolvers.mutation.Payload."""

    deleted: bool | None = strawberry.field(
        description="True when the account opens nothing any more; what it holds is removed soon. Null when refused."
    )
    user_errors: list[UserError] = strawberry.field(description=_REFUSED)


@strawberry.type
class PasswordMutation:
    """Passwords and confirmed addresses."""

    change_password = strawberry.field(
        resolver=answer.change_password,
        graphql_type=ChangePasswordPayload,
        description="Set your password. All other sessions of the account end, and it is told by mail.",
        **signed_in(),
    )
    request_password_reset = strawberry.field(
        resolver=answer.request_password_reset,
        graphql_type=RequestPasswordResetPayload,
        description=(
            "Have a link for a new password mailed to an address, if it has an account. It is good for 30 minutes and"
            " once; asking again voids the one before."
        ),
        **public(),
    )
    reset_password = strawberry.field(
        resolver=answer.reset_password,
        graphql_type=ResetPasswordPayload,
        description=(
            "Set a new password by the link in a mail. All sessions of the account end; nobody is signed in. An account"
            " with a second factor needs a code of it, which is told as a BAD_USER_INPUT at `code`."
        ),
        **public(),
    )
    request_email_verification = strawberry.field(
        resolver=answer.request_email_verification,
        graphql_type=RequestEmailVerificationPayload,
        description="Have another link mailed that confirms your address, good for 24 hours; earlier ones are void.",
        **signed_in(),
    )
    delete_account = strawberry.field(
        resolver=answer.delete_account,
        graphql_type=DeleteAccountPayload,
        description=(
            "Delete your account and everything in it, for good. It opens nothing from this moment on; what it holds is"
            " removed within minutes. CONFLICT for the last administrator."
        ),
        **signed_in(),
    )
    verify_email = strawberry.field(
        resolver=answer.verify_email,
        graphql_type=VerifyEmailPayload,
        description="Confirm an address by the link in a mail.",
        **public(),
    )
