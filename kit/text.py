"""Text that people type: made safe to store, and brought to the form in which two spellings are the same.

A tag is a path of names, outermost first: `dev/python`. Its key decides sameness: NFKC, white space collapsed, case
folded, so that `Dev / Python` and `dev/python` are one tag, shown as it was written first.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from kit.errors import BadInput

MAX_TAG_NAME_CHARS: Final = 100
"""Longest single name of a tag, in characters."""

MAX_TAG_DEPTH: Final = 10
"""Most names that one tag path may have."""

MAX_TAG_PATH_CHARS: Final = 500
"""Longest tag path, in characters, slashes included."""

MAX_TAG_KEY_BYTES: Final = 2_000
"""Longest key of a tag path, in UTF-8 bytes: an index entry of PostgreSQL ends at 2,704. Only text that compatibility
normalisation blows up (one character of U+FDFA becomes 18) comes near it."""

MAX_SOUGHT_CHARS: Final = 200
"""Longest text that a filter of a list looks for."""

_MAX_TYPED_CHARS: Final = 2_000  # white space included; beyond it nobody typed a tag
_MAX_SLUG_CHARS: Final = 80
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")
_SLASHES: Final = re.compile("[/\uff0f]")  # U+FF0F is how an East Asian keyboard types it
_NOT_SLUG: Final = re.compile(r"[\W_]+")
_COLOR: Final = re.compile(r"#[0-9a-f]{6}")
_SHOWN_CHARS: Final = 40
_FOLD_ROUNDS: Final = 4


@dataclass(frozen=True, slots=True)
class TagPath:
    """Where a tag stands. `names` as written, 1 to 10 of them; `path` joins them by `/`; `key` decides sameness."""

    names: tuple[str, ...]
    path: str
    key: str

    @property
    def parent(self) -> "TagPath | None":
        """The path one level up; None at the top."""
        return _tag_path(self.names[:-1]) if len(self.names) > 1 else None

    @property
    def name(self) -> str:
        """The innermost name."""
        return self.names[-1]

    def lineage(self) -> "list[TagPath]":
        """Return this path and all above it, outermost first."""
        return [_tag_path(self.names[:depth]) for depth in range(1, len(self.names))] + [self]


def storable(text: str, *, what: str, max_chars: int, field: tuple[str, ...] = ()) -> str:
    """Return `text` unchanged if the database can hold it and it has at most `max_chars` characters.

    Raises `BadInput` on a NUL character, a lone surrogate, or greater length; `what` begins the sentence.
    """
    if len(text) > max_chars:
        raise BadInput(f"{what} has at most {max_chars:,} characters; this one has {len(text):,}.", field=field)
    if _UNSTORABLE.search(text):
        raise BadInput(f"{what} contains a NUL character or half of a surrogate pair.", field=field)
    return text


def sought(text: str, name: str) -> str:
    """Return what the filter field `name` looks for. Raises `BadInput` for what no column can hold or is too long."""
    return storable(text, what=f"`{name}`", max_chars=MAX_SOUGHT_CHARS, field=("filter", name))


def one_line(text: str) -> str:
    """Return `text` with controls read as white space, and each run of white space as one space; none at the ends."""
    if not text.isprintable():
        text = "".join(" " if unicodedata.category(char) == "Cc" else char for char in text)
    return " ".join(text.split())


def name_of(text: str, *, what: str, max_chars: int, field: tuple[str, ...] = ()) -> str:
    """Return a name: one line of 1 to `max_chars` characters, at least one of them visible. Raises `BadInput`."""
    storable(text, what=what, max_chars=max(_MAX_TYPED_CHARS, max_chars), field=field)
    name = one_line(text)
    if not _is_visible(name):
        raise BadInput(f"{what} needs at least one visible character.", field=field)
    return storable(name, what=what, max_chars=max_chars, field=field)


def fold(text: str) -> str:
    """Return the form in which spellings are compared: NFKC, one line, case folded. Folding twice changes nothing."""
    for _ in range(_FOLD_ROUNDS):  # folding can make text that normalises further; two rounds do for all of Unicode
        folded = one_line(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()))
        if folded == text:
            break
        text = folded
    return text


def tag_path(text: str, *, field: tuple[str, ...] = ()) -> TagPath:
    """Return the path that a person wrote, such as ` Dev/Python `; empty levels are left out.

    Raises `BadInput` when nothing visible is left, or a bound of this module is passed.
    """
    storable(text, what="A tag", max_chars=_MAX_TYPED_CHARS, field=field)
    names = tuple(name for name in map(one_line, _SLASHES.split(text)) if _is_visible(name))
    if not names:
        raise BadInput("A tag needs a name.", field=field)
    if len(names) > MAX_TAG_DEPTH:
        raise BadInput(f"A tag is nested at most {MAX_TAG_DEPTH} deep; this one is {len(names)}.", field=field)
    for name in names:
        if len(name) > MAX_TAG_NAME_CHARS:
            raise BadInput(
                f"A tag's name has at most {MAX_TAG_NAME_CHARS} characters; “{_shown(name)}” has {len(name):,}.",
                field=field,
            )
    found = _tag_path(names)
    if len(found.path) > MAX_TAG_PATH_CHARS or len(found.key.encode()) > MAX_TAG_KEY_BYTES:
        raise BadInput(f"A nested tag has at most {MAX_TAG_PATH_CHARS} characters in all.", field=field)
    return found


def color_of(text: str, *, field: tuple[str, ...] = ()) -> str:
    """Return a colour as `#rrggbb` in lower case. Raises `BadInput` for anything else."""
    color = text.strip().lower()
    if not _COLOR.fullmatch(color):
        raise BadInput("A colour is written like #1e90ff.", field=field)
    return color


def slug_of(name: str) -> str:
    """Return a form of `name` for addresses: folded words joined by hyphens, 1 to 80 characters."""
    return _NOT_SLUG.sub("-", fold(name))[:_MAX_SLUG_CHARS].strip("-") or "untitled"


def _tag_path(names: tuple[str, ...]) -> TagPath:
    # A character such as U+2105 (c/o) folds to a slash, which must not look like a level.
    return TagPath(names, "/".join(names), "/".join(fold(name).replace("/", "\u2044") for name in names))


def _is_visible(name: str) -> bool:
    return any(char.isprintable() and not char.isspace() for char in name)


def _shown(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARS else text[:_SHOWN_CHARS] + "…"
