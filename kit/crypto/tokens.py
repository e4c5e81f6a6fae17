"""Random tokens, and the fingerprints under which they are stored."""

import hashlib
import secrets

_TOKEN_BYTES = 32


def new_token(prefix: str) -> str:
    """Return a URL-safe secret of 256 random bits behind a readable `prefix`, such as `gms_…` for sessions."""
    return f"{prefix}_{secrets.token_urlsafe(_TOKEN_BYTES)}"


def fingerprint(token: str) -> bytes:
    """Return the 32 bytes under which a token is stored.

    A plain SHA-256 is enough for a secret of 256 random bits (OWASP ASVS 5.0, 6.5.2); it would not be for a password.
    """
    return hashlib.sha256(token.encode()).digest()
