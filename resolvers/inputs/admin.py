"""What administrators send about the accounts of others."""

import strawberry

from resolvers.inputs.scalars import BigInt, EmailAddress
from resolvers.inputs.users import Role

__all__ = [
    "CreateInviteInput",
    "CreateUserInput",
    "DisableUserInput",
    "InviteIdInput",
    "QuotasInput",
    "SetUserRoleInput",
    "StartPasswordResetInput",
    "TransferBookmarksInput",
    "UpdateUserInput",
    "UserFilter",
    "UserIdInput",
]


@strawberry.input(description="Which accounts; what is left out or null does not matter.")
class UserFilter:
    """For `users`."""

    role: Role | None = strawberry.field(default=None, description="Only accounts of this role.")
    is_disabled: bool | None = strawberry.field(default=None, description="Only disabled accounts, or only open ones.")
    search: str | None = strawberry.field(
        default=None, description="Only accounts with this text in their address or name: at most 100 characters."
    )


@strawberry.input(description="An account to open for somebody, who chooses the password by a link.")
class CreateUserInput:
    """For `createUser`."""

    email: EmailAddress = strawberry.field(description="The address to sign in with: at most 254 characters.")
    name: str = strawberry.field(description="How the account is shown: 1 to 100 characters.")
    role: Role = strawberry.field(default=Role.USER, description="What it may do beyond its own data.")
    send_invitation: bool = strawberry.field(default=True, description="Whether the link is mailed to the address.")


@strawberry.input(description="Bounds of one account. All three are set: null or left out is what the server says.")
class QuotasInput:
    """For `updateUser`."""

    max_bookmarks: int | None = strawberry.field(default=None, description="Bookmarks, the trash included: 0 and more.")
    max_storage_bytes: BigInt | None = strawberry.field(
        default=None, description="Bytes of files that wait and of pictures together: 0 to 2^53."
    )
    max_running_imports: int | None = strawberry.field(default=None, description="Imports at once: 0 to 1,000.")


@strawberry.input(description="What an account is to be from now on; what is left out or null stays.")
class UpdateUserInput:
    """For `updateUser`."""

    id: strawberry.ID = strawberry.field(description="The account.")
    name: str | None = strawberry.field(default=None, description="How it is shown: 1 to 100 characters.")
    email: EmailAddress | None = strawberry.field(
        default=None, description="The address to sign in with. Another one ends the sessions."
    )
    quotas: QuotasInput | None = strawberry.field(default=None, description="What it may have.")


@strawberry.input(description="An account and its new role.")
class SetUserRoleInput:
    """For `setUserRole`."""

    id: strawberry.ID = strawberry.field(description="The account.")
    role: Role = strawberry.field(description="Its role from now on.")


@strawberry.input(description="An account, to be closed or opened again.")
class DisableUserInput:
    """For `disableUser`."""

    id: strawberry.ID = strawberry.field(description="The account.")
    disabled: bool = strawberry.field(default=True, description="True closes it, false opens it again.")


@strawberry.input(description="An account.")
class UserIdInput:
    """For mutations that need nothing else."""

    id: strawberry.ID = strawberry.field(description="The account.")


@strawberry.input(description="An account whose owner needs a new password.")
class StartPasswordResetInput:
    """For `startPasswordReset`."""

    user_id: strawberry.ID = strawberry.field(description="The account.")


@strawberry.input(description="Two accounts: all bookmarks of the one are to be the other's.")
class TransferBookmarksInput:
    """For `transferBookmarks`."""

    from_user_id: strawberry.ID = strawberry.field(description="The account that has them; it may be disabled.")
    to_user_id: strawberry.ID = strawberry.field(description="The account that is to have them.")
    dry_run: bool = strawberry.field(default=False, description="Only tell what would happen.")
    idempotency_key: str | None = strawberry.field(
        default=None, description="1 to 255 characters: the same request with the same key starts one transfer."
    )


@strawberry.input(description="Somebody to invite.")
class CreateInviteInput:
    """For `createInvite`."""

    email: EmailAddress | None = strawberry.field(
        default=None, description="Only this address can use the link; left out: whoever has it."
    )
    send: bool = strawberry.field(default=True, description="Whether the link is mailed to the address.")


@strawberry.input(description="An invitation.")
class InviteIdInput:
    """For `revokeInvite`."""

    id: strawberry.ID = strawberry.field(description="The invitation.")
