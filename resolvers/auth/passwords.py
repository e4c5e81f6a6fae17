"""Passwords and confirmed addresses in the graph."""

from typing import Annotated

import strawberry

from kit.errors import Forbidden, Unauthenticated
from kit.rates.budgets import network_of
from resolvers.auth.signing_in import accounts_of, device_of
from resolvers.context import Context, Info, viewer_of
from resolvers.inputs.auth import (
    ChangePasswordInput,
    DeleteAccountInput,
    RequestPasswordResetInput,
    ResetPasswordInput,
    VerifyEmailInput,
)
from resolvers.mutation import Payload, refusable
from services import auth
from services.users import email_key

Changing = Annotated[ChangePasswordInput, strawberry.argument(description="The password until now, and the new one.")]
Asking = Annotated[RequestPasswordResetInput, strawberry.argument(description="Who has forgotten a password.")]
Resetting = Annotated[ResetPasswordInput, strawberry.argument(description="The link, and the new password.")]
Deleting = Annotated[DeleteAccountInput, strawberry.argument(description="Proof of whose account it is.")]
Verifying = Annotated[VerifyEmailInput, strawberry.argument(description="The link.")]


async def change_password(info: Info, input: Changing) -> Payload:  # noqa: A002  the name of the API
    """Set one's own password."""
    viewer = viewer_of(info)

    async def work() -> Payload:
        await auth.change_password(
            accounts_of(info.context),
            viewer,
            current_password=input.current_password,
            new_password=input.new_password,
            device=device_of(info.context),
        )
        return Payload(changed=True)

    return await refusable(work(), Unauthenticated, Forbidden)


async def request_password_reset(info: Info, input: Asking) -> Payload:  # noqa: A002  the name of the API
    """Have a link for a new password sent, if there is such an account."""

    async def work() -> Payload:
        await _count_mail(info.context, input.email)
        await auth.request_reset(accounts_of(info.context), email=input.email, device=device_of(info.context))
        return Payload(accepted=True)

    return await refusable(work(), Forbidden)


async def reset_password(info: Info, input: Resetting) -> Payload:  # noqa: A002  the name of the API
    """Set a new password by the link in a mail."""

    async def work() -> Payload:
        await auth.reset_password(
            accounts_of(info.context),
            token=input.token,
            new_password=input.new_password,
            code=input.code,
            device=device_of(info.context),
        )
        return Payload(reset=True)

    return await refusable(work(), Unauthenticated, Forbidden)


async def request_email_verification(info: Info) -> Payload:
    """Have another link sent that confirms one's address."""
    viewer = viewer_of(info)

    async def work() -> Payload:
        accounts = accounts_of(info.context)
        await _count_mail(info.context, (await auth.unverified(accounts, viewer)).email)
        await auth.request_verification(accounts, viewer)
        return Payload(accepted=True)

    return await refusable(work())


async def verify_email(info: Info, input: Verifying) -> Payload:  # noqa: A002  the name of the API
    """Confirm an address by the link in a mail."""

    async def work() -> Payload:
        await auth.verify_email(accounts_of(info.context), token=input.token, device=device_of(info.context))
        return Payload(verified=True)

    return await refusable(work())


async def delete_account(info: Info, input: Deleting) -> Payload:  # noqa: A002  the name of the API
    """Delete one's own account and all that it holds."""
    viewer = viewer_of(info)

    async def work() -> Payload:
        await auth.delete_account(
            accounts_of(info.context),
            viewer,
            password=input.password,
            code=input.code,
            device=device_of(info.context),
        )
        return Payload(deleted=True)

    return await refusable(work(), Unauthenticated, Forbidden)


async def _count_mail(context: Context, email: str) -> None:
    """Ask the budgets of mails, whether or not the address has an account."""
    await context.services.limits.mail(email_key=email_key(email), network=network_of(context.network_address))
