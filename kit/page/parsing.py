"""Reading one page, from its bytes to a `Page`. Runs in the child process; see reader for who kills it.

Three stages, each with a share of the time: the outline bears anything; the vocabularies and the main text are read by
libraries that hostile markup can slow down or break, so each is ended by a timer and its part left out.
"""

import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import FrameType
from typing import Final

import lxml.html
import trafilatura

from kit.page import words
from kit.page.cleaning import paragraphs
from kit.page.decoding import decode, header_charset
from kit.page.languages import detect
from kit.page.merging import merge
from kit.page.outline import Outline, outline
from kit.page.page import Page, PageUnreadable, Said
from kit.page.structured import Structured, structured

MAX_TEXT_CHARS: Final = 100_000
"""The main text is cut here; its words are counted before."""

MAX_DEPTH: Final = 1_000
"""What lies behind a place where more elements are open is not read: parsers take quadratic time there."""

_SHARE: Final = 0.3
_HTML: Final = re.compile(r"(text/html|application/xhtml\+xml|(application|text)/([\w.\-]+\+)?xml)\b", re.IGNORECASE)
_TEXT: Final = re.compile(r"text/", re.IGNORECASE)
_MAGIC: Final = (
    b"%PDF-",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"PK\x03\x04",
    b"\x1f\x8b",
    b"RIFF",
    b"\x7fELF",
    b"OggS",
)
_SNIFFED_BYTES: Final = 1_024
_CONTROLS: Final = bytes(set(range(32)) - set(b"\t\n\f\r\x1b"))  # the last one begins the escapes of ISO-2022-JP
_CONTROL_SHARE: Final = 0.05
_TAG: Final = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9\-]*)")
_UNCOUNTED: Final = frozenset({
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr",
    "p", "li", "dt", "dd", "tr", "td", "th", "thead", "tbody",
    "tfoot", "option", "optgroup", "colgroup", "rt", "rp", "html", "head", "body",
})  # fmt: skip
"""Elements that hold nothing, or that end by themselves where the next one begins."""


class _SlowError(BaseException):
    """A stage took its share of the time. No Exception, so that no library takes it for a mishap of its own."""


def read_page(body: bytes, url: str, content_type: str | None, *, now: datetime, seconds: float) -> Page:
    """Return what a page says. Raises `PageUnreadable` for what is no text; `seconds` is what all stages may take."""
    _refuse_binary(body, content_type)
    text = decode(body, content_type).replace("\0", " ")
    if content_type and _TEXT.match(content_type) and not _HTML.match(content_type):
        return _plain(text)
    text = shallow(text)
    found = outline(text, url)
    said = Structured()
    main = ""
    tree = _tree(text)
    if tree is not None:
        with _at_most(seconds * _SHARE):
            for said in structured(tree, text, url):  # noqa: B007  what was read until the time was up counts
                pass
        with _at_most(seconds * _SHARE):
            main = _main_text(text, url)
    return _page(found, merge(found, said, now), main)


def shallow(text: str) -> str:
    """Return HTML up to where more than `MAX_DEPTH` elements are open, counting only those that need an end tag."""
    depth = 0
    for tag in _TAG.finditer(text):
        if tag.group(2).lower() in _UNCOUNTED:
            continue
        depth = max(0, depth - 1) if tag.group(1) else depth + 1
        if depth > MAX_DEPTH:
            return text[: tag.start()]
    return text


def _refuse_binary(body: bytes, content_type: str | None) -> None:
    head = body[:_SNIFFED_BYTES]
    if head.startswith(_MAGIC):
        raise PageUnreadable("This is no page: its bytes are those of another kind of file.")
    if content_type and not (_HTML.match(content_type) or _TEXT.match(content_type)):
        raise PageUnreadable("This is no page: its server says that it is something else.")
    is_wide = head.startswith((b"\xff\xfe", b"\xfe\xff")) or (header_charset(content_type) or "").lower().startswith(
        "utf-16"
    )
    if not is_wide and len(head) - len(head.translate(None, _CONTROLS)) > len(head) * _CONTROL_SHARE:
        raise PageUnreadable("This is no page: its bytes are not text.")


def _plain(text: str) -> Page:
    found = Outline(url="", base="", seen=paragraphs(text))
    nothing = Said(None, None, None, None, None, None, None, None, None, (), None)
    return _page(found, nothing, found.seen)


def _tree(text: str) -> lxml.html.HtmlElement | None:
    # Bytes, because lxml refuses text that declares an encoding; recover and no network are its defaults for HTML.
    parser = lxml.html.HTMLParser(encoding="utf-8", no_network=True)
    try:
        return lxml.html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except (lxml.etree.LxmlError, ValueError, AssertionError):
        return None


def _main_text(text: str, url: str) -> str:
    tree = _tree(text)
    if tree is None:
        return ""
    try:
        found = trafilatura.extract(tree, url=url, include_comments=False, include_tables=True, with_metadata=False)
    except Exception:  # noqa: BLE001  pages break it in every way; the text that can be seen is there without it
        return ""
    return paragraphs(found or "")


def _page(found: Outline, merged: Said, main: str) -> Page:
    whole = main or found.seen
    count = words.count_words(whole)
    return Page(
        title=merged.title,
        description=merged.description,
        author=merged.author,
        site_name=merged.site_name,
        published_at=merged.published_at,
        language=merged.language or detect(whole),
        canonical_url=merged.canonical_url,
        favicon_url=merged.favicon_url,
        image_url=merged.image_url,
        keywords=merged.keywords,
        kind=merged.kind,
        text=whole[:MAX_TEXT_CHARS],
        word_count=count,
        reading_time_seconds=words.reading_seconds(count),
        fingerprint=words.fingerprint(whole[:MAX_TEXT_CHARS]),
        digest=words.digest(whole),
        is_script_only=found.is_script_only,
        has_password_field=found.has_password_field,
        refresh_url=found.refresh_url,
        link_count=found.link_count,
    )


@contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    """End the block when it has run for `seconds`, without a word."""

    def ring(_signal: int, _frame: FrameType | None) -> None:
        raise _SlowError

    handler = signal.signal(signal.SIGALRM, ring)
    timer = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    except _SlowError:
        return
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, *timer)


def warm_up() -> None:
    """Load what is loaded at its first use, so that no page pays for it."""
    html = (
        "<html lang=''><head><title>One</title></head><body><p>"
        + "A first page to warm up. " * 20
        + "</p></body></html>"
    )
    read_page(html.encode(), "https://example.org/", "text/html", now=datetime.now(UTC), seconds=60)
