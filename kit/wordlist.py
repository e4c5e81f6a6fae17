"""The passwords that everybody tries first: those that leaked most often, from the package zxcvbn, offline."""

import unicodedata
from functools import lru_cache

from kit.crypto import MIN_PASSWORD_CHARS


def is_common(password: str) -> bool:
    """Tell whether a password is on the list, whatever its case (OWASP ASVS 5.0, 6.2.4 and 6.2.12).

    The first call reads the list, which takes a third of a second.
    """
    return comparable(password) in common_passwords()


def comparable(text: str) -> str:
    """Return the form in which a password and a word are compared: NFKC, case folded."""
    return unicodedata.normalize("NFKC", text).casefold()


@lru_cache(1)
def common_passwords() -> frozenset[str]:
    """Return the common passwords that are long enough to be chosen at all, some 11,600."""
    # Not at the top: the list takes 14 MB, in processes where nobody chooses a password as well.
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # noqa: PLC0415  see above

    words = (comparable(word) for word in FREQUENCY_LISTS["passwords"])
    return frozenset(word for word in words if len(word) >= MIN_PASSWORD_CHARS)
