"""Accounts of others in the graph: who asks is decided here, what is true in services.admin."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

import strawberry

from db import quotas as quota_rows
from db import users as user_rows
from db.admin import InviteRow
from db.quotas import QuotaRow
from db.unit import Database, Rows, Unit
from db.users import UserRow
from kit.ids import decode_global_id, encode_global_id
from kit.paging import page_request
from resolvers.auth.signing_in import accounts_of, device_of
from resolvers.context import Info, viewer_of
from resolvers.inputs.admin import (
    CreateInviteInput,
    CreateUserInput,
    DisableUserInput,
    InviteIdInput,
    SetUserRoleInput,
    StartPasswordResetInput,
    TransferBookmarksInput,
    UpdateUserInput,
    UserIdInput,
)
from resolvers.loaders import load
from resolvers.mutation import Payload, change
from resolvers.paging import After, Before, ConnectionRows, First, Last, connection
from services import admin, quotas, transfers
from services.admin import Acting, Change
from services.quotas import Quotas

INVITE_TYPE = "Invite"
_ID = ("input", "id")
NewUser = Annotated[CreateUserInput, strawberry.argument(description="The account to open.")]
Changed = Annotated[UpdateUserInput, strawberry.argument(description="The account, and what it is to be.")]
RoleOf = Annotated[SetUserRoleInput, strawberry.argument(description="The account and its role.")]
Closed = Annotated[DisableUserInput, strawberry.argument(description="The account, and whether it is closed.")]
Account = Annotated[UserIdInput, strawberry.argument(description="The account.")]
Forgetful = Annotated[StartPasswordResetInput, strawberry.argument(description="The account.")]
Transfer = Annotated[TransferBookmarksInput, strawberry.argument(description="From whom to whom.")]
NewInvite = Annotated[CreateInviteInput, strawberry.argument(description="Whom to invite.")]
OldInvite = Annotated[InviteIdInput, strawberry.argument(description="The invitation.")]


async def create_user(info: Info, input: NewUser) -> Payload:  # noqa: A002  the name of the API
    """Open an account that waits for its owner."""

    async def work(unit: Unit) -> Payload:
        invited = await admin.create_user(
            unit,
            _acting(info),
            accounts_of(info.context),
            email=input.email,
            name=input.name,
            role=input.role,
            send=input.send_invitation,
        )
        return Payload(user=invited.user, invitation_url=invited.url, is_mailed=invited.is_mailed)

    return await change(info, work, database=info.context.unwalled)


async def update_user(info: Info, input: Changed) -> Payload:  # noqa: A002  the name of the API
    """Change an account."""
    given = input.quotas
    wanted = Change(
        name=input.name,
        email=input.email,
        quotas=None
        if given is None
        else QuotaRow(given.max_bookmarks, given.max_storage_bytes, given.max_running_imports),
    )

    async def work(unit: Unit) -> Payload:
        return Payload(user=await admin.update(unit, _acting(info), accounts_of(info.context), _key(input.id), wanted))

    return await change(info, work, database=info.context.unwalled)


async def set_user_role(info: Info, input: RoleOf) -> Payload:  # noqa: A002  the name of the API
    """Give an account another role."""

    async def work(unit: Unit) -> Payload:
        return Payload(user=await admin.set_role(unit, _acting(info), _key(input.id), input.role))

    return await change(info, work, database=info.context.unwalled)


async def disable_user(info: Info, input: Closed) -> Payload:  # noqa: A002  the name of the API
    """Close an account, or open it again."""

    async def work(unit: Unit) -> Payload:
        row = await admin.disable(unit, _acting(info), _key(input.id), disabled=input.disabled)
        return Payload(user=row)

    return await change(info, work, database=info.context.unwalled)


async def reset_user_totp(info: Info, input: Account) -> Payload:  # noqa: A002  the name of the API
    """Take the second factor off an account."""

    async def work(unit: Unit) -> Payload:
        row, had = await admin.reset_factor(
            unit, _acting(info), _key(input.id), secret_key=info.context.services.secret_key
        )
        return Payload(user=row, was_enabled=had)

    return await change(info, work, database=info.context.unwalled)


async def start_password_reset(info: Info, input: Forgetful) -> Payload:  # noqa: A002  the name of the API
    """Mail the owner of an account a link to a new password."""

    async def work(unit: Unit) -> Payload:
        key = decode_global_id(input.user_id, expected="User", field=("input", "userId"))[1]
        return Payload(user=await admin.start_reset(unit, _acting(info), accounts_of(info.context), key))

    return await change(info, work, database=info.context.unwalled)


async def transfer_bookmarks(info: Info, input: Transfer) -> Payload:  # noqa: A002  the name of the API
    """Give all bookmarks of one account to another, or tell what that would do."""

    async def work(unit: Unit) -> Payload:
        outlook = await transfers.start(
            unit,
            _acting(info),
            viewer_of(info),
            info.context.settings,
            from_id=decode_global_id(input.from_user_id, expected="User", field=("input", "fromUserId"))[1],
            to_id=decode_global_id(input.to_user_id, expected="User", field=("input", "toUserId"))[1],
            dry_run=input.dry_run,
            idempotency_key=input.idempotency_key,
        )
        return Payload(
            task=outlook.task,
            bookmarks=outlook.bookmarks,
            would_move=outlook.bookmarks - outlook.twins,
            would_merge=outlook.twins,
        )

    return await change(info, work, database=info.context.unwalled)


async def create_invite(info: Info, input: NewInvite) -> Payload:  # noqa: A002  the name of the API
    """Invite somebody."""

    async def work(unit: Unit) -> Payload:
        invited = await admin.invite(
            unit,
            _acting(info),
            accounts_of(info.context),
            email=input.email,
            send=input.send,
        )
        return Payload(invite=invited.invite, url=invited.url, is_mailed=invited.is_mailed)

    return await change(info, work, database=info.context.unwalled)


async def revoke_invite(info: Info, input: OldInvite) -> Payload:  # noqa: A002  the name of the API
    """Take an invitation back."""

    async def work(unit: Unit) -> Payload:
        key = decode_global_id(input.id, expected=INVITE_TYPE, field=_ID)[1]
        return Payload(invite=await admin.revoke_invite(unit, _acting(info), key))

    return await change(info, work, database=info.context.unwalled)


async def list_invites(
    info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
) -> ConnectionRows[InviteRow]:
    """Return the invitations that wait, newest first."""
    viewer, database, order = viewer_of(info), info.context.unwalled, admin.INVITE_ORDER
    request = page_request(order, admin.INVITE_KINDS, first=first, after=after, last=last, before=before)
    found = await admin.invites(database, viewer, request)
    placed = [(row, row.created_at, row.id) for row in found]
    return connection(request, order, placed, lambda: admin.count_invites(database, viewer))


def invite_id(row: strawberry.Parent[InviteRow]) -> strawberry.ID:
    """Return how clients know an invitation."""
    return strawberry.ID(encode_global_id(INVITE_TYPE, row.id))


async def invited_by(row: strawberry.Parent[InviteRow], info: Info) -> UserRow | None:
    """Return the administrator who invited, while the account is there."""

    async def fetch(_rows: Rows, _asking: UUID, keys: Sequence[UUID]) -> dict[UUID, UserRow]:
        return await user_rows.by_ids(info.context.unwalled, keys)

    return None if row.invited_by is None else await load(info, "accounts that invite", row.invited_by, fetch)


async def bookmark_count(row: strawberry.Parent[UserRow], info: Info) -> int:
    """Return how many bookmarks an account has outside the trash; those of many accounts are counted together."""
    database = _seeing(info, row)

    async def fetch(_rows: Rows, _asking: UUID, keys: Sequence[UUID]) -> dict[UUID, int]:
        return await quota_rows.counts(database, keys)

    return await load(info, ("bookmarks of accounts", database is info.context.unwalled), row.id, fetch) or 0


async def quotas_of(row: strawberry.Parent[UserRow], info: Info) -> Quotas:
    """Return what an account has and may have."""
    return await quotas.quotas_of(_seeing(info, row), info.context.settings, row.id)


def _seeing(info: Info, row: UserRow) -> Database:
    """Return what sees an account's things: whoever is shown the account of somebody else is an administrator."""
    context = info.context
    return context.database if row.id == viewer_of(info).id else context.unwalled


def _acting(info: Info) -> Acting:
    return Acting(viewer_of(info), device_of(info.context))


def _key(global_id: str) -> UUID:
    return decode_global_id(global_id, expected="User", field=_ID)[1]
