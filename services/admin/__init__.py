"""What administrators do with the accounts of others. Each act is written into the audit log."""

from services.admin.acting import Acting
from services.admin.changing import Change, disable, reset_factor, set_role, start_reset, update
from services.admin.inviting import (
    INVITE_HOURS,
    INVITE_KINDS,
    INVITE_ORDER,
    Invited,
    count_invites,
    create_user,
    invite,
    invites,
    revoke_invite,
)

__all__ = [
    "INVITE_HOURS",
    "INVITE_KINDS",
    "INVITE_ORDER",
    "Acting",
    "Change",
    "Invited",
    "count_invites",
    "create_user",
    "disable",
    "invite",
    "invites",
    "reset_factor",
    "revoke_invite",
    "set_role",
    "start_reset",
    "update",
]
