"""When two names of tags mean the same: case, hyphens, spaces and the plural make no difference.

Used to propose the tag that the owner has instead of a new one beside it. Stored tags keep the stricter key of
kit.text.
"""

import re
from collections.abc import Iterable
from typing import Final

from kit.text import fold, tag_path

_SEPARATORS: Final = re.compile(r"[\s_\-\u2010-\u2015]+|(?<=\w)\.(?=\w)")
_SHORTEST_PLURAL: Final = 4
_SINGULAR_ENDS: Final = ("ss", "us", "is", "ics", "ous", "css", "js")
_NOT_PLURAL: Final = frozenset(
    {"news", "series", "species", "kubernetes", "postgres", "sales", "linux", "aws", "ios", "macos", "rails", "dos"}
)
_ES: Final = ("sses", "xes", "zes", "ches", "shes")


def normal(text: str) -> str:
    """Return the normal form of a tag's path, level by level. Raises `BadInput` for what cannot be a tag.

    Doing it twice changes nothing.
    """
    return "/".join(_name(level) for level in tag_path(text).key.split("/"))


def leaf(form: str) -> str:
    """Return the innermost level of a normal form."""
    return form.rpartition("/")[2]


def known_form(form: str, known: Iterable[str]) -> str | None:
    """Return which of the normal forms `known` is meant by `form`: itself, or the only one that ends in its level."""
    forms = set(known)
    if form in forms:
        return form
    ending = [one for one in forms if leaf(one) == leaf(form)] if "/" not in form else []
    return ending[0] if len(ending) == 1 else None


def _name(name: str) -> str:
    while (shorter := _singular(fold(_SEPARATORS.sub("", name) or name))) != name:
        name = shorter  # what has come together may fold into one character
    return name


def _singular(word: str) -> str:
    if len(word) < _SHORTEST_PLURAL or word in _NOT_PLURAL or not word.endswith("s"):
        return word
    if word.endswith(_SINGULAR_ENDS):
        return word
    if word.endswith("ies") and len(word) > _SHORTEST_PLURAL:
        return word[:-3] + "y"
    return word[:-2] if word.endswith(_ES) else word[:-1]
