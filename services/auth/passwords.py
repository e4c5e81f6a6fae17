"""What a password must look like (OWASP ASVS 5.0 V6.2, NIST SP 800-63B-4 §3.1.1)."""

from kit.crypto import MAX_PASSWORD_CHARS, MIN_PASSWORD_CHARS
from kit.errors import BadInput


def check_password(password: str) -> None:
    """Raise `BadInput` unless the password has 8 to 1,024 characters. No rules of composition (NIST SP 800-63B-4)."""
    if not MIN_PASSWORD_CHARS <= len(password) <= MAX_PASSWORD_CHARS:
        raise BadInput(
            f"A password has {MIN_PASSWORD_CHARS} to {MAX_PASSWORD_CHARS:,} characters; a sentence is a good one.",
            field=("input", "password"),
        )
