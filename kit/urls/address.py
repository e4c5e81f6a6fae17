"""An address taken apart for fetching: what is dialled and what is sent."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

import can_ada

from kit.urls.identity import (
    MAX_HOST_CHARS,
    MAX_URL_BYTES,
    RefusedUrl,
    UrlRefusal,
    readable,
    too_long,
    unparsable,
    unsupported,
)

DEFAULT_PORTS: Final = {"http": 80, "https": 443}
MAX_LABEL_CHARS: Final = 63
"""Longest part of a host name between two dots (RFC 1035 section 2.3.4)."""

_PRIVATE_SUFFIXES: Final = tuple(
    f".{name}" for name in ("local", "localhost", "internal", "lan", "home", "intranet", "corp", "test", "home.arpa")
)


@dataclass(frozen=True, slots=True)
class WebAddress:
    """One http or https address as the WHATWG parser reads it, credentials taken off. Everything is printable ASCII.

    url        the whole address with its fragment
    host       lower case, punycode; a root dot is kept, an IPv6 address stands without brackets
    ip         the host as an IP address, or None where it is a name
    authority  host and port as the `Host` header has them: without the scheme's own port
    target     path and query as the request line has them
    """

    url: str
    scheme: str
    host: str
    ip: IPv4Address | IPv6Address | None
    port: int
    authority: str
    target: str

    @property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host and port: what the web calls one origin."""
        return (self.scheme, self.host, self.port)

    @property
    def is_private(self) -> bool:
        """Tell whether it means nothing, or something else, outside its own network, as far as its form shows."""
        if self.ip is not None:
            return not self.ip.is_global
        name = self.host.removesuffix(".")
        return "." not in name or name.endswith(_PRIVATE_SUFFIXES)

    @property
    def without_fragment(self) -> str:
        """The address that a server is asked for."""
        return self.url.partition("#")[0]


def locate(url: str, *, base: WebAddress | None = None) -> WebAddress:
    """Take `url` apart, relative to `base` if there is one (a redirect). Raises `RefusedUrl` and nothing else.

    As in browsers, line breaks within the address vanish and a relative address without a fragment keeps that of its
    base (RFC 9110 section 10.2.2).
    """
    text = readable(url)
    try:
        parsed = can_ada.parse(text) if base is None else can_ada.parse(base.url) + text
    except ValueError:
        raise unparsable(text) from None
    scheme = parsed.protocol[:-1]
    own_port = DEFAULT_PORTS.get(scheme)
    if own_port is None:
        raise unsupported(scheme)
    if parsed.has_credentials():
        parsed.username = ""
        parsed.password = ""
    if base is not None and not parsed.hash and "#" in base.url:
        parsed.hash = base.url.partition("#")[2]
    href = parsed.href
    if len(href) > MAX_URL_BYTES:
        raise too_long()
    hostname, port = parsed.hostname, parsed.port
    host, ip = _host(hostname)
    return WebAddress(
        url=href,
        scheme=scheme,
        host=host,
        ip=ip,
        port=int(port) if port else own_port,
        authority=f"{hostname}:{port}" if port else hostname,
        target=parsed.pathname + parsed.search,
    )


def _host(hostname: str) -> tuple[str, IPv4Address | IPv6Address | None]:
    """Return a host without brackets, and as an IP address if it is one. WHATWG makes every number form canonical."""
    if hostname.startswith("["):
        host = hostname[1:-1]
        return host, ip_address(host)
    if hostname[-1:].isdigit():
        try:
            return hostname, ip_address(hostname)
        except ValueError:
            pass  # a name like `host1`
    name = hostname.removesuffix(".")
    if len(name) > MAX_HOST_CHARS or not all(0 < len(label) <= MAX_LABEL_CHARS for label in name.split(".")):
        raise RefusedUrl(UrlRefusal.INVALID_URL, "This is not a web address: no host can have this name.")
    return hostname, None
