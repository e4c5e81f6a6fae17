"""Secrets: password hashes, random tokens, their fingerprints, and what is sealed or signed with the secret key."""

from kit.crypto.keys import KEY_FILE, MIN_KEY_CHARS, CannotDecrypt, SecretKey, open_secret_key
from kit.crypto.passwords import MAX_PASSWORD_CHARS, MIN_PASSWORD_CHARS, PasswordHasher
from kit.crypto.recovery import RECOVERY_CODE_CHARS, new_recovery_code, recovery_code_key
from kit.crypto.tokens import fingerprint, new_token
from kit.crypto.totp import STEP_SECONDS, matching_step, new_totp_secret, otpauth_uri, qr_code_data_url

__all__ = [
    "KEY_FILE",
    "MAX_PASSWORD_CHARS",
    "MIN_KEY_CHARS",
    "MIN_PASSWORD_CHARS",
    "RECOVERY_CODE_CHARS",
    "STEP_SECONDS",
    "CannotDecrypt",
    "PasswordHasher",
    "SecretKey",
    "fingerprint",
    "matching_step",
    "new_recovery_code",
    "new_token",
    "new_totp_secret",
    "open_secret_key",
    "otpauth_uri",
    "qr_code_data_url",
    "recovery_code_key",
]
