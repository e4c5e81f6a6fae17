"""One request to the local web and what can be answered to it, proper or not."""

import asyncio
import contextlib
import gzip
import socket
import struct
from collections.abc import AsyncIterable, Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import parse_qs

_RESET = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Request:
    """What was asked. `host` is the address that was dialled, `number` the `n` of the query (0 when there is none)."""

    host: str
    port: int
    method: str
    path: str
    query: str
    headers: dict[str, str]

    @property
    def number(self) -> int:
        """Which edition of the page is asked for."""
        (text,) = parse_qs(self.query).get("n", ["0"])[:1]
        return int(text) if text.isascii() and text.isdigit() else 0

    @property
    def origin(self) -> str:
        """Scheme, host and port, as plain HTTP has them."""
        return f"http://{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """The whole address, as plain HTTP has it."""
        return f"{self.origin}{self.path}" + (f"?{self.query}" if self.query else "")

    def at(self, path: str) -> str:
        """Return the same edition of another page of this host, as a relative address."""
        return f"{path}?{self.query}" if self.query else path


class Exchange:
    """A request and the connection that it came by.

    `times` counts how often this address was asked for, this time included. `switches` are those of the web, by path.
    `is_over` says that the connection cannot be used again.
    """

    def __init__(
        self,
        request: Request,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        times: int = 1,
        switches: Mapping[str, str] | None = None,
    ) -> None:
        self.request = request
        self.times = times
        self.switches = switches or {}
        self.is_over = request.headers.get("connection", "").lower() == "close"
        self._reader = reader
        self._writer = writer

    async def answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        """Send a proper answer; to HEAD without its body. Compressed when that was asked for and is worth it."""
        sent = {"Content-Type": "text/html; charset=utf-8", **(headers or {})}
        wants_gzip = "gzip" in self.request.headers.get("accept-encoding", "")
        if wants_gzip and len(body) > 1_000 and "Content-Encoding" not in sent and "Content-Range" not in sent:
            body = gzip.compress(body, 1)
            sent["Content-Encoding"] = "gzip"
        if status not in {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}:
            sent.setdefault("Content-Length", str(len(body)))
        await self.raw(head(status, sent) + (b"" if self.request.method == "HEAD" else body))

    async def raw(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._writer.write(data)
        await self._writer.drain()

    async def stream(self, status: int, headers: dict[str, str], pieces: AsyncIterable[bytes]) -> None:
        """Send a body that ends with the connection, for as long as somebody takes it."""
        self.is_over = True
        await self.raw(head(status, {**headers, "Connection": "close"}))
        if self.request.method != "HEAD":
            async for piece in pieces:
                await self.raw(piece)

    async def silence(self) -> None:
        """Say nothing until the other side has gone."""
        self.is_over = True
        with contextlib.suppress(ConnectionError):
            await self._reader.read(1)

    def reset(self) -> None:
        """Break the connection so that the other side is told of a reset and not of an end."""
        self.is_over = True
        sock = self._writer.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._writer.transport.abort()


Answer = Callable[[Exchange], Awaitable[None]]
"""How a page behaves."""


def head(status: int, headers: dict[str, str]) -> bytes:
    """Return the first lines of an answer."""
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Unknown"
    lines = [f"HTTP/1.1 {status} {phrase}", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


class Garbled(Exception):  # noqa: N818  what came is no error of ours
    """What came is no HTTP, a TLS handshake for example."""


async def read_request(reader: asyncio.StreamReader, host: str, port: int) -> Request | None:
    """Read the head of the next request and skip its body; None when there is no more, `Garbled` when it is none."""
    try:
        start = await reader.readexactly(1)
        if not start.isalpha():
            raise Garbled
        text = (start + await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = text.rstrip().split("\r\n")
        method, target, _ = first.split(" ")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        await reader.readexactly(int(headers.get("content-length", "0")))
    except (ConnectionError, asyncio.IncompleteReadError):
        return None
    except (ValueError, asyncio.LimitOverrunError) as error:
        raise Garbled from error
    path, _, query = target.partition("?")
    return Request(host, port, method, path, query, headers)
