"""Administering accounts of others. Each mutation needs an administrator who proved to be one ten minutes ago."""

from datetime import datetime

import strawberry

from resolvers import admin as answer
from resolvers.inputs.scalars import EmailAddress
from resolvers.inputs.users import ApiScope, Role
from schema.agents import Task
from schema.directives import requires, signed_in
from schema.errors import UserError
from schema.paging import Connection
from schema.users import User


@strawberry.type(description="An invitation that waits: its link opens an account, once and within a week.")
class Invite:
    """Answered by db.admin.InviteRow."""

    id = strawberry.field(
        resolver=answer.invite_id, graphql_type=strawberry.ID, description="Opaque and stable; for `revokeInvite`."
    )
    email: EmailAddress | None = strawberry.field(description="Who alone can use it; null: whoever has the link.")
    invited_by = strawberry.field(
        resolver=answer.invited_by,
        graphql_type=User | None,
        description="Who invited; null for the operator, and when the account is gone.",
    )
    created_at: datetime = strawberry.field(description="When it was made.")
    expires_at: datetime = strawberry.field(description="Until when it can be used.")


@strawberry.type(description="The answer to `createUser`.")
class CreateUserPayload:
    """Answered by resolvers.mutation.Payload."""

    user: User | None = strawberry.field(description="The account, which waits for its owner; null when refused.")
    invitation_url: str | None = strawberry.field(
        description="Where its owner chooses a password, once and within a week. Shown only here: whoever has it has"
        " the account."
    )
    is_mailed: bool | None = strawberry.field(description="Whether the link was mailed.")
    user_errors: list[UserError] = strawberry.field(description="Why it was refused; empty when it was not.")


@strawberry.type(description="The answer to mutations that change an account.")
class UserPayload:
    """Answered by resolvers.mutation.Payload."""

    user: User | None = strawberry.field(description="The account as it is now; null when refused.")
    user_errors: list[UserError] = strawberry.field(description="Why it was refused; empty when it was not.")


@strawberry.type(description="The answer to `resetUserTotp`.")
class ResetUserTotpPayload:
    """Answered by resolvers.mutation.Payload."""

    user: User | None = strawberry.field(description="The account; null when refused.")
    was_enabled: bool | None = strawberry.field(description="Whether there was a second factor to take off.")
    user_errors: list[UserError] = strawberry.field(description="Why it was refused; empty when it was not.")


@strawberry.type(description="The answer to `startPasswordReset`.")
class StartPasswordResetPayload:
    """Answered by resolvers.mutation.Payload."""

    user: User | None = strawberry.field(description="The account that is written to; null when refused.")
    user_errors: list[UserError] = strawberry.field(description="Why it was refused; empty when it was not.")


@strawberry.type(description="The answer to `transferBookmarks`. The counts are of when it was asked.")
class TransferBookmarksPayload:
    """Answered by resolvers.mutation.Payload."""

    task: Task | None = strawberry.field(
        description="What moves them, a task of whoever asked; null for a dry run, and when refused."
    )
    bookmarks: int | None = strawberry.field(description="How many the account has, the trash included.")
    would_move: int | None = strawberry.field(description="How many of them the other account has not.")
    would_merge: int | None = strawberry.field(
        description="How many of them the other has already. Their tags, collections and texts go where it has none;"
        " of those that lie in the trash nothing is kept."
    )
    user_errors: list[UserError] = strawberry.field(description="Why it was refused; empty when it was not.")


@strawberry.type(description="The answer to `createInvite`.")
class CreateInvitePayload:
    """Answered by resolvers.mutation.Payload."""

    invite: Invite | None = strawberry.field(description="The invitation; null when refused.")
    url: str | None = strawberry.field(description="Its link. Shown only here.")
    is_mailed: bool | None = strawberry.field(description="Whether the link was mailed.")
    user_errors: list[UserError] = strawberry.field(description="Why it was refused; empty when it was not.")


@strawberry.type(description="The answer to `revokeInvite`.")
class RevokeInvitePayload:
    """Answered by resolvers.mutation.Payload."""

    invite: Invite | None = strawberry.field(description="What it was; null when refused.")
    user_errors: list[UserError] = strawberry.field(description="Why it was refused; empty when it was not.")


@strawberry.type
class AdminQuery:
    """Asking whom administrators have invited."""

    invites = strawberry.field(
        resolver=answer.list_invites,
        graphql_type=Connection[Invite],
        description="The invitations that wait, newest first.",
        **requires(ApiScope.READ, role=Role.ADMIN),
    )


@strawberry.type
class AdminMutation:
    """Changing accounts of others."""

    create_user = strawberry.field(
        resolver=answer.create_user,
        graphql_type=CreateUserPayload,
        description="Open an account for somebody, who chooses the password by a link.",
        **signed_in(role=Role.ADMIN),
    )
    update_user = strawberry.field(
        resolver=answer.update_user,
        graphql_type=UserPayload,
        description="Change the name, the address or the quotas of an account.",
        **signed_in(role=Role.ADMIN),
    )
    set_user_role = strawberry.field(
        resolver=answer.set_user_role,
        graphql_type=UserPayload,
        description="Give an account another role, and end its sessions. The last administrator keeps it.",
        **signed_in(role=Role.ADMIN),
    )
    disable_user = strawberry.field(
        resolver=answer.disable_user,
        graphql_type=UserPayload,
        description="Close an account: its sessions and connections end, its API keys open nothing. Or open it again."
        " The last administrator stays.",
        **signed_in(role=Role.ADMIN),
    )
    reset_user_totp = strawberry.field(
        resolver=answer.reset_user_totp,
        graphql_type=ResetUserTotpPayload,
        description="Take the second factor off an account whose owner has lost it, and end its sessions.",
        **signed_in(role=Role.ADMIN),
    )
    start_password_reset = strawberry.field(
        resolver=answer.start_password_reset,
        graphql_type=StartPasswordResetPayload,
        description="Mail the owner of an account a link to a new password. Nobody but who reads the mailbox sees it;"
        " the password of now stays good until then.",
        **signed_in(role=Role.ADMIN),
    )
    transfer_bookmarks = strawberry.field(
        resolver=answer.transfer_bookmarks,
        graphql_type=TransferBookmarksPayload,
        description="Give all bookmarks of an account to another, with their tags and collections by path, the trash"
        " included. Cancelled, what has moved stays moved; asked again, it goes on.",
        **signed_in(role=Role.ADMIN),
    )
    create_invite = strawberry.field(
        resolver=answer.create_invite,
        graphql_type=CreateInvitePayload,
        description="Invite somebody to open an account, whoever may register otherwise.",
        **signed_in(role=Role.ADMIN),
    )
    revoke_invite = strawberry.field(
        resolver=answer.revoke_invite,
        graphql_type=RevokeInvitePayload,
        description="Take an invitation back: its link opens nothing any more.",
        **signed_in(role=Role.ADMIN),
    )
