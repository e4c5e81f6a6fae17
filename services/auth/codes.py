"""What people type where a code is asked for: six digits of an app, or a recovery code."""

import re
import unicodedata
from dataclasses import dataclass

from kit.crypto import RECOVERY_CODE_CHARS, recovery_code_key
from kit.errors import BadInput

_MAX_TYPED_CHARS = 100
_FILLING = re.compile(r"[\s\-\u2010-\u2015]")
_DIGITS = re.compile(r"[0-9]{6}")


@dataclass(frozen=True, slots=True)
class TypedCode:
    """A code in its one form. Whether it opens anything is not known yet."""

    text: str
    is_recovery_code: bool


def read_code(typed: str) -> TypedCode:
    """Return a code however it was typed: spaces and dashes do not count, nor case, O for 0, I and L for 1.

    Raises `BadInput` for what can be neither kind. Digits of other scripts are none; full-width ones are (NFKC).
    """
    text = _FILLING.sub("", unicodedata.normalize("NFKC", typed[:_MAX_TYPED_CHARS]))
    if _DIGITS.fullmatch(text):
        return TypedCode(text, is_recovery_code=False)
    key = recovery_code_key(text)
    if key is None or len(typed) > _MAX_TYPED_CHARS:
        raise BadInput(
            f"A code is 6 digits, or a recovery code of {RECOVERY_CODE_CHARS} letters and digits.",
            field=("input", "code"),
        )
    return TypedCode(key, is_recovery_code=True)
