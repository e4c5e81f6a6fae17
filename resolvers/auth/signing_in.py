"""Accounts and sessions: who asks is decided here, what is true in services.auth."""

from typing import Annotated, Any

import strawberry

from kit.errors import Forbidden, Unauthenticated
from kit.rates.budgets import network_of
from resolvers.auth.cookies import check_cookie, hand_over
from resolvers.context import Context, Info
from resolvers.inputs.auth import LoginInput, RegisterInput, VerifyTotpInput
from resolvers.mutation import Payload, refusable
from services import auth
from services.auth import Accounts, Challenge, Device, SignedIn

Registration = Annotated[RegisterInput, strawberry.argument(description="The account to open.")]
Credentials = Annotated[LoginInput, strawberry.argument(description="Who signs in.")]
SecondStep = Annotated[VerifyTotpInput, strawberry.argument(description="What answers the challenge.")]


async def register(info: Info, input: Registration) -> Payload:  # noqa: A002  the name of the API
    """Open an account and sign it in."""

    async def work() -> Payload:
        check_cookie(info.context, wanted=input.cookie)
        await info.context.services.limits.registration(network_of(info.context.network_address))
        signed_in = await auth.register(
            accounts_of(info.context),
            email=input.email,
            password=input.password,
            name=input.name,
            invite_token=input.invite_token,
            device=device_of(info.context, is_remembered=input.remember),
        )
        return _welcome(info.context, signed_in, input)

    return await refusable(work(), Forbidden)


async def login(info: Info, input: Credentials) -> Payload:  # noqa: A002  the name of the API
    """Open a session."""

    async def work() -> Payload:
        check_cookie(info.context, wanted=input.cookie)
        opened = await auth.login(
            accounts_of(info.context),
            email=input.email,
            password=input.password,
            device=device_of(info.context, is_remembered=input.remember),
            device_token=input.device_token,
        )
        return Payload(challenge=opened) if isinstance(opened, Challenge) else _welcome(info.context, opened, input)

    return await refusable(work(), Unauthenticated)


async def verify_totp(info: Info, input: SecondStep) -> Payload:  # noqa: A002  the name of the API
    """Open the session that a password alone did not."""

    async def work() -> Payload:
        check_cookie(info.context, wanted=input.cookie)
        verified = await auth.verify(
            accounts_of(info.context),
            challenge_token=input.challenge_token,
            code=input.code,
            device=device_of(info.context, is_remembered=input.remember),
            trust_device=input.trust_device,
        )
        return _welcome(info.context, verified.signed_in, input, device_token=verified.device_token)

    return await refusable(work(), Unauthenticated)


def accounts_of(context: Context) -> Accounts:
    """Return what the services of accounts need."""
    return Accounts(context.unwalled, context.services.passwords, context.settings)


def device_of(context: Context, *, is_remembered: bool = False) -> Device:
    """Return where a request comes from, and whether a session that it opens is to last long."""
    return Device(context.user_agent, context.network_address, is_remembered)


def _welcome(
    context: Context, signed_in: SignedIn, given: RegisterInput | LoginInput | VerifyTotpInput, **more: Any
) -> Payload:
    session = hand_over(context, signed_in, wanted=given.cookie, is_remembered=given.remember)
    return Payload(session=session, user=signed_in.user, **more)
