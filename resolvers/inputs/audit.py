"""What the audit log tells, and which of it is asked for."""

from datetime import datetime

import strawberry

from resolvers.inputs.enums import described
from services.audit import AuditAction

__all__ = ["AuditAction", "AuditFilter"]

described(
    AuditAction,
    "What was done to an account or to the log, or tried.",
    AUDIT_CUT="The operator cut the beginning of the log off; `details` say up to where, and the digest that seals it.",
    RECOVERY_CODES_RENEWED="Somebody made new recovery codes, or tried to; the earlier ones are void.",
    RECOVERY_CODE_USED="Somebody used up a recovery code.",
    REGISTERED="Somebody opened an account.",
    SIGNED_IN="Somebody signed in, or tried to.",
    SIGNED_OUT="Somebody ended a session.",
    TOTP_DISABLED="Somebody switched their second factor off, or tried to.",
    TOTP_ENABLED="Somebody set up a second factor, or tried to.",
    TOTP_RESET="An administrator or the operator switched off somebody's second factor.",
    USER_CREATED="An administrator or the operator opened an account for somebody.",
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
