"""Blots secrets out of what is logged, by their names and by how they look.

A net below the rule not to log them at all: it also catches what a library, an error message or a traceback quotes.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

REDACTED: Final = "[redacted]"
_SECRET_WORDS = (
    "password", "passphrase", "token", "secret", "authorization", "cookie", "dsn", "api_key", "apikey", "credential",
)  # fmt: skip
# Codes of errors and SQLSTATEs; whatever else is called a code is one that somebody typed or was sent.
_NAMES_AN_ERROR = re.compile(r"[A-Z][A-Z_]*|[0-9A-Z]{5}")
_LOOKS: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    # Our own, see kit.crypto.tokens: sessions, API keys, invitations, links, challenges. The kind may be read.
    (re.compile(r"\b(gm[a-z]_)[A-Za-z0-9_-]{16,}"), rf"\1{REDACTED}"),
    (re.compile(r"\b(bearer|basic) +[A-Za-z0-9._~+/=-]{6,}", re.IGNORECASE), rf"\1 {REDACTED}"),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"), REDACTED),  # a JSON Web Token
    (re.compile(r"\bsk-[A-Za-z0-9_-]{16,}"), REDACTED),  # the keys of OpenAI and of those that follow it
    (re.compile(r"(://[^\s/:@\"']*:)[^\s/@\"']+@"), rf"\1{REDACTED}@"),  # https://name:password@host
    (
        re.compile(r"([?&](?:access_token|client_secret|code|id_token|key|password|secret|state|token)=)[^&#\s\"'<>]+"),
        rf"\1{REDACTED}",
    ),
    (re.compile(r"\b((?:set-)?cookie *[:=] *)[^\r\n\"']+", re.IGNORECASE), rf"\1{REDACTED}"),
    (
        re.compile(
            r"\b([a-z_-]{0,20}(?:password|passwd|secret|token|api_?key)\\?[\"']?\s*[:=]\s*)"
            r"(?:\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|\\\"[^\"]*\"|[\"']?[^\s\"',;&{}()<>]+)",
            re.IGNORECASE,
        ),
        rf"\1{REDACTED}",
    ),
)


def blot(text: str) -> str:
    """Return `text` without what looks like a secret."""
    for pattern, instead in _LOOKS:
        text = pattern.sub(instead, text)
    return text


def is_secret(name: str, value: object) -> bool:
    """Tell whether the value of this name must not be read. Numbers of tokens are no tokens."""
    lowered = name.lower()
    if lowered.endswith("tokens") and isinstance(value, int):
        return False
    if any(word in lowered for word in _SECRET_WORDS):
        return True
    is_code = lowered == "code" or lowered.endswith(("_code", "codes"))
    return is_code and isinstance(value, str) and _NAMES_AN_ERROR.fullmatch(value) is None


def without_secrets(value: Any) -> Any:
    """Return a value for the log, with what it holds, however deep, blotted out. What holds none is returned as is."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, str):
        return blot(value)
    if isinstance(value, Mapping):
        return {name: REDACTED if is_secret(str(name), held) else without_secrets(held) for name, held in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [without_secrets(held) for held in value]
    shown, told = str(value), repr(value)
    return value if blot(shown) == shown and blot(told) == told else blot(shown)
