"""The tags of one row, whatever separates them."""

import re
from functools import lru_cache
from typing import Final

from services.imports.items import MAX_TAG_CHARS, MAX_TAGS, RowWarning

_COMMA_TAGS: Final = re.compile(r"""\btags\s*=\s*(?:"[^",]*,|'[^',]*,)""", re.IGNORECASE)
_MOST_PARTS: Final = 10 * MAX_TAGS
_REMEMBERED: Final = 4_096
_REMEMBERED_CHARS: Final = 200  # many rows bear the same few tags; a longer list is rare, and could be very long


def separates_by_comma(text: str) -> bool:
    """Say whether the bookmark HTML `text` has a TAGS attribute with a comma: then spaces belong to the tags."""
    return _COMMA_TAGS.search(text) is not None


def split_tags(value: str, *, by_comma: bool) -> tuple[tuple[str, ...], list[RowWarning]]:
    """Return the tags of an attribute, trimmed, white space collapsed, each once, in order, with what was lost.

    A comma separates always, white space only in a file without comma-separated tags.
    """
    if len(value) > _REMEMBERED_CHARS:
        return _split(value, by_comma)
    tags, lost = _remembered(value, by_comma)
    return tags, list(lost)


def _split(value: str, by_comma: bool) -> tuple[tuple[str, ...], list[RowWarning]]:
    separator = "," if by_comma or "," in value else None
    parts = value.split(separator, _MOST_PARTS)
    lost: list[RowWarning] = []
    if len(parts) > _MOST_PARTS:
        parts.pop()
        lost.append(RowWarning.TAGS_DROPPED)
    tags: dict[str, None] = {}
    for part in parts:
        tag = " ".join(part.split())
        if len(tag) > MAX_TAG_CHARS:
            tag = tag[:MAX_TAG_CHARS].rstrip()
            if RowWarning.TAG_CUT not in lost:
                lost.append(RowWarning.TAG_CUT)
        if tag and tag not in tags:
            if len(tags) == MAX_TAGS:
                if RowWarning.TAGS_DROPPED not in lost:
                    lost.append(RowWarning.TAGS_DROPPED)
                break
            tags[tag] = None
    return tuple(tags), lost


_remembered = lru_cache(maxsize=_REMEMBERED)(_split)
