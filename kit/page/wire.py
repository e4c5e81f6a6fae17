"""How the reader and its child processes speak: length-prefixed JSON, a page's bytes raw behind its request.

parent → child   {"url", "content_type", "now", "seconds"}, then the body
child → parent   {"ready": true} once, then for each request {"page": {…}} or {"unreadable": "why"}
"""

from dataclasses import asdict
from datetime import datetime
from typing import Any, BinaryIO, Final

import orjson

from kit.page.page import Page

LENGTH_BYTES: Final = 4
MAX_ANSWER_BYTES: Final = 4_000_000


def pack(body: bytes) -> bytes:
    """Return bytes with their length in front."""
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


def message(content: dict[str, Any]) -> bytes:
    """Return a message as it goes over a pipe."""
    return pack(orjson.dumps(content))


def take(stream: BinaryIO) -> bytes | None:
    """Read what `pack` made; None at the end of the stream."""
    length = stream.read(LENGTH_BYTES)
    if len(length) < LENGTH_BYTES:
        return None
    size = int.from_bytes(length, "big")
    body = stream.read(size)
    return body if len(body) == size else None


def told(page: Page) -> dict[str, Any]:
    """Return a page as JSON carries it."""
    return {**asdict(page), "digest": page.digest.hex()}


def heard(told_page: dict[str, Any]) -> Page:
    """Return the page that was told."""
    published = told_page["published_at"]
    return Page(
        **{
            **told_page,
            "digest": bytes.fromhex(told_page["digest"]),
            "keywords": tuple(told_page["keywords"]),
            "published_at": None if published is None else datetime.fromisoformat(published),
        }
    )
