"""A few pages on loopback, each as a test writes it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

HTML = "text/html; charset=utf-8"


@asynccontextmanager
async def serving(pages: Mapping[str, str | tuple[str, str]]) -> AsyncIterator[str]:
    """Serve pages by their paths, HTML or (headers, body); yield the origin. Every other path is 404."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await reader.readuntil(b"\r\n\r\n")
            page = pages.get(request.split(b" ")[1].decode().partition("?")[0])
            status = "404 Not Found" if page is None else "200 OK"
            headers, body = page if isinstance(page, tuple) else (f"Content-Type: {HTML}", page or "nothing")
            head = f"HTTP/1.1 {status}\r\n{headers}\r\nContent-Length: {len(body.encode())}\r\nConnection: close"
            writer.write(f"{head}\r\n\r\n{body}".encode())
            await writer.drain()
        except (OSError, EOFError):
            pass  # the other side has gone
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
