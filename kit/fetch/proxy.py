"""A proxy on loopback for a browser: the only network it gets is what the gate lets through."""

import asyncio
import re
from base64 import b64encode
from collections import Counter
from collections.abc import Coroutine
from hmac import compare_digest
from secrets import token_urlsafe
from types import TracebackType
from typing import Any, Final, Self

from kit.errors import Unavailable
from kit.fetch.answers import Failure, FetchError
from kit.fetch.fetcher import Fetcher
from kit.urls import WebAddress

HEAD_SECONDS: Final = 10.0
"""Longest wait for the head of a request."""
MAX_CONNECTIONS: Final = 200
"""Most connections of browsers at once; more are turned away."""
MAX_HEAD_BYTES: Final = 65_536
_MAX_LENGTH_DIGITS: Final = 18
_CHUNK_BYTES: Final = 65_536
_REQUEST: Final = re.compile(rb"([A-Z]{1,16}) ([!-~]+) HTTP/1\.[01]")
_INTERIM: Final = (b"HTTP/1.1 1", b"HTTP/1.0 1")
_BETWEEN_NEIGHBOURS: Final = frozenset(
    {b"connection", b"host", b"keep-alive", b"proxy-authorization", b"proxy-connection", b"te", b"upgrade"}
)
_ESTABLISHED: Final = b"HTTP/1.1 200 Connection established\r\n\r\n"
_NOTHING: Final = b"Content-Length: 0\r\nConnection: close\r\n\r\n"
_ALSO: Final = {407: b'Proxy-Authenticate: Basic realm="graphmark"\r\n'}
_WORDS: Final = {
    400: "Bad Request",
    403: "Forbidden",
    407: "Proxy Authentication Required",
    411: "Length Required",
    502: "Bad Gateway",
    503: "Service Unavailable",
}
_GATE: Final = frozenset(
    {
        Failure.INVALID_URL,
        Failure.TOO_LONG,
        Failure.UNSUPPORTED_SCHEME,
        Failure.BLOCKED_PORT,
        Failure.BLOCKED_PRIVATE,
    }
)


