"""Writing an act down.

An entry is written in the transaction of the act; that of a refusal in one of its own (services.audit.failing). It
never holds a secret: no password, code, token, nor a part of one, and nothing that was typed and may be one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from db import audit as rows_of
from db.audit import AuditDraft
from db.unit import Unit

MAX_TEXT_CHARS = 300


class AuditAction(StrEnum):
    """What was done, or tried."""

    ACCOUNT_DELETED = "ACCOUNT_DELETED"
    API_KEY_CREATED = "API_KEY_CREATED"
    API_KEY_REVOKED = "API_KEY_REVOKED"
    AUDIT_CUT = "AUDIT_CUT"
    EMAIL_VERIFIED = "EMAIL_VERIFIED"
    PASSWORD_CHANGED = "PASSWORD_CHANGED"  # noqa: S105  an act
    PASSWORD_RESET = "PASSWORD_RESET"  # noqa: S105  an act
    PASSWORD_RESET_REQUESTED = "PASSWORD_RESET_REQUESTED"  # noqa: S105  an act
    RECOVERY_CODES_RENEWED = "RECOVERY_CODES_RENEWED"
    RECOVERY_CODE_USED = "RECOVERY_CODE_USED"
    INVITE_CREATED = "INVITE_CREATED"
    INVITE_REVOKED = "INVITE_REVOKED"
    REGISTERED = "REGISTERED"
    ROLE_CHANGED = "ROLE_CHANGED"
    IDENTITY_CONFIRMED = "IDENTITY_CONFIRMED"
    SESSION_REVOKED = "SESSION_REVOKED"
    SESSION_TOKEN_REUSED = "SESSION_TOKEN_REUSED"  # noqa: S105  an act, not a secret
    SIGNED_IN = "SIGNED_IN"
    SIGNED_OUT = "SIGNED_OUT"
    TOTP_DISABLED = "TOTP_DISABLED"
    TOTP_ENABLED = "TOTP_ENABLED"
    TOTP_RESET = "TOTP_RESET"
    TRANSFER_ENDED = "TRANSFER_ENDED"
    TRANSFER_STARTED = "TRANSFER_STARTED"
    USER_CREATED = "USER_CREATED"
    USER_DISABLED = "USER_DISABLED"
    USER_ENABLED = "USER_ENABLED"
    USER_UPDATED = "USER_UPDATED"


@dataclass(frozen=True, slots=True)
class Act:
    """One act. `actor` is how who acted is shown, such as an address; `subject_id` the account that it was done to."""

    action: AuditAction
    actor_id: UUID | None
    actor: str
    subject_id: UUID | None = None
    succeeded: bool = True
    network_address: str = ""
    user_agent: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


async def record(unit: Unit, act: Act) -> None:
    """Write down an act, last in its transaction. Text is made one line of at most 300 characters."""
    await rows_of.append(
        unit,
        AuditDraft(
            action=act.action.value,
            succeeded=act.succeeded,
            actor_id=act.actor_id,
            actor=_line(act.actor),
            subject_id=act.subject_id,
            network_address=_line(act.network_address),
            user_agent=_line(act.user_agent),
            details=act.details,
        ),
    )


def _line(text: str) -> str:
    """Return text on one line, without what could forge another one where it is printed (OWASP ASVS 5.0, 16.4.1)."""
    return "".join(char if char.isprintable() else " " for char in text[:MAX_TEXT_CHARS])
