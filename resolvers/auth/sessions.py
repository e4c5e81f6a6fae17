"""Sessions in the graph: where somebody is signed in, ending, renewing and confirming."""

from typing import Annotated
from uuid import UUID

import strawberry

from db.auth import SessionRow
from db.auth import sessions as rows
from db.unit import Unit
from db.users import UserRow
from kit.errors import BadInput, Unauthenticated
from kit.ids import decode_global_id
from kit.paging import page_request
from resolvers.auth.cookies import hand_over, take_back
from resolvers.auth.signing_in import accounts_of, device_of
from resolvers.context import Info, viewer_of
from resolvers.inputs.auth import ConfirmIdentityInput, RefreshSessionInput, RevokeSessionInput
from resolvers.mutation import Payload, change, refusable
from resolvers.paging import After, Before, ConnectionRows, First, Last, connection
from resolvers.shaped import shape_of
from services import auth
from services.auth import seeing

TYPE = "UserSession"
SOURCE = rows.SOURCE
Refresh = Annotated[RefreshSessionInput, strawberry.argument(description="How to hand over the next token.")]
Revoke = Annotated[RevokeSessionInput, strawberry.argument(description="Which session.")]
Confirm = Annotated[ConfirmIdentityInput, strawberry.argument(description="The proof.")]


async def of_user(
    root: strawberry.Parent[UserRow],
    info: Info,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> ConnectionRows[SessionRow]:
    """Return where an account is signed in, newest first."""
    viewer, database = viewer_of(info), info.context.unwalled
    request = page_request(seeing.ORDER, seeing.KINDS, first=first, after=after, last=last, before=before)
    placed = await auth.page_of_sessions(database, viewer, root.id, request)
    return connection(request, seeing.ORDER, placed, lambda: auth.count_sessions(database, viewer, root.id))


async def find_session(info: Info, key: UUID) -> SessionRow | None:
    """Return one session that stands, if the viewer may see it."""
    return await auth.get_session(info.context.unwalled, viewer_of(info), key, shape_of(info, TYPE, rows.WHOLE))


def device(root: strawberry.Parent[SessionRow]) -> str:
    """Return what the device of a session is called."""
    return auth.device_name(root.user_agent)


def is_current(root: strawberry.Parent[SessionRow], info: Info) -> bool:
    """Tell whether it is the session that asks."""
    return viewer_of(info).session_id == root.id


async def logout(info: Info) -> Payload:
    """End the session that asks."""
    viewer, device = viewer_of(info), device_of(info.context)

    async def work(unit: Unit) -> Payload:
        return Payload(ended=await auth.logout(unit, viewer, device))

    payload = await change(info, work, database=info.context.unwalled)
    take_back(info.context)
    return payload


async def refresh_session(info: Info, input: Refresh) -> Payload:  # noqa: A002  the name of the API
    """Give the session that asks its next token."""
    viewer, context = viewer_of(info), info.context
    exchange = context.exchange

    async def work() -> Payload:
        if exchange is None:
            raise BadInput("A session is renewed over HTTP: send this by POST, not over a WebSocket or stream.")
        async with context.unwalled.unit() as unit:
            renewed = await auth.renew(unit, context.services.secret_key, viewer, exchange.token)
        is_remembered = renewed.idle_minutes > context.settings.session_idle_minutes
        wanted = input.cookie or exchange.is_by_cookie  # a script in a page must never see the token of its cookie
        return Payload(session=hand_over(context, renewed, wanted=wanted, is_remembered=is_remembered))

    return await refusable(work(), Unauthenticated)


async def revoke_session(info: Info, input: Revoke) -> Payload:  # noqa: A002  the name of the API
    """End a session."""
    viewer, device = viewer_of(info), device_of(info.context)

    ended: list[UUID] = []

    async def work(unit: Unit) -> Payload:
        _, key = decode_global_id(input.id, expected=TYPE, field=("input", "id"))
        session = await auth.revoke(unit, viewer, device, key)
        ended[:] = [session.id]
        return Payload(session=session)

    payload = await change(info, work, database=info.context.unwalled)
    if viewer.session_id in ended:
        take_back(info.context)
    return payload


async def revoke_other_sessions(info: Info) -> Payload:
    """End every session of the viewer but the one that asks."""
    viewer, device = viewer_of(info), device_of(info.context)

    async def work(unit: Unit) -> Payload:
        return Payload(revoked_count=await auth.revoke_others(unit, viewer, device))

    return await change(info, work, database=info.context.unwalled)


async def confirm_identity(info: Info, input: Confirm) -> Payload:  # noqa: A002  the name of the API
    """Renew the proof of who bears the session that asks."""
    viewer, context = viewer_of(info), info.context

    async def work() -> Payload:
        accounts, device = accounts_of(context), device_of(context)
        session = await auth.confirm_identity(accounts, viewer, device, password=input.password, code=input.code)
        return Payload(session=session)

    return await refusable(work(), Unauthenticated)
