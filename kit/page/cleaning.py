"""What comes off a page, made fit to be kept: texts, addresses, times, languages, keywords. Nothing here raises."""

import html
import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urljoin

from kit.errors import BadInput
from kit.text import fold, one_line
from kit.urls import MAX_URL_BYTES, identify, locate

MAX_KEYWORDS: Final = 20
MAX_KEYWORD_CHARS: Final = 60
MAX_AHEAD: Final = timedelta(days=1)
"""A page cannot have been published later than this from now; a day for clocks and time zones."""

EARLIEST: Final = datetime(1990, 1, 1, tzinfo=UTC)
"""No page is older than the web; earlier dates are those of a computer whose clock was never set."""

_SURROGATES: Final = re.compile("[\ud800-\udfff]")
_SPACES: Final = re.compile(r"[^\S\n]+")
_EMPTY_LINES: Final = re.compile(r"\n{3,}")
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}", re.IGNORECASE)
_NO_LANGUAGE: Final = frozenset({"und", "zxx", "mul", "mis", "xx"})
_REGION_CHARS: Final = 2
_SCRIPT_CHARS: Final = 4
_DATE_CHARS: Final = 40
_YEAR_ONLY_CHARS: Final = 4
_KEYWORD_BREAKS: Final = re.compile(r"[,;\n\u3001\uff0c\uff1b]+")


def line(text: str | None, max_chars: int) -> str | None:
    """Return `text` as one line of at most `max_chars` characters, or None when nothing visible is left."""
    if not text:
        return None
    cleaned = _storable(text[: max_chars * 4])
    cleaned = _cut(one_line(cleaned), max_chars)
    return cleaned if any(char.isalnum() for char in cleaned) else None


def unescaped(text: str) -> str:
    """Return `text` without the character references of HTML that authors leave in JSON."""
    return html.unescape(text) if "&" in text else text


def paragraphs(text: str) -> str:
    """Return `text` with its lines kept and all else about its white space made plain; at most one empty line."""
    cleaned = _storable(text.replace("\r\n", "\n").replace("\r", "\n"))
    lines = (_SPACES.sub(" ", part).strip() for part in cleaned.split("\n"))
    return _EMPTY_LINES.sub("\n\n", "\n".join(lines)).strip()


def address(href: str | None, base: str) -> str | None:
    """Return an absolute http or https address in its normal form, without credentials; None when `href` is none."""
    if not href or len(href) > MAX_URL_BYTES:
        return None
    try:
        return identify(locate(urljoin(base, href.strip())).url).canonical
    except (BadInput, ValueError):
        return None


def leads_inward(target: str, url: str) -> bool:
    """Tell whether an address that the page at `url` names lies in a private network, and the page does not.

    Who looks at a bookmark has its pictures loaded: a page of the web shall not reach into their network by it.
    """
    try:
        return locate(target).is_private and not locate(url).is_private
    except BadInput:
        return True


def moment(text: str | None, now: datetime) -> datetime | None:
    """Return a date or time of ISO 8601 or RFC 5322 in UTC, None for anything else, the future and the absurd.

    A date without a time is midnight, a time without a zone UTC. A year alone says too little to be a date.
    """
    given = (text or "").strip()
    if not _YEAR_ONLY_CHARS < len(given) <= _DATE_CHARS:
        return None
    for parse in (_iso, parsedate_to_datetime):
        try:
            found = parse(given)
            found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
        except (ValueError, OverflowError, TypeError, IndexError):
            continue
        return found if EARLIEST <= found <= now + MAX_AHEAD else None
    return None


def _iso(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("/", "-"))


def language(text: str | None) -> str | None:
    """Return a BCP 47 tag in its usual spelling, such as `en`, `pt-BR` or `zh-Hant`; None for what is none."""
    given = (text or "").split(",")[0].strip().replace("_", "-").partition(".")[0]
    if not _LANGUAGE.fullmatch(given):
        return None
    first, *rest = given.split("-")
    if first.lower() in _NO_LANGUAGE:
        return None
    return "-".join([first.lower(), *map(_subtag, rest)])


def _subtag(part: str) -> str:
    if len(part) == _REGION_CHARS:
        return part.upper()
    return part.title() if len(part) == _SCRIPT_CHARS and part.isalpha() else part.lower()


def keywords(texts: Iterable[str]) -> tuple[str, ...]:
    """Return keywords from lists that are separated by commas: each once however it is spelled, the first 20."""
    found: dict[str, str] = {}
    for text in texts:
        for part in _KEYWORD_BREAKS.split(text[: MAX_KEYWORDS * MAX_KEYWORD_CHARS * 4]):
            word = line(part, MAX_KEYWORD_CHARS + 1)
            if word is None or len(word) > MAX_KEYWORD_CHARS:
                continue
            found.setdefault(fold(word), word)
            if len(found) == MAX_KEYWORDS:
                return tuple(found.values())
    return tuple(found.values())


def _storable(text: str) -> str:
    return unicodedata.normalize("NFC", _SURROGATES.sub("", _without_controls(text)))


def _without_controls(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(char if char == "\n" or unicodedata.category(char) != "Cc" else " " for char in text)


def _cut(text: str, max_chars: int) -> str:
    """Cut behind a word where there is one in the last tenth."""
    if len(text) <= max_chars:
        return text
    cut = text[: max_chars - 1]
    space = cut.rfind(" ", max_chars - max_chars // 10)
    return (cut[:space] if space > 0 else cut).rstrip() + "\u2026"
