"""What the audit log tells, and which of it is asked for."""

from datetime import datetime

import strawberry

from resolvers.inputs.enums import described
from services.audit import AuditAction

__all__ = ["AuditAction", "AuditFilter"]

described(
    AuditAction,
    "What was done to an account or to the log, or tried.",
    ACCOUNT_DELETED="Somebody deleted their account, or tried to.",
    API_KEY_CREATED="Somebody made an API key.",
    API_KEY_REVOKED="Somebody ended an API key, their own or as an administrator that of another.",
    AUDIT_CUT="The operator cut the beginning of the log off; `details` say up to where, and the digest that seals it.",
    EMAIL_VERIFIED="Somebody confirmed their address by the link that was mailed to it.",
    PASSWORD_CHANGED="Somebody changed their password, or tried to.",  # noqa: S106  what an act means
    PASSWORD_RESET="Somebody set a new password by the link that was mailed to the account, or tried to.",  # noqa: S106  the same
    PASSWORD_RESET_REQUESTED="Somebody had a link for a new password mailed to the account.",  # noqa: S106  the same
    RECOVERY_CODES_RENEWED="Somebody made new recovery codes, or tried to; the earlier ones are void.",
    RECOVERY_CODE_USED="Somebody used up a recovery code.",
    INVITE_CREATED="An administrator invited somebody to open an account.",
    INVITE_REVOKED="An administrator took an invitation back.",
    REGISTERED="Somebody opened an account.",
    ROLE_CHANGED="An administrator or the operator gave an account another role, and ended its sessions.",
    IDENTITY_CONFIRMED="Somebody who was signed in proved again who they are, or tried to.",
    SESSION_REVOKED="Somebody ended other sessions than the one they asked from.",
    SESSION_TOKEN_REUSED="A token was used that had been replaced before: the session was ended.",  # noqa: S106  an act
    SIGNED_IN="Somebody signed in, or tried to.",
    SIGNED_OUT="Somebody ended a session.",
    TOTP_DISABLED="Somebody switched their second factor off, or tried to.",
    TOTP_ENABLED="Somebody set up a second factor, or tried to.",
    TOTP_RESET="An administrator or the operator switched off somebody's second factor.",
    TRANSFER_ENDED="The bookmarks of an account have gone to another, or no more of them go; `details` say how many.",
    TRANSFER_STARTED="An administrator let the bookmarks of an account go to another.",
    USER_CREATED="An administrator or the operator opened an account for somebody.",
    USER_DISABLED="An administrator or the operator closed an account, and ended all that was open in its name.",
    USER_ENABLED="An administrator or the operator opened an account again.",
    USER_UPDATED="An administrator changed the name, address or quotas of an account; `details` say to what.",
)


@strawberry.input(description="Which entries of the audit log; what is left out or null does not matter.")
class AuditFilter:
    """For `auditLog`."""

    action: list[AuditAction] | None = strawberry.field(default=None, description="What was done: at most 100.")
    actor_id: strawberry.ID | None = strawberry.field(default=None, description="The account that did it.")
    subject_id: strawberry.ID | None = strawberry.field(
        default=None, description="The account that it was done to, also one that is gone."
    )
    succeeded: bool | None = strawberry.field(default=None, description="True: what was done; false: what was refused.")
    from_: datetime | None = strawberry.field(default=None, name="from", description="From this time on.")
    to: datetime | None = strawberry.field(default=None, description="Before this time.")
