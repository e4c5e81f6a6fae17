"""What is read from a page."""

from dataclasses import dataclass
from datetime import datetime

from kit.errors import GraphmarkError


@dataclass(frozen=True, slots=True)
class Said:
    """What a page says of itself. Texts are normalised, without control characters, and bounded; None: it says nothing.

    Addresses are absolute and http or https.
    """

    title: str | None
    description: str | None
    author: str | None
    site_name: str | None
    published_at: datetime | None
    language: str | None
    canonical_url: str | None
    favicon_url: str | None
    image_url: str | None
    keywords: tuple[str, ...]
    kind: str | None


@dataclass(frozen=True, slots=True)
class Page(Said):
    """A page as it was read.

    `text` is the main text without navigation; `word_count` counts its words (a CJK character counts as half a word).
    `fingerprint` is a 64-bit SimHash of the main text, as a signed integer: two texts are alike when few bits differ.
    `digest` is the SHA-256 of the normalised main text.
    """

    text: str
    word_count: int
    reading_time_seconds: int
    fingerprint: int
    digest: bytes
    is_script_only: bool
    has_password_field: bool
    refresh_url: str | None
    link_count: int


class PageUnreadable(GraphmarkError):  # noqa: N818  named like its siblings in kit.errors
    """The page could not be read: no text, a parser that did not end in time, or one that broke on it."""
