"""The second factor in the graph."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

import strawberry

from db.auth import FactorState
from db.unit import Rows
from db.users import UserRow
from kit.errors import Unauthenticated
from resolvers.auth.cookies import hand_back
from resolvers.auth.signing_in import accounts_of, device_of
from resolvers.context import Info, viewer_of
from resolvers.inputs.auth import ConfirmTotpInput, DisableTotpInput, EnableTotpInput, RegenerateRecoveryCodesInput
from resolvers.loaders import load
from resolvers.mutation import Payload, refusable
from services import auth
from services.permissions import Role

Enabling = Annotated[EnableTotpInput, strawberry.argument(description="Who sets up a second factor.")]
Confirming = Annotated[ConfirmTotpInput, strawberry.argument(description="Proof that the app is set up.")]
Disabling = Annotated[DisableTotpInput, strawberry.argument(description="Proof of both factors.")]
Renewing = Annotated[RegenerateRecoveryCodesInput, strawberry.argument(description="Proof of both factors.")]


async def enable_totp(info: Info, input: Enabling) -> Payload:  # noqa: A002  the name of the API
    """Begin to set up a second factor."""
    viewer = viewer_of(info)

    async def work() -> Payload:
        enrolment = await auth.enable(
            accounts_of(info.context), viewer, password=input.password, device=device_of(info.context)
        )
        return Payload(
            secret=enrolment.secret,
            otpauth_uri=enrolment.otpauth_uri,
            qr_code_data_url=enrolment.qr_code_data_url,
        )

    return await refusable(work(), Unauthenticated)


async def confirm_totp(info: Info, input: Confirming) -> Payload:  # noqa: A002  the name of the API
    """Let the second factor count."""
    viewer = viewer_of(info)

    async def work() -> Payload:
        enrolled = await auth.confirm(
            accounts_of(info.context), viewer, code=input.code, device=device_of(info.context)
        )
        session = None if enrolled.session is None else hand_back(info.context, enrolled.session)
        return Payload(recovery_codes=enrolled.recovery_codes, session=session)

    return await refusable(work(), Unauthenticated)


async def disable_totp(info: Info, input: Disabling) -> Payload:  # noqa: A002  the name of the API
    """Switch the second factor off."""
    viewer = viewer_of(info)

    async def work() -> Payload:
        await auth.disable(
            accounts_of(info.context),
            viewer,
            password=input.password,
            code=input.code,
            device=device_of(info.context),
        )
        return Payload(disabled=True)

    return await refusable(work(), Unauthenticated)


async def regenerate_recovery_codes(info: Info, input: Renewing) -> Payload:  # noqa: A002  the name of the API
    """Replace the recovery codes."""
    viewer = viewer_of(info)

    async def work() -> Payload:
        codes = await auth.regenerate(
            accounts_of(info.context),
            viewer,
            password=input.password,
            code=input.code,
            device=device_of(info.context),
        )
        return Payload(recovery_codes=codes)

    return await refusable(work(), Unauthenticated)


async def is_totp_enabled(root: strawberry.Parent[UserRow], info: Info) -> bool | None:
    """Tell whether an account has a second factor; None for other accounts than one's own, administrators aside."""
    state = await _state(info, root)
    return None if state is None else state.is_enabled


async def is_totp_required(root: strawberry.Parent[UserRow], info: Info) -> bool | None:
    """Tell whether this server demands a second factor of an account; None as above."""
    if not _may_know(info, root):
        return None
    return auth.must_enrol(info.context.settings, Role(root.role), has_factor=False)


async def recovery_codes_left(root: strawberry.Parent[UserRow], info: Info) -> int | None:
    """Count the recovery codes that were not used; None as above."""
    state = await _state(info, root)
    return None if state is None else state.codes_left


def _may_know(info: Info, user: UserRow) -> bool:
    viewer = viewer_of(info)
    return viewer.id == user.id or viewer.role is Role.ADMIN


async def _state(info: Info, user: UserRow) -> FactorState | None:
    if not _may_know(info, user):
        return None

    async def fetch(_rows: Rows, _viewer_id: UUID, keys: Sequence[UUID]) -> dict[UUID, FactorState]:
        return await auth.factor_states(info.context.unwalled, keys)

    return await load(info, "factor states", user.id, fetch)
