"""Accounts and sessions in the graph."""

from resolvers.auth.factors import (
    confirm_totp,
    disable_totp,
    enable_totp,
    is_totp_enabled,
    is_totp_required,
    recovery_codes_left,
    regenerate_recovery_codes,
)
from resolvers.auth.passwords import (
    change_password,
    delete_account,
    request_email_verification,
    request_password_reset,
    reset_password,
    verify_email,
)
from resolvers.auth.signing_in import login, logout, register, verify_totp

__all__ = [
    "change_password",
    "confirm_totp",
    "delete_account",
    "disable_totp",
    "enable_totp",
    "is_totp_enabled",
    "is_totp_required",
    "login",
    "logout",
    "recovery_codes_left",
    "regenerate_recovery_codes",
    "register",
    "request_email_verification",
    "request_password_reset",
    "reset_password",
    "verify_email",
    "verify_totp",
]
