"""Who sends a request, and whether a browser was tricked into sending it.

A bearer token is only ever sent on purpose. A cookie is sent by the browser whatever page asked it to, so a request
that leans on the cookie must come from this server's own pages (OWASP CSRF cheat sheet: Fetch Metadata, then Origin).
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from http.cookies import CookieError, SimpleCookie
from ipaddress import IPv6Address, ip_address
from typing import Any
from urllib.parse import urlsplit

from kit.errors import Forbidden, Unauthenticated
from kit.settings import Settings, Toggle
from services.auth.sessions import KEY_PREFIX
from services.permissions import Viewer

COOKIE = "__Host-graphmark"
MAX_TOKEN_CHARS = 512
_SAME_ORIGIN = "same-origin"
_OWN_SITES = frozenset({"", "none"})
_MAX_SHOWN_CHARS = 200
_MAX_PROXIES = 20
_HOST = re.compile(r"[0-9A-Za-z!$&'()*+,;=\-._~:\[\]@%]*")  # what RFC 3986 allows in an authority

# Gives the viewer whom a session token or an API key speaks for, or None.
Authenticate = Callable[[str], Awaitable[Viewer | None]]


class Credential(Enum):
    """How a caller proved who he is."""

    NONE = "none"
    BEARER = "bearer"
    COOKIE = "cookie"


@dataclass(frozen=True, slots=True)
class Caller:
    """The sender of one request or the other end of one socket."""

    viewer: Viewer | None = None
    credential: Credential = Credential.NONE
    token: str = field(default="", repr=False)


ANONYMOUS = Caller()


class Headers:
    """Request headers by lower-case name, from an ASGI scope. Of a repeated header the first counts."""

    __slots__ = ("_lines", "_raw")

    def __init__(self, scope: Any) -> None:
        self._lines: list[tuple[bytes, bytes]] = list(scope["headers"])
        self._raw: dict[bytes, bytes] = dict(reversed(self._lines))

    def get(self, name: str) -> str | None:
        """Return the header's value, or None."""
        value = self._raw.get(name.encode())
        return None if value is None else value.decode("latin-1")

    def all(self, name: str) -> list[str]:
        """Return the values of a header that may be repeated, in order: a proxy may add a line behind the client's."""
        wanted = name.encode()
        return [value.decode("latin-1") for key, value in self._lines if key == wanted]


@lru_cache(64)
def is_plain_host(host: str) -> bool:
    """Tell whether a Host header holds nothing but characters that an address may have."""
    return _HOST.fullmatch(host) is not None


def is_allowed(policy: Toggle, viewer: Viewer | None) -> bool:
    """Tell whether a policy that depends on who asks lets `viewer` pass."""
    return policy is Toggle.ALWAYS or (policy is Toggle.SIGNED_IN and viewer is not None)


def bearer_token(header: str | None) -> str | None:
    """Return the token of an `Authorization: Bearer` header; None for any other scheme or none."""
    if header is None:
        return None
    scheme, _, token = header.strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def cookie_token(headers: Headers) -> str | None:
    """Return the token in the session cookie, or None. API keys do not travel in cookies."""
    header = headers.get("cookie")
    if header is None or COOKIE not in header:
        return None
    try:
        morsel = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return None
    token = "" if morsel is None else morsel.value
    return None if not token or token.startswith(f"{KEY_PREFIX}_") else token


async def identify(headers: Headers, authenticate: Authenticate, settings: Settings) -> Caller:
    """Return who sent a request.

    Raises `Unauthenticated` for a bearer token that opens nothing, and `Forbidden` when a foreign page makes the
    browser send the session cookie. A cookie that opens nothing any more is no mistake of its bearer: anonymous.
    """
    token = bearer_token(headers.get("authorization"))
    if token is not None:
        return await by_token(token, authenticate)
    token = cookie_token(headers)
    if token is None:
        return ANONYMOUS
    refuse_foreign_page(headers, settings)
    viewer = await authenticate(token) if len(token) <= MAX_TOKEN_CHARS else None
    return Caller(viewer, Credential.COOKIE, token) if viewer is not None else ANONYMOUS


async def by_token(token: str, authenticate: Authenticate) -> Caller:
    """Return whom a bearer token speaks for. Raises `Unauthenticated` when it opens nothing."""
    viewer = await authenticate(token) if 0 < len(token) <= MAX_TOKEN_CHARS else None
    if viewer is None:
        raise Unauthenticated("The token is unknown, expired or revoked: sign in again.")
    return Caller(viewer, Credential.BEARER, token)


def refuse_foreign_page(headers: Headers, settings: Settings) -> None:
    """Raise `Forbidden` when the browser says that another site's page caused the request.

    `Sec-Fetch-Site` decides where it is sent; `Origin` may then be `null`, as a page's referrer policy has it.
    """
    site = headers.get("sec-fetch-site") or ""
    origin = headers.get("origin")
    if site == _SAME_ORIGIN:
        return
    if site not in _OWN_SITES or (origin is not None and not is_own_origin(origin, headers, settings)):
        raise Forbidden("The session cookie is not accepted from pages of other sites; send a bearer token.")


def is_own_origin(origin: str, headers: Headers, settings: Settings) -> bool:
    """Tell whether a page of `origin` is this server's own.

    With `base_url` set it must be exactly that; else it must name the host and port that the request was sent to.
    """
    if settings.base_url:
        return origin.lower() == settings.origin.lower()
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and parts.netloc.lower() == (headers.get("host") or "").lower() != ""


def user_agent(headers: Headers) -> str:
    """Return what the client calls itself, shortened."""
    return (headers.get("user-agent") or "")[:_MAX_SHOWN_CHARS]


def network_address(scope: Any, headers: Headers, settings: Settings) -> str:
    """Return the address of the other end: the peer, or whoever the peer speaks for if it is a proxy that we trust.

    Each proxy appends its own peer to `X-Forwarded-For`, so only what trusted ones wrote counts: the last entry that is
    none of theirs.
    """
    client = scope.get("client")
    peer = str(client[0]) if client else ""
    if not settings.trusted_proxies or not _is_proxy(peer, settings):
        return peer
    for entry in reversed(",".join(headers.all("x-forwarded-for")).split(",")[-_MAX_PROXIES:]):
        given = entry.strip()
        if not _is_address(given):
            break
        peer = given
        if not _is_proxy(peer, settings):
            break
    return peer


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _is_proxy(address: str, settings: Settings) -> bool:
    if not _is_address(address):
        return False
    parsed = ip_address(address)
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped  # a peer by IPv4 of a socket that listens on both
    return any(parsed in network for network in settings.trusted_proxies)
