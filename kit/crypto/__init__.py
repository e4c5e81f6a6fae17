"""Secrets: password hashes, random tokens, their fingerprints, and what is sealed or signed with the secret key."""

from kit.crypto.keys import KEY_FILE, MIN_KEY_CHARS, CannotDecrypt, SecretKey, open_secret_key
from kit.crypto.passwords import MAX_PASSWORD_CHARS, MIN_PASSWORD_CHARS, PasswordHasher
from kit.crypto.tokens import fingerprint, new_token

__all__ = [
    "KEY_FILE",
    "MAX_PASSWORD_CHARS",
    "MIN_KEY_CHARS",
    "MIN_PASSWORD_CHARS",
    "CannotDecrypt",
    "PasswordHasher",
    "SecretKey",
    "fingerprint",
    "new_token",
    "open_secret_key",
]
