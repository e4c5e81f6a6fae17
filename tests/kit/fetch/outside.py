"""The outside, as servers on loopback that do what they are told."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any, Final

from kit.fetch import Failure, Fetcher, FetchError

PUBLIC: Final = "127.0.0.2"
"""Stands for a public address: the only one that `outside_fetcher` lets through besides the real ones."""

Serve = Callable[[bytes, asyncio.StreamWriter], Awaitable[None] | None]
"""Is given the head of each request (with its blank line) and writes the answer."""


@dataclass
class Outside:
    """A listener: how many came, what they said, and how many are still there."""

    port: int = 0
    connections: int = 0
    open: int = 0
    heads: list[bytes] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    def url(self, path: str = "/", *, host: str = "public.test", scheme: str = "http") -> str:
        """Return an address of this listener."""
        return f"{scheme}://{host}:{self.port}{path}"


def answer(status: int = 200, body: bytes = b"ok", **headers: str) -> bytes:
    """Return an answer as bytes; `content_type="…"` becomes a header."""
    lines = [f"HTTP/1.1 {status} Fine", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def always(data: bytes) -> Serve:
    """Answer everything with `data`."""

    def serve(_head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(data)

    return serve


@asynccontextmanager
async def listening(
    serve: Serve, *, host: str = PUBLIC, tls: ssl.SSLContext | None = None, port: int = 0
) -> AsyncIterator[Outside]:
    """Listen on loopback until the end of the block."""
    outside = Outside()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        outside.connections += 1
        outside.open += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                outside.heads.append(head)
                outside.bodies.append(await reader.readexactly(_length(head)))
                done = serve(head, writer)
                if done is not None:
                    await done
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return
        finally:
            outside.open -= 1
            writer.close()

    async with await asyncio.start_server(handle, host, port, ssl=tls, limit=2**20) as server:
        outside.port = server.sockets[0].getsockname()[1]
        yield outside


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0


class Names:
    """A resolver that knows what it was told: for each name its answers, or one list after the other of a `deque`."""

    def __init__(self, answers: Mapping[str, Sequence[str] | Sequence[Sequence[str]]] | None = None) -> None:
        self._answers = dict(answers or {})
        self.asked: list[str] = []

    async def __call__(self, host: str) -> Sequence[str]:
        self.asked.append(host)
        found: Any = self._answers.get(host, [PUBLIC] if host.startswith("public") else None)
        if found is None:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        if found and isinstance(found[0], list):
            return list(found.pop(0))
        return list(found)


def outside_fetcher(names: Names | None = None, **options: Any) -> Fetcher:
    """Return a fetcher for which `PUBLIC` is open (`public.test` leads there) and all else is as shipped."""
    return Fetcher(user_agent="Graphmark/test", allow=[ip_network(PUBLIC)], resolver=names or Names(), **options)


async def failing(fetcher: Fetcher, url: str, **options: Any) -> FetchError:
    """Fetch what cannot be fetched and return why."""
    try:
        response = await fetcher.fetch(url, **options)
    except FetchError as error:
        return error
    raise AssertionError(f"fetched {response.url}: {response.status}")


async def failure(fetcher: Fetcher, url: str, **options: Any) -> Failure:
    """Fetch what cannot be fetched and return only the kind of failure."""
    return (await failing(fetcher, url, **options)).failure


async def settled(condition: Callable[[], bool], *, seconds: float = 5) -> None:
    """Wait until something that other tasks do has come about."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  what is waited for happens in sockets
            await asyncio.sleep(0.001)
