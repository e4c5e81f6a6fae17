"""What may be filled in. Pure: values in, values out.

A field belongs to a person from the moment they write into it. It is filled only

* when it is empty and was never filled, or
* when it still holds what was last filled in, and the page now says something else.

So what a person wrote stays, and what they cleared after it had been filled stays cleared. A title that only repeats
the address counts as empty: browsers and imports write that where there is none.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

FILLED: Final = (
    "title",
    "description",
    "language",
    "author",
    "site_name",
    "published_at",
    "favicon_url",
    "image_url",
    "summary",
    "keywords",
    "word_count",
    "reading_time_seconds",
)
"""The columns of a bookmark that a page can fill. Its address is not among them."""


@dataclass(frozen=True, slots=True)
class Decision:
    """`values` are the columns to change; `written` what has been filled in since ever, as JSON, for the next time."""

    values: dict[str, Any]
    written: dict[str, Any]


def decide(bookmark: Mapping[str, Any], found: Mapping[str, Any], written: Mapping[str, Any]) -> Decision:
    """Decide what of `found` goes into a bookmark, of which `written` was filled in before."""
    values: dict[str, Any] = {}
    now = dict(written)
    for name in FILLED:
        new, present = found.get(name), bookmark[name]
        if is_empty(new):
            continue
        was_filled = not is_empty(written.get(name))
        is_ours = told(present) == written.get(name) if was_filled else is_empty(present) or _is_address(name, bookmark)
        if is_ours:
            now[name] = told(new)
            if present != new:
                values[name] = new
    return Decision(values, now)


def is_empty(value: object) -> bool:
    """Tell whether a value says nothing. 0 does: an empty page has no words."""
    return value is None or value in ("", [])


def told(value: object) -> object:
    """Return a value as JSON remembers it."""
    return value.isoformat() if isinstance(value, datetime) else value


def _is_address(name: str, bookmark: Mapping[str, Any]) -> bool:
    """Tell whether a title is the address or a part of it that says no more."""
    if name != "title":
        return False
    title = _bare(bookmark["title"])
    return title in {_bare(bookmark["url"]), _bare(bookmark["canonical_url"]), _bare(bookmark["domain"])}


def _bare(address: str) -> str:
    text = address.strip().casefold()
    return text.partition("://")[2].removeprefix("www.").rstrip("/") if "://" in text else text.removeprefix("www.")
