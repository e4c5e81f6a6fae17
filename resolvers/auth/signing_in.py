"""Accounts and sessions: who asks is decided here, what is true in services.auth."""

from typing import Annotated

import strawberry

from db.unit import Unit
from kit.errors import Forbidden, Unauthenticated
from kit.rates.budgets import network_of
from resolvers.context import Context, Info, viewer_of
from resolvers.inputs.auth import LoginInput, RegisterInput
from resolvers.mutation import Payload, change, refusable
from services import auth
from services.auth import Accounts, Device, SignedIn

Registration = Annotated[RegisterInput, strawberry.argument(description="The account to open.")]
Credentials = Annotated[LoginInput, strawberry.argument(description="Who signs in.")]


async def register(info: Info, input: Registration) -> Payload:  # noqa: A002  the name of the API
    """Open an account and sign it in."""

    async def work() -> Payload:
        await info.context.services.limits.registration(network_of(info.context.network_address))
        signed_in = await auth.register(
            _accounts(info.context),
            email=input.email,
            password=input.password,
            name=input.name,
            invite_token=input.invite_token,
            device=_device(info.context),
        )
        return _welcome(signed_in)

    return await refusable(work(), Forbidden)


async def login(info: Info, input: Credentials) -> Payload:  # noqa: A002  the name of the API
    """Open a session."""

    async def work() -> Payload:
        return _welcome(
            await auth.login(
                _accounts(info.context), email=input.email, password=input.password, device=_device(info.context)
            )
        )

    return await refusable(work(), Unauthenticated)


async def logout(info: Info) -> Payload:
    """End the session that asks."""
    viewer = viewer_of(info)

    async def work(unit: Unit) -> Payload:
        return Payload(ended=await auth.logout(unit, viewer))

    return await change(info, work)


def _accounts(context: Context) -> Accounts:
    return Accounts(context.database, context.services.passwords, context.settings)


def _device(context: Context) -> Device:
    return Device(user_agent=context.user_agent, network_address=context.network_address)


def _welcome(signed_in: SignedIn) -> Payload:
    return Payload(session=signed_in, user=signed_in.user)
