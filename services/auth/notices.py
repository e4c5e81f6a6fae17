"""Telling people by mail what happened to their second factor, in the transaction in which it happened."""

from typing import Final

from db.unit import Unit
from db.users import UserRow
from kit.crypto import SecretKey
from services import mail
from services.audit import AuditAction
from services.auth.sessions import Device
from services.mail import MailKind, letters

_TOLD: Final = {
    AuditAction.TOTP_ENABLED: (
        "A second factor was set up for your Graphmark account",
        "An authenticator app was set up for your account, and the other sessions were ended.",
    ),
    AuditAction.TOTP_DISABLED: (
        "The second factor of your Graphmark account is off",
        "The second factor of your account was switched off, and the other sessions were ended.",
    ),
    AuditAction.TOTP_RESET: (
        "The second factor of your Graphmark account is off",
        "The administrator switched off the second factor of your account, and all sessions were ended.",
    ),
    AuditAction.RECOVERY_CODES_RENEWED: (
        "New recovery codes for your Graphmark account",
        "New recovery codes were made for your account; the earlier ones open nothing any more.",
    ),
    AuditAction.RECOVERY_CODE_USED: (
        "A recovery code of your Graphmark account was used",
        "A recovery code of your account was used, and works no more. When few are left, make new ones.",
    ),
}


async def tell(unit: Unit, key: SecretKey, action: AuditAction, user: UserRow, device: Device) -> None:
    """Queue the message that tells `user` of `action`, one of those above. `device` is where it was done."""
    subject, what = _TOLD[action]
    letter = letters.security_notice(
        MailKind.SECOND_FACTOR,
        user,
        subject,
        what,
        network_address=device.network_address,
        user_agent=device.user_agent,
    )
    await mail.queue(unit, key, letter)
