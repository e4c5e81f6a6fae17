"""A web of two sites: Graphmark behind a proxy that speaks TLS, and pages of somebody who wants what is in it.

Names are resolved by the browser's own flag, so every address here is this machine's. The proxy notes what browsers
send and what they are answered; the attacker's server notes what it is sent.
"""

import asyncio
import contextlib
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import trustme

HOME: Final = "links.test"
ELSEWHERE: Final = "evil.test"
BESIDE: Final = "sub.links.test"
FLAGS: Final = ("--host-resolver-rules=MAP * 127.0.0.1", "--ignore-certificate-errors")
_FOLDER = Path(__file__).parent
_CHUNK_BYTES = 65_536
_PAGE = b"<!doctype html><title>Win a prize</title><body></body>"
_ANSWER = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%s"
    % (len(_PAGE), _PAGE)
)  # fmt: skip
_REQUEST = re.compile(rb"(GET|POST|OPTIONS|HEAD|PUT|DELETE|PATCH) (\S+) HTTP/1\.1\r\n")
_RESPONSE = re.compile(rb"HTTP/1\.1 (\d{3}) ")


@dataclass
class Passed:
    """One request that a browser sent through the proxy. `status` is 0 until it is answered."""

    method: str
    target: str
    headers: dict[str, str]
    status: int = 0

    @property
    def is_signed_in(self) -> bool:
        """Whether the session cookie came along."""
        return "__Host-graphmark=" in self.headers.get("cookie", "")

    @property
    def is_foreign(self) -> bool:
        """Whether the page of another origin is behind it, by what the browser says."""
        return self.headers.get("sec-fetch-site", "") in {"cross-site", "same-site"}


@dataclass
class Web:
    """Where both are, and what they were sent."""

    home_port: int
    evil_port: int
    passed: list[Passed] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)

    @property
    def home(self) -> str:
        """The origin of Graphmark."""
        return f"https://{HOME}:{self.home_port}"

    def evil(self, host: str) -> str:
        """The origin of the attacker's pages under a name."""
        return f"https://{host}:{self.evil_port}"


def _headers(head: bytes) -> dict[str, str]:
    lines = head.decode("latin-1").split("\r\n\r\n", 1)[0].split("\r\n")[1:]
    return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


class _Proxy:
    """Passes bytes on, and reads the heads of requests and answers, which begin a chunk with small messages."""

    def __init__(self, web: Web, port: int) -> None:
        self._web, self._port = web, port

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection of a browser."""
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", self._port)
        waiting: list[Passed] = []
        there = asyncio.create_task(self._there(reader, inner_writer, waiting))
        try:
            await self._back(inner_reader, writer, waiting)
        finally:
            there.cancel()
            for one in (writer, inner_writer):
                one.close()

    async def _there(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, waiting: list[Passed]) -> None:
        with contextlib.suppress(OSError):
            while chunk := await reader.read(_CHUNK_BYTES):
                if (found := _REQUEST.match(chunk)) is not None:
                    passed = Passed(found[1].decode(), found[2].decode(), _headers(chunk))
                    self._web.passed.append(passed)
                    waiting.append(passed)
                writer.write(chunk)
                await writer.drain()
        writer.close()

    async def _back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, waiting: list[Passed]) -> None:
        with contextlib.suppress(OSError):
            while chunk := await reader.read(_CHUNK_BYTES):
                found = _RESPONSE.match(chunk)
                if found is not None and waiting:
                    waiting.pop(0).status = int(found[1])
                writer.write(chunk)
                await writer.drain()


@asynccontextmanager
async def two_sites(api_port: int) -> AsyncIterator[Web]:
    """Run the proxy in front of the server on `api_port`, and the attacker's server, as long as the block lasts."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert(HOME, ELSEWHERE, BESIDE).configure_cert(context)
    web = Web(0, 0)

    async def show(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            web.taken.append((await reader.readuntil(b"\r\n\r\n")).decode("latin-1"))
            writer.write(_ANSWER)
            await writer.drain()
        writer.close()

    proxy = await asyncio.start_server(_Proxy(web, api_port).serve, "127.0.0.1", 0, ssl=context)
    evil = await asyncio.start_server(show, "127.0.0.1", 0, ssl=context)
    web.home_port, web.evil_port = (server.sockets[0].getsockname()[1] for server in (proxy, evil))
    try:
        yield web
    finally:
        for server in (proxy, evil):
            server.close()


SCRIPT: Final = (_FOLDER / "attack.js").read_text()
FRAMES: Final = (_FOLDER / "frames.js").read_text()
SOCKETS: Final = (_FOLDER / "sockets.js").read_text()
