"""The local web as a server: every page of the table, on as many hosts as are asked for."""

import asyncio
import contextlib
import socket
import ssl
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Self
from urllib.parse import parse_qsl

import orjson

from tests.fakes.web.addresses import Addresses
from tests.fakes.web.certificates import contexts
from tests.fakes.web.exchange import Exchange, Garbled, Request, head, read_request
from tests.fakes.web.journal import Asked, Journal
from tests.fakes.web.site import nowhere
from tests.fakes.web.table import site_at

BACKLOG = 1_000
LINE_BYTES = 65_536
_CONTROL = "127.0.0.1"


class Web(Addresses):
    """A web that runs in this event loop as long as the block lasts.

    `journal` has what was asked; `switches` say by path what has become of a page (see `twins.switched`).
    `delay_seconds` is waited before each answer. `authority` is a file with the certificate that signed the pages of
    `tls-trusted`: a process whose SSL_CERT_FILE it is trusts them.
    """

    def __init__(self, *, delay_seconds: float = 0.0) -> None:
        super().__init__({})
        self.journal = Journal()
        self.switches: dict[str, str] = {}
        self.delay_seconds = delay_seconds
        self._stack = contextlib.AsyncExitStack()
        self._in_flight: Counter[str] = Counter()
        self._times: Counter[str] = Counter()
        self._open: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="graphmark-web-")))
        self.authority = folder / "authority.pem"
        await self._listen("http", None)
        for name, context in contexts(self.authority).items():
            await self._listen(name, context)
        closed = self._stack.enter_context(socket.socket())
        closed.bind((_CONTROL, 0))
        self.ports |= {"closed": closed.getsockname()[1], "plain": self.ports["http"]}
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _listen(self, name: str, context: ssl.SSLContext | None) -> None:
        # All of 127.0.0.0/8 is this machine, and a socket for each of thousands of hosts would be too many. What
        # comes to another address is turned away in `_serve`.
        server = await asyncio.start_server(self._accept, "0.0.0.0", 0, ssl=context, backlog=BACKLOG, limit=LINE_BYTES)
        self.ports[name] = server.sockets[0].getsockname()[1]
        self._stack.push_async_callback(self._end, server)

    async def _end(self, server: asyncio.Server) -> None:
        server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        await server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer what comes by a connection until one side ends it."""
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            await self._serve(reader, writer)
        except Garbled:
            writer.write(head(400, {"Connection": "close"}))
        except (ConnectionError, TimeoutError, ssl.SSLError):
            pass  # the other side has had enough, which some pages are made for
        except asyncio.CancelledError:
            pass  # the web ends; a cancelled connection would be reported as an error by asyncio's streams
        finally:
            self._open.discard(task)
            writer.close()
            with contextlib.suppress(ConnectionError, TimeoutError, ssl.SSLError):
                await writer.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, port = writer.get_extra_info("sockname")[:2]
        if not host.startswith("127."):
            return
        is_over = False
        while not is_over and (request := await read_request(reader, host, port)):
            exchange = Exchange(request, reader, writer, times=self._seen(request), switches=self.switches)
            if host == _CONTROL:
                await self._control(exchange)
            else:
                await self._visit(exchange)
            is_over = exchange.is_over

    async def _visit(self, exchange: Exchange) -> None:
        """Answer as the page behaves, and keep a record of it."""
        request, site = exchange.request, site_at(exchange.request.host)
        self._in_flight[request.host] += 1
        target = f"{request.path}?{request.query}" if request.query else request.path
        asked = Asked(
            host=request.host,
            method=request.method,
            target=target,
            at=time.monotonic(),
            in_flight=self._in_flight[request.host],
            headers=request.headers,
        )
        self.journal.asked.append(asked)
        try:
            if self.delay_seconds:
                await asyncio.sleep(self.delay_seconds)
            await (nowhere if site is None else site.handler(request.path))(exchange)
        finally:
            self._in_flight[request.host] -= 1

    def _seen(self, request: Request) -> int:
        self._times[request.url] += 1
        return self._times[request.url]

    async def _control(self, exchange: Exchange) -> None:
        """Tell the journal, forget it, or turn switches, for a test in another process."""
        request = exchange.request
        if request.path == "/forget":
            self.journal.clear()
        elif request.path == "/switch":
            self.switches = dict(parse_qsl(request.query))
        body = orjson.dumps({"switches": self.switches, "asked": self.journal.as_json()})
        await exchange.answer(200, body, {"Content-Type": "application/json"})
