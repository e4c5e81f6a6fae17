"""Accounts and sessions: who asks is decided here, what is true in services.auth."""

from typing import Annotated

import strawberry

from db.unit import Unit
from kit.errors import Forbidden, Unauthenticated
from kit.rates.budgets import network_of
from resolvers.context import Context, Info, viewer_of
from resolvers.inputs.auth import LoginInput, RegisterInput, VerifyTotpInput
from resolvers.mutation import Payload, change, refusable
from services import auth
from services.auth import Accounts, Challenge, Device, SignedIn

Registration = Annotated[RegisterInput, strawberry.argument(description="The account to open.")]
Credentials = Annotated[LoginInput, strawberry.argument(description="Who signs in.")]
SecondStep = Annotated[VerifyTotpInput, strawberry.argument(description="What answers the challenge.")]


async def register(info: Info, input: Registration) -> Payload:  # noqa: A002  the name of the API
    """Open an account and sign it in."""

    async def work() -> Payload:
        await info.context.services.limits.registration(network_of(info.context.network_address))
        signed_in = await auth.register(
            accounts_of(info.context),
            email=input.email,
            password=input.password,
            name=input.name,
            invite_token=input.invite_token,
            device=device_of(info.context),
        )
        return _welcome(signed_in)

    return await refusable(work(), Forbidden)


async def login(info: Info, input: Credentials) -> Payload:  # noqa: A002  the name of the API
    """Open a session."""

    async def work() -> Payload:
        opened = await auth.login(
            accounts_of(info.context),
            email=input.email,
            password=input.password,
            device=device_of(info.context),
            device_token=input.device_token,
        )
        return Payload(challenge=opened) if isinstance(opened, Challenge) else _welcome(opened)

    return await refusable(work(), Unauthenticated)


async def verify_totp(info: Info, input: SecondStep) -> Payload:  # noqa: A002  the name of the API
    """Open the session that a password alone did not."""

    async def work() -> Payload:
        verified = await auth.verify(
            accounts_of(info.context),
            challenge_token=input.challenge_token,
            code=input.code,
            device=device_of(info.context),
            trust_device=input.trust_device,
        )
        signed_in = verified.signed_in
        return Payload(session=signed_in, user=signed_in.user, device_token=verified.device_token)

    return await refusable(work(), Unauthenticated)


async def logout(info: Info) -> Payload:
    """End the session that asks."""
    viewer = viewer_of(info)

    async def work(unit: Unit) -> Payload:
        return Payload(ended=await auth.logout(unit, viewer))

    return await change(info, work, database=info.context.unwalled)


def accounts_of(context: Context) -> Accounts:
    """Return what the services of accounts need."""
    return Accounts(context.unwalled, context.services.passwords, context.settings)


def device_of(context: Context) -> Device:
    """Return where a request comes from."""
    return Device(user_agent=context.user_agent, network_address=context.network_address)


def _welcome(signed_in: SignedIn) -> Payload:
    return Payload(session=signed_in, user=signed_in.user)
