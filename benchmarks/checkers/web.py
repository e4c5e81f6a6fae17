"""The web that is checked: a page of links, and links that answer after a while. Costs as little as Python can."""

import asyncio
from typing import Any, cast

from benchmarks.checkers import BROKEN_EVERY, HOST, LATENCY_SECONDS, links_of

_END = b"\r\n\r\n"
_FOUND = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 0\r\n\r\n"
_LOST = b"HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nContent-Length: 0\r\n\r\n"


class Web(asyncio.Protocol):
    """Answers one request after the other of a connection: `/N` with a page of N links, `/links/K` after a while."""

    def __init__(self) -> None:
        self._transport: Any = None
        self._loop = asyncio.get_running_loop()
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer each request when its time has come. Requests have no bodies."""
        *heads, self._rest = (self._rest + data).split(_END)
        for head in heads:
            path = head.split(b" ", 2)[1]
            if path.startswith(b"/links/"):
                is_lost = int(path[7:]) % BROKEN_EVERY == 0
                self._loop.call_later(LATENCY_SECONDS, self._answer, _LOST if is_lost else _FOUND)
            else:
                self._answer(self._page(int(path[1:] or b"0"), is_head=head.startswith(b"HEAD")))

    def _answer(self, data: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(data)

    def _page(self, count: int, *, is_head: bool) -> bytes:
        port = self._transport.get_extra_info("sockname")[1]
        page = "".join(f'<a href="{link}">x</a>\n' for link in links_of(port, count)).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(page)}\r\n\r\n".encode()
        return head if is_head else head + page


async def serve() -> None:
    """Listen until the process ends, and print the port."""
    server = await asyncio.get_running_loop().create_server(Web, HOST, 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
