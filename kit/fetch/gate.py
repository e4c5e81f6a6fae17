"""The gate: which addresses may be dialled at all. Every request passes it, every hop of a redirect anew."""

import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from kit.fetch.answers import Failure, FetchError
from kit.fetch.networks import IpAddress, IpNetwork, is_public, is_within, plain
from kit.fetch.resolving import Resolver
from kit.urls import RefusedUrl, UrlRefusal, WebAddress, locate

Origin = tuple[str, str, int]
"""Scheme, host and port, see `WebAddress.origin`."""

DEFAULT_PORTS: Final = frozenset({80, 443, 8080, 8443})
"""Where web servers conventionally listen, and no database, mail server or remote shell does."""
MAX_ADDRESSES: Final = 64
"""Most addresses of one name. More are no web site, and vetting them is work."""

_LOCAL_SUFFIXES: Final = (
    ".localhost",  # RFC 6761
    ".local",  # RFC 6762, multicast DNS
    ".localdomain",
    ".internal",  # reserved by ICANN for private use; metadata.google.internal
    ".intranet",
    ".lan",
    ".home.arpa",  # RFC 8375
    ".onion",  # RFC 7686: must not be looked up
)
_WITH_ZONE: Final = re.compile(r"https?:/*(?:[^/?#]*@)?\[[0-9a-f:.]*%", re.IGNORECASE)
_REFUSALS: Final = {
    UrlRefusal.EMPTY: Failure.INVALID_URL,
    UrlRefusal.TOO_LONG: Failure.TOO_LONG,
    UrlRefusal.INVALID_URL: Failure.INVALID_URL,
    UrlRefusal.UNSUPPORTED_SCHEME: Failure.UNSUPPORTED_SCHEME,
}
_PRIVATE: Final = "The address leads into a private network, which is closed on purpose."
_PORT: Final = "The address has a port on which no web server is expected."


@dataclass(frozen=True, slots=True)
class Gate:
    """The rules of one fetcher.

    `allow` opens networks that are closed otherwise, on every port. `ports` are those of everything else.
    """

    resolver: Resolver
    allow: Sequence[IpNetwork] = ()
    ports: frozenset[int] = DEFAULT_PORTS

    def admit(self, url: str, *, base: WebAddress | None = None, trusted: Origin | None = None) -> WebAddress:
        """Return the address behind `url` if it may be fetched as far as can be told without looking its name up.

        `trusted` is an origin that the operator has named, and that may lie anywhere. Raises `FetchError`.
        """
        try:
            address = locate(url, base=base)
        except RefusedUrl as error:
            raise self._refused(url, error) from None
        if address.origin == trusted:
            return address
        if address.ip is not None:
            self._vet(address, plain(address.ip))
        elif not self.allow and _is_local(address.host):
            raise FetchError(Failure.BLOCKED_PRIVATE, _PRIVATE, url=address.url)
        elif not self.allow and address.port not in self.ports:
            raise FetchError(Failure.BLOCKED_PORT, _PORT, url=address.url)
        return address

    async def dialable(self, address: WebAddress, *, trusted: Origin | None = None) -> list[IpAddress]:
        """Look up where an admitted address leads, once, and vet every answer: one bad one spoils the name.

        Only what is returned may be dialled, in this order. Raises `FetchError`.
        """
        if address.ip is not None:
            return [plain(address.ip)]
        found = await self._resolve(address)
        if address.origin != trusted:
            for ip in found:
                self._vet(address, ip)
        return found

    def _vet(self, address: WebAddress, ip: IpAddress) -> None:
        if is_within(ip, self.allow):
            return
        if not is_public(ip) or (address.ip is None and _is_local(address.host)):
            raise FetchError(Failure.BLOCKED_PRIVATE, _PRIVATE, url=address.url)
        if address.port not in self.ports:
            raise FetchError(Failure.BLOCKED_PORT, _PORT, url=address.url)

    async def _resolve(self, address: WebAddress) -> list[IpAddress]:
        try:
            found = await self.resolver(address.host)
            answers = [plain(ip_address(text)) for text in found]
        except TimeoutError:
            raise FetchError(
                Failure.DNS_FAILURE, "The name of the host was not answered for in time.", url=address.url
            ) from None
        except socket.gaierror as error:
            # Without a network it is EAI_AGAIN. macOS says EAI_NONAME then too: a single check decides nothing.
            if error.errno == socket.EAI_NONAME:
                raise FetchError(Failure.DNS_NXDOMAIN, "The host does not exist.", url=address.url) from None
            raise _unresolved(address) from None
        except (OSError, ValueError):  # UnicodeError is a ValueError
            raise _unresolved(address) from None
        if not 0 < len(answers) <= MAX_ADDRESSES:
            raise _unresolved(address)
        return answers

    @staticmethod
    def _refused(url: str, error: RefusedUrl) -> FetchError:
        if error.reason is UrlRefusal.INVALID_URL and _WITH_ZONE.match(url.strip()):
            # An IPv6 address with a zone is one of this machine's own links. WHATWG does not even parse it.
            return FetchError(Failure.BLOCKED_PRIVATE, _PRIVATE, url=url)
        return FetchError(_REFUSALS[error.reason], error.message, url=url)


def _unresolved(address: WebAddress) -> FetchError:
    return FetchError(Failure.DNS_FAILURE, "The name of the host could not be looked up.", url=address.url)


def _is_local(host: str) -> bool:
    """Tell whether a name is one of a local network by its form: a single label, or under a suffix for such."""
    name = host.removesuffix(".")
    return "." not in name or name.endswith(_LOCAL_SUFFIXES)
