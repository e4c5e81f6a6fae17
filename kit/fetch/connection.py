"""One connection: dialled to a vetted address, then one request after the other."""

import asyncio
import socket
import ssl
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, ip_address
from typing import Final, cast

from kit.fetch.networks import IpAddress, plain
from kit.fetch.wire import Answer, AnswerReader, MalformedError

MAX_TRIED_ADDRESSES: Final = 4
"""Most addresses of one name that are dialled before giving up."""


class ClosedError(ConnectionResetError):
    """The other side closed. `is_unanswered`: before a single byte of an answer came."""

    def __init__(self, *, is_unanswered: bool) -> None:
        super().__init__("closed by the other side")
        self.is_unanswered = is_unanswered


class Connection(asyncio.Protocol):
    """Carries one exchange at a time. Whatever happens that was not asked for closes it."""

    def __init__(self) -> None:
        self.address = ""
        self.on_close: Callable[[Connection], None] | None = None
        self.idle_since = 0.0
        self._transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()
        self._reader: AnswerReader | None = None
        self._waiter: asyncio.Future[Answer] | None = None
        self._heard = 0.0
        self._silence_seconds = 0.0
        self._watch: asyncio.TimerHandle | None = None

    @property
    def is_open(self) -> bool:
        """Tell whether another request can be sent."""
        return self._transport is not None and not self._transport.is_closing()

    async def exchange(self, request: bytes, reader: AnswerReader, *, silence_seconds: float) -> Answer:
        """Send a request and return its answer. Closes the connection unless it can carry another one.

        Raises `ClosedError`, `MalformedError`, `TimeoutError` when nothing came for `silence_seconds`, or `OSError`.
        """
        if self._transport is None or self._transport.is_closing():
            raise ClosedError(is_unanswered=True)
        loop = self._loop
        self._reader = reader
        self._waiter = loop.create_future()
        self._heard = loop.time()
        self._silence_seconds = silence_seconds
        self._watch = loop.call_at(self._heard + silence_seconds, self._listen)
        try:
            self._transport.write(request)
            return await self._waiter
        finally:
            self._watch.cancel()
            self._watch = self._waiter = self._reader = None
            if not reader.can_go_on:
                self.abort()

    def abort(self) -> None:
        """Close at once, sending nothing more."""
        if self._transport is not None:
            self._transport.abort()

    def _listen(self) -> None:
        """End an exchange whose other side has been silent for too long."""
        due = self._heard + self._silence_seconds
        if due <= self._loop.time():
            self._fail(TimeoutError("silent for too long"))
        else:
            self._watch = self._loop.call_at(due, self._listen)

    def _fail(self, error: Exception) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(error)
        self.abort()

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Read the answer on. Bytes that nobody asked for close the connection."""
        reader, waiter = self._reader, self._waiter
        if reader is None or waiter is None or waiter.done():
            self.abort()
            return
        self._heard = self._loop.time()
        try:
            is_complete = reader.feed(data)
        except MalformedError as error:
            self._fail(error)
            return
        if is_complete:
            waiter.set_result(reader.answer())

    def connection_lost(self, exc: Exception | None) -> None:
        """End the exchange: with its answer if this was how it ends."""
        self._transport = None
        reader, waiter = self._reader, self._waiter
        if reader is not None and waiter is not None and not waiter.done():
            if exc is None and reader.end():
                waiter.set_result(reader.answer())
            elif isinstance(exc, TimeoutError | ssl.SSLError):
                waiter.set_exception(exc)
            else:
                waiter.set_exception(ClosedError(is_unanswered=not reader.has_begun))
        if self.on_close is not None:
            self.on_close(self)


async def dial(
    addresses: Sequence[IpAddress], port: int, *, tls: ssl.SSLContext | None, name: str, seconds: float
) -> Connection:
    """Return a connection to the first of `addresses` that takes one, secured if `tls` is given, within `seconds`.

    The certificate must be `name`'s. Raises `OSError`, to which `TimeoutError` and `ssl.SSLError` belong.
    """
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(seconds):
        sock = await connect(addresses, port, seconds=seconds)
        try:
            address = sock.getpeername()[0]
            server_name = name.removesuffix(".") if tls is not None else None
            _, connection = await loop.create_connection(Connection, sock=sock, ssl=tls, server_hostname=server_name)
        except BaseException:
            sock.close()
            raise
    connection.address = address
    return connection


async def connect(addresses: Sequence[IpAddress], port: int, *, seconds: float) -> socket.socket:
    """Return a socket that is connected to exactly one of `addresses`, tried in their order within `seconds`.

    Raises `OSError` (a `TimeoutError` too): that of the last try.
    """
    loop = asyncio.get_running_loop()
    due = loop.time() + seconds
    tried = addresses[:MAX_TRIED_ADDRESSES]
    for left, address in zip(range(len(tried), 0, -1), tried, strict=True):
        try:
            async with asyncio.timeout((due - loop.time()) / left):
                return await _connect_one(loop, address, port)
        except OSError:
            if left == 1:
                raise
    raise OSError("there is no address to dial")


async def _connect_one(loop: asyncio.AbstractEventLoop, address: IpAddress, port: int) -> socket.socket:
    """Connect to `address` and look who is there before anything is said."""
    sock = socket.socket(socket.AF_INET if isinstance(address, IPv4Address) else socket.AF_INET6, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)  # noqa: FBT003  the standard library names it so
        await loop.sock_connect(sock, (str(address), port))
        if plain(ip_address(sock.getpeername()[0])) != address:
            raise OSError("the connection leads to another address than the one that was dialled")
    except BaseException:
        sock.close()
        raise
    return sock