class _RefusedError(Exception):
    """A request that is answered by the proxy itself."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class GateProxy:
    """An HTTP proxy that looks names up, vets every answer and dials the vetted address, as the fetcher does.

    For `--proxy-server`, together with `--proxy-bypass-list=<-loopback>`: Chromium goes round its proxy to loopback
    otherwise. CONNECT makes a tunnel, an absolute http address is one request on one connection. What comes back on a
    connection is limited to `max_bytes`, and its life to `deadline_seconds`. `refused` counts what the gate refused.
    Loopback is shared with every program and user of the machine: only who knows `username` and `password` is served.
    """

    username: Final = "graphmark"

    def __init__(self, fetcher: Fetcher, *, max_bytes: int = 50_000_000, deadline_seconds: float = 60.0) -> None:
        self._fetcher = fetcher
        self._max_bytes = max_bytes
        self._deadline_seconds = deadline_seconds
        self._server: asyncio.Server | None = None
        self._running: set[asyncio.Task[None]] = set()
        self.password = token_urlsafe(24)
        self.refused: Counter[Failure] = Counter()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=MAX_HEAD_BYTES)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        if self._server is not None:
            await self._server.wait_closed()

    @property
    def url(self) -> str:
        """Where it listens, as browsers are told: `http://127.0.0.1:…`. Only while it is open."""
        if self._server is None:
            raise RuntimeError("the proxy is not open")
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    @property
    def authorization(self) -> str:
        """The value of Proxy-Authorization that is asked for (RFC 7617)."""
        return f"Basic {b64encode(f'{self.username}:{self.password}'.encode()).decode()}"

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Begin to serve a browser, in a task that ends with the proxy."""
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(self._deadline_seconds):
                await self._handle(reader, writer)
        except _RefusedError as error:
            first = f"HTTP/1.1 {error.status} {_WORDS[error.status]}\r\n".encode()
            writer.write(first + _ALSO.get(error.status, b"") + _NOTHING)
            writer.close()
        except (OSError, EOFError):
            pass  # either side has gone, or the deadline: there is nobody to tell
        finally:
            if not writer.is_closing():
                writer.transport.abort()

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._running) > MAX_CONNECTIONS:
            raise _RefusedError(503)
        try:
            async with asyncio.timeout(HEAD_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError:
            raise _RefusedError(400) from None
        first, _, rest = head.partition(b"\r\n")
        request = _REQUEST.fullmatch(first)
        if request is None:
            raise _RefusedError(400)
        if not any(compare_digest(value, self.authorization.encode()) for value in _said(rest, b"proxy-authorization")):
            raise _RefusedError(407)
        method, target = request[1], request[2].decode("ascii")
        if method == b"CONNECT":
            await self._tunnel(f"http://{target}/", reader, writer)
        elif target.startswith("http://"):
            await self._forward(method, target, rest, reader, writer)
        else:
            raise _RefusedError(400)

    async def _tunnel(self, url: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry bytes both ways until both sides have ended."""
        _, there, back = await self._dial(url)
        try:
            writer.write(_ESTABLISHED)
            await asyncio.gather(_carry(reader, back, self._max_bytes), _carry(there, writer, self._max_bytes))
        finally:
            back.transport.abort()

    async def _forward(
        self, method: bytes, url: str, headers: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Pass on one request with its body, nothing that follows it, and carry the answer back.

        The connection ends with the answer: what a browser says next may be meant for another server.
        """
        length = _length(headers, self._max_bytes)
        address, there, back = await self._dial(url)
        try:
            first = method + f" {address.target} HTTP/1.1\r\nHost: {address.authority}".encode()
            back.write(_as_only(first, headers) + await reader.readexactly(length))
            first = b""
            while not first or first.startswith(_INTERIM):
                first, _, headers = (await there.readuntil(b"\r\n\r\n")).partition(b"\r\n")
            writer.write(_as_only(first, headers))
            await _until_first(_carry(there, writer, self._max_bytes), _leave(reader))
            writer.close()
        except asyncio.LimitOverrunError:
            raise _RefusedError(502) from None
        finally:
            back.transport.abort()

    async def _dial(self, url: str) -> tuple[WebAddress, asyncio.StreamReader, asyncio.StreamWriter]:
        try:
            address = self._fetcher.gate.admit(url)
            sock = await self._fetcher.connect(address)
        except FetchError as error:
            if error.failure in _GATE:
                self.refused[error.failure] += 1
                raise _RefusedError(403) from None
            raise _RefusedError(502) from None
        except Unavailable:
            raise _RefusedError(503) from None
        try:
            there, back = await asyncio.open_connection(sock=sock, limit=MAX_HEAD_BYTES)
        except BaseException:
            sock.close()
            raise
        return address, there, back


def _length(headers: bytes, max_bytes: int) -> int:
    """Return how long the body of a request is. Raises `_RefusedError` where it is not said, or too long."""
    lengths = _said(headers, b"content-length") or [b"0"]
    if _said(headers, b"transfer-encoding") or len(lengths) > 1 or not lengths[0].isdigit():
        raise _RefusedError(411)
    if len(lengths[0]) > _MAX_LENGTH_DIGITS or int(lengths[0]) > max_bytes:
        raise _RefusedError(411)
    return int(lengths[0])


def _said(headers: bytes, wanted: bytes) -> list[bytes]:
    """Return the values of the headers of one name, which is given in lower case."""
    lines = (line.partition(b":") for line in headers.split(b"\r\n"))
    return [value.strip() for name, _, value in lines if name.strip().lower() == wanted]


def _as_only(first: bytes, headers: bytes) -> bytes:
    """Return a head as that of the only message of its connection, without what is between neighbours."""
    lines = headers.split(b"\r\n")
    kept = [line for line in lines if line and line.partition(b":")[0].strip().lower() not in _BETWEEN_NEIGHBOURS]
    return b"\r\n".join([first, *kept, b"Connection: close\r\n\r\n"])


async def _until_first(*works: Coroutine[Any, Any, None]) -> None:
    """Run until one has ended, end the others, and raise what it raised."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


async def _leave(reader: asyncio.StreamReader) -> None:
    """Read until a browser has gone. What it says meanwhile is dropped: it was told that nothing more is heard."""
    while await reader.read(_CHUNK_BYTES):
        pass


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, max_bytes: int) -> None:
    """Carry what comes until it ends, and pass the end on. Raises `EOFError` beyond `max_bytes`."""
    while data := await reader.read(_CHUNK_BYTES):
        max_bytes -= len(data)
        if max_bytes < 0:
            raise EOFError
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()
