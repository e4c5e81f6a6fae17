"""The headers that every HTTP response of this server has, whatever route, file or failure it comes from.

What a route says itself stands; the rest is the strictest answer: nothing is kept, framed, sniffed, embedded by other
sites or told to them (OWASP HTTP Headers cheat sheet). They are added around the whole application, so that a new
route, a file and a framework's own refusal have them too.
"""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from litestar.types import Send

from kit.settings import Settings

HSTS_SECONDS: Final = 365 * 24 * 3600
HEADERS: Final[Mapping[str, str]] = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


def headers_of(settings: Settings) -> Mapping[str, str]:
    """Return the headers. Where people come by https, browsers are told for a year to come by nothing else.

    Only this host is promised (RFC 6797): others of its domain may be somebody else's.
    """
    if urlsplit(settings.origin).scheme != "https":
        return HEADERS
    return {**HEADERS, "strict-transport-security": f"max-age={HSTS_SECONDS}"}


class Protection:
    """Adds the headers to what is sent."""

    __slots__ = ("_pairs",)

    def __init__(self, settings: Settings) -> None:
        self._pairs = [(name.encode(), value.encode()) for name, value in headers_of(settings).items()]

    def around(self, send: Send) -> Send:
        """Return a `send` for one exchange that adds what its response does not say itself."""

        async def protected(message: Any) -> None:
            if message["type"] == "http.response.start":
                said = [(bytes(name), bytes(value)) for name, value in message.get("headers", ())]
                names = {name.lower() for name, _ in said}
                added = [pair for pair in self._pairs if pair[0] not in names]
                message = {**message, "headers": said + added}
            await send(message)

        return protected
