"""The second factor: an authenticator app (TOTP, RFC 6238) and recovery codes."""

import strawberry

from resolvers import auth as answer
from schema.auth.signing_in import Session
from schema.directives import signed_in
from schema.errors import UserError

_REFUSED = "Why it was refused; empty when it was not."


@strawberry.type(description="The answer to `enableTotp`: what an authenticator app is set up with, shown only here.")
class EnableTotpPayload:
    """Answered by resolvers.mutation.Payload."""

    secret: str | None = strawberry.field(
        description="160 bits in base32, to type into the app (SHA-1, 6 digits, 30 seconds). Null when refused."
    )
    otpauth_uri: str | None = strawberry.field(description="The same as an `otpauth://` address. Null when refused.")
    qr_code_data_url: str | None = strawberry.field(
        description="The same as a QR code: a PNG picture in a `data:` address. Null when refused."
    )
    user_errors: list[UserError] = strawberry.field(description=_REFUSED)


@strawberry.type(description="The answer to `confirmTotp`.")
class ConfirmTotpPayload:
    """Answered by resolvers.mutation.Payload."""

    recovery_codes: list[str] | None = strawberry.field(
        description="10 codes, each good once in place of one of the app. Shown only here. Null when refused."
    )
    session: Session | None = strawberry.field(
        description="What goes on in place of a session that could do nothing but this, and has ended; else null."
    )
    user_errors: list[UserError] = strawberry.field(description=_REFUSED)


@strawberry.type(description="The answer to `disableTotp`.")
class DisableTotpPayload:
    """Answered by resolvers.mutation.Payload."""

    disabled: bool | None = strawberry.field(description="True when it is off now; null when refused.")
    user_errors: list[UserError] = strawberry.field(description=_REFUSED)


@strawberry.type(description="The answer to `regenerateRecoveryCodes`.")
class RegenerateRecoveryCodesPayload:
    """Answered by resolvers.mutation.Payload."""

    recovery_codes: list[str] | None = strawberry.field(
        description="10 new codes, shown only here; all earlier ones open nothing any more. Null when refused."
    )
    user_errors: list[UserError] = strawberry.field(description=_REFUSED)


@strawberry.type
class FactorMutation:
    """The second factor of whoever asks."""

    enable_totp = strawberry.field(
        resolver=answer.enable_totp,
        graphql_type=EnableTotpPayload,
        description=(
            "Begin to set up a second factor. It counts once `confirmTotp` has been given a code, within an hour;"
            " asking again replaces what was begun. CONFLICT when a second factor is on."
        ),
        **signed_in(while_enrolling=True),
    )
    confirm_totp = strawberry.field(
        resolver=answer.confirm_totp,
        graphql_type=ConfirmTotpPayload,
        description="Let the second factor count. All other sessions of the account end.",
        **signed_in(while_enrolling=True),
    )
    disable_totp = strawberry.field(
        resolver=answer.disable_totp,
        graphql_type=DisableTotpPayload,
        description="Switch the second factor off, with its recovery codes. All other sessions of the account end, and"
        " this one where a factor is demanded.",
        **signed_in(),
    )
    regenerate_recovery_codes = strawberry.field(
        resolver=answer.regenerate_recovery_codes,
        graphql_type=RegenerateRecoveryCodesPayload,
        description="Make 10 new recovery codes in place of all earlier ones.",
        **signed_in(),
    )
