"""Fetching: the gate, the connections, redirects hop by hop, and one deadline around all of it."""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import TracebackType
from typing import Final, Self

from kit.fetch.answers import Failure, FetchError, Headers, Hop, Response
from kit.fetch.connection import ClosedError, Connection, connect, dial
from kit.fetch.decoding import ACCEPTED
from kit.fetch.failures import classify
from kit.fetch.gate import DEFAULT_PORTS, Gate, Origin
from kit.fetch.networks import IpAddress, IpNetwork
from kit.fetch.pool import IdleConnections
from kit.fetch.resolving import Resolver, SystemResolver
from kit.fetch.wire import Answer, AnswerReader, MalformedError, encode_request
from kit.product import product_version
from kit.settings import Settings
from kit.urls import WebAddress

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_IDEMPOTENT: Final = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
_METHODS: Final = _IDEMPOTENT | {"POST", "PATCH"}
_SAFE_ELSEWHERE: Final = frozenset(
    {
        "user-agent",
        "accept",
        "accept-encoding",
        "accept-language",
        "cache-control",
        "content-type",
        "if-modified-since",
        "if-none-match",
        "pragma",
        "range",
    }
)
"""Request headers that a redirect carries to another origin. Credentials, cookies and keys are not among them."""


class Fetcher:
    """The one door to the outside. Belongs to one event loop; `async with` closes its connections.

    `allow` are networks that are reached although they are private, on any port. At most `max_in_flight` requests run
    at once, more wait for their turn, which their deadline does not count. `resolver` and `tls` are for tests.
    """

    def __init__(
        self,
        *,
        user_agent: str,
        allow: Sequence[IpNetwork] = (),
        resolver: Resolver | None = None,
        ports: frozenset[int] = DEFAULT_PORTS,
        tls: ssl.SSLContext | None = None,
        connect_seconds: float = 5.0,
        silence_seconds: float = 10.0,
        max_in_flight: int = 100,
    ) -> None:
        self._own_resolver = SystemResolver() if resolver is None else None
        self.gate = Gate(resolver or self._own_resolver or SystemResolver(), allow, ports)
        self.user_agent = user_agent
        self._defaults = {"user-agent": user_agent, "accept": "*/*", "accept-encoding": ACCEPTED}
        self._tls = tls
        self._connect_seconds = connect_seconds
        self._silence_seconds = silence_seconds
        self._turns = asyncio.Semaphore(max_in_flight)
        self._idle = IdleConnections()
        self._open: set[Connection] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close every connection; requests that run fail."""
        self._idle.close()
        for connection in list(self._open):
            connection.abort()
        if self._own_resolver is not None:
            self._own_resolver.close()
        await asyncio.sleep(0)  # connections end in the loop's next round

    async def fetch(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        max_bytes: int = 1_000_000,
        deadline_seconds: float = 30.0,
        max_redirects: int = 10,
        silence_seconds: float | None = None,
        trusted: Origin | None = None,
        before_asking: Callable[[], Awaitable[None]] | None = None,
    ) -> Response:
        """Return what `url` answers, whatever its status, after following at most `max_redirects` redirects.

        With `max_redirects=0` a redirect is the answer. The body is decompressed and cut after `max_bytes`.
        `silence_seconds` is for servers that think for longer than others before they say anything. `trusted` is one
        origin that the operator named: it may lie in a private network. `before_asking` is awaited right before each
        request is sent, once its connection stands. Raises `FetchError`; `ValueError` for a method or header that
        cannot be sent; `Unavailable` when this machine has no room for another connection.
        """
        if method not in _METHODS:
            raise ValueError(f"{method!r} is no method that is sent")
        wanted = (
            self._defaults | {name.lower(): value for name, value in headers.items()} if headers else self._defaults
        )
        journey = _Journey(method, wanted, body, max_bytes, silence_seconds or self._silence_seconds, trusted)
        journey.before_asking = before_asking
        async with self._turns:
            began = asyncio.get_running_loop().time()
            try:
                async with asyncio.timeout(deadline_seconds):
                    answer, address = await self._follow(url, journey, max_redirects)
            except FetchError as error:
                error.hops = tuple(journey.hops)
                raise
            except (OSError, MalformedError) as error:
                failure, message = classify(error)
                raise FetchError(failure, message, url=journey.at or url, hops=tuple(journey.hops)) from None
            return Response(
                url=journey.at,
                status=answer.status,
                headers=Headers(answer.headers),
                body=answer.body,
                is_truncated=answer.is_truncated,
                hops=tuple(journey.hops),
                address=address,
                elapsed_seconds=asyncio.get_running_loop().time() - began,
            )

    async def vet(self, url: str) -> tuple[WebAddress, list[IpAddress]]:
        """Return `url` taken apart and the only addresses that it may be opened at. Raises `FetchError`.

        For whoever opens it by other means, such as a browser.
        """
        address = self.gate.admit(url)
        return address, await self.gate.dialable(address)

    async def connect(self, address: WebAddress) -> socket.socket:
        """Return a socket that is connected to where an admitted address leads. Raises `FetchError`."""
        addresses = await self.gate.dialable(address)
        try:
            return await connect(addresses, address.port, seconds=self._connect_seconds)
        except OSError as error:
            failure, message = classify(error)
            raise FetchError(failure, message, url=address.url) from None

    async def _follow(self, url: str, journey: "_Journey", max_redirects: int) -> tuple[Answer, str]:
        """Go from hop to hop. Each passes the gate from the top."""
        at = self.gate.admit(url, trusted=journey.trusted)
        seen = {at.without_fragment}
        while True:
            journey.at = at.url
            answer, address = await self._ask(at, journey)
            if answer.status not in _REDIRECTS or max_redirects == 0:
                return answer, address
            location = next((value for name, value in answer.headers if name == "location"), None)
            if location is None:
                return answer, address
            if len(journey.hops) == max_redirects:
                raise FetchError(
                    Failure.TOO_MANY_REDIRECTS, f"The address redirects more than {max_redirects} times.", url=at.url
                )
            at = self._redirected(at, answer.status, location, journey)
            if at.without_fragment in seen:
                raise FetchError(Failure.TOO_MANY_REDIRECTS, "The address redirects in a circle.", url=at.url)
            seen.add(at.without_fragment)

    def _redirected(self, at: WebAddress, status: int, location: str, journey: "_Journey") -> WebAddress:
        """Return where a redirect leads, and leave behind what must not go there."""
        try:
            there = self.gate.admit(location, base=at, trusted=journey.trusted)
        except FetchError as error:
            if error.failure in {Failure.INVALID_URL, Failure.TOO_LONG}:
                raise FetchError(
                    Failure.BAD_RESPONSE, "The server redirects to something that is no address.", url=at.url
                ) from None
            journey.hops.append(Hop(at.url, status, error.url))
            raise
        journey.hops.append(Hop(at.url, status, there.url))
        if there.origin != at.origin:
            journey.headers = {name: value for name, value in journey.headers.items() if name in _SAFE_ELSEWHERE}
        if (status == 303 and journey.method != "HEAD") or (status in {301, 302} and journey.method == "POST"):  # noqa: PLR2004  as the statuses are known
            journey.method, journey.body = "GET", None
            journey.headers = {name: value for name, value in journey.headers.items() if name != "content-type"}
        return there

    async def _ask(self, at: WebAddress, journey: "_Journey") -> tuple[Answer, str]:
        """Ask one server, on a connection that waits or on a new one."""
        body = journey.body if journey.body is not None or journey.method in {"GET", "HEAD"} else b""
        request = encode_request(journey.method, at.target, at.authority, journey.headers, body)
        place = (at.origin, at.origin == journey.trusted)
        connection = self._idle.take(place)
        if connection is not None:
            try:
                return await self._exchange(connection, request, place, journey)
            except ClosedError as error:
                # The server closed it while the request was on its way. What can be asked twice is asked again.
                if not error.is_unanswered or journey.method not in _IDEMPOTENT:
                    raise
        connection = await self._dial(at, journey)
        return await self._exchange(connection, request, place, journey)

    async def _exchange(
        self, connection: Connection, request: bytes, place: tuple[Origin, bool], journey: "_Journey"
    ) -> tuple[Answer, str]:
        reader = AnswerReader(is_head=journey.method == "HEAD", max_bytes=journey.max_bytes)
        if journey.before_asking is not None:
            await self._wait(connection, journey.before_asking)
        answer = await connection.exchange(request, reader, silence_seconds=journey.silence_seconds)
        self._idle.give(place, connection)
        return answer, connection.address

    async def _wait(self, connection: Connection, before_asking: Callable[[], Awaitable[None]]) -> None:
        """Wait for leave to ask; without it the connection is closed."""
        try:
            await before_asking()
        except BaseException:
            connection.abort()
            raise

    async def _dial(self, at: WebAddress, journey: "_Journey") -> Connection:
        addresses = await self.gate.dialable(at, trusted=journey.trusted)
        tls = None
        if at.scheme == "https":
            tls = self._tls = self._tls or _tls()
        connection = await dial(addresses, at.port, tls=tls, name=at.host, seconds=self._connect_seconds)
        if connection.is_open:
            self._open.add(connection)
            connection.on_close = self._open.discard
        return connection


def open_fetcher(settings: Settings) -> Fetcher:
    """Return a fetcher as it is set, for `async with`. Its User-Agent says what asks, and where to complain."""
    contact = f" (+{settings.user_agent_contact})" if settings.user_agent_contact else ""
    return Fetcher(
        user_agent=f"Graphmark/{product_version()}{contact}",
        allow=settings.allow_private_networks,
        ports=frozenset(settings.fetch_ports),
        connect_seconds=settings.fetch_connect_seconds,
        silence_seconds=settings.fetch_silence_seconds,
        max_in_flight=settings.fetch_max_connections,
    )


class _Journey:
    """What changes from hop to hop."""

    __slots__ = ("at", "before_asking", "body", "headers", "hops", "max_bytes", "method", "silence_seconds", "trusted")

    def __init__(
        self,
        method: str,
        headers: Mapping[str, str],
        body: bytes | None,
        max_bytes: int,
        silence_seconds: float,
        trusted: Origin | None,
    ) -> None:
        self.method = method
        self.headers = headers
        self.body = body
        self.max_bytes = max_bytes
        self.silence_seconds = silence_seconds
        self.trusted = trusted
        self.hops: list[Hop] = []
        self.at = ""
        self.before_asking: Callable[[], Awaitable[None]] | None = None


def _tls() -> ssl.SSLContext:
    """Return how certificates are judged: by the authorities of the system, TLS 1.2 or newer."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context
