"""Recovery codes: what opens an account when the phone is gone, once each.

A code has 120 random bits, so a plain SHA-256 is enough to store it (OWASP ASVS 5.0, 6.5.2: from 112 bits on), and
using one up is a single statement. It is written in Douglas Crockford's base32, which has no letters that are taken for
each other: `7K2M-9QXA-…`, six groups of four.
"""

import secrets
from typing import Final

RECOVERY_CODE_CHARS: Final = 24
_GROUP_CHARS = 4
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ALSO_READ = str.maketrans("OIL", "011")  # as Crockford reads them


def new_recovery_code() -> str:
    """Return a code as it is shown."""
    code = "".join(secrets.choice(_ALPHABET) for _ in range(RECOVERY_CODE_CHARS))
    return "-".join(code[at : at + _GROUP_CHARS] for at in range(0, RECOVERY_CODE_CHARS, _GROUP_CHARS))


def recovery_code_key(text: str) -> str | None:
    """Return the one form of a code that was typed without spaces and dashes, or None when it is no code."""
    key = text.upper().translate(_ALSO_READ)
    fits = text.isascii() and len(key) == RECOVERY_CODE_CHARS and not set(key) - set(_ALPHABET)
    return key if fits else None
