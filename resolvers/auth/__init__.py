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
from resolvers.auth.signing_in import login, logout, register, verify_totp

__all__ = [
    "confirm_totp",
    "disable_totp",
    "enable_totp",
    "is_totp_enabled",
    "is_totp_required",
    "login",
    "logout",
    "recovery_codes_left",
    "regenerate_recovery_codes",
    "register",
    "verify_totp",
]
