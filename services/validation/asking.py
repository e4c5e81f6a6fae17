"""How a link is asked: which method, with which headers, and how long a server wants to be left alone."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from kit.fetch import Failure

MAX_BODY_BYTES: Final = 1_000_000
"""So much of a page is read, decompressed."""

MAX_HOPS: Final = 10
MAX_RETRY_AFTER: Final = timedelta(hours=24)
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
PERMANENT_REDIRECTS: Final = frozenset({301, 308})

_HEAD_NOT_TRUSTED: Final = frozenset({400, 403, 404, 405, 406, 409, 410, 501})
_HEAD_FAILURES: Final = frozenset({Failure.CONNECTION_RESET, Failure.TIMEOUT, Failure.BAD_RESPONSE})
_HTML: Final = ("text/html", "application/xhtml+xml")
_MAX_VALIDATOR_CHARS: Final = 500
_SERVER_ERRORS: Final = 500
_TOO_MANY_REQUESTS: Final = 429
_MAX_DIGITS: Final = 9


def head_headers(etag: str | None, last_modified: str | None) -> dict[str, str]:
    """Return what to send with HEAD: the validators of the last answer, so that "not modified" can be said."""
    headers = {}
    if etag:
        headers["If-None-Match"] = etag
    if last_modified:
        headers["If-Modified-Since"] = last_modified
    return headers


def get_headers() -> dict[str, str]:
    """Return what to send with GET: no more is asked for than is read."""
    return {"Range": f"bytes=0-{MAX_BODY_BYTES - 1}"}


def needs_get(status: int, headers: Mapping[str, str]) -> bool:
    """Tell whether what HEAD was answered has to be checked by GET: many servers treat HEAD worse than GET."""
    if status == _TOO_MANY_REQUESTS:
        return "retry-after" not in headers
    return status in _HEAD_NOT_TRUSTED or status >= _SERVER_ERRORS


def needs_get_after(failure: Failure) -> bool:
    """Tell whether GET may succeed where HEAD got no answer."""
    return failure in _HEAD_FAILURES


def is_html(content_type: str | None) -> bool:
    """Tell whether a body is a page that can be read. What has no type is looked at."""
    return not content_type or content_type.partition(";")[0].strip().lower() in _HTML


def validator(value: str | None) -> str | None:
    """Return an ETag or Last-Modified that can be kept and sent again, or None."""
    if value is None or len(value) > _MAX_VALIDATOR_CHARS or not (value.isascii() and value.isprintable()):
        return None
    return value.strip() or None


def retry_at(value: str | None, now: datetime) -> datetime | None:
    """Return when a `Retry-After` allows the next request: seconds or a date, at most 24 hours ahead.

    See RFC 9110, section 10.2.3. None when it says nothing that can be understood, or names a time that has passed.
    """
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        seconds = int(text[:_MAX_DIGITS]) if len(text) <= _MAX_DIGITS else int(MAX_RETRY_AFTER.total_seconds())
        moment = now + min(timedelta(seconds=seconds), MAX_RETRY_AFTER)
    else:
        try:
            moment = parsedate_to_datetime(text)
        except (ValueError, OverflowError):
            return None
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return min(moment.astimezone(UTC), now + MAX_RETRY_AFTER) if moment > now else None
