"""The checkers that are written in Python, all on asyncio's own event loop, as Graphmark's workers are."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from ipaddress import ip_network
from typing import Final

import aiohttp
import httpx

from benchmarks.checkers import HOST, Checked
from kit.fetch import Fetcher, gated_client

Head = Callable[[str], Awaitable[int]]
"""Asks one address and returns the status."""
_BROKEN: Final = 400


@asynccontextmanager
async def fetcher(concurrency: int) -> AsyncIterator[Head]:
    """Graphmark's door with its guard on; the network of the test is opened as an operator would open it."""
    async with Fetcher(user_agent="Graphmark", allow=[ip_network(HOST)], max_in_flight=concurrency) as door:

        async def head(url: str) -> int:
            return (await door.fetch(url, method="HEAD")).status

        yield head


@asynccontextmanager
async def gated_httpx2(concurrency: int) -> AsyncIterator[Head]:
    """httpx2 on the transport of the door."""
    async with (
        Fetcher(user_agent="Graphmark", allow=[ip_network(HOST)], max_in_flight=concurrency) as door,
        gated_client(door, timeout_seconds=30) as client,
    ):

        async def head(url: str) -> int:
            return (await client.head(url)).status_code

        yield head


@asynccontextmanager
async def plain_aiohttp(concurrency: int) -> AsyncIterator[Head]:
    """One session of aiohttp as its documentation shows it, with no guard."""
    timeout = aiohttp.ClientTimeout(total=30, connect=5, sock_read=10)
    connector = aiohttp.TCPConnector(limit=concurrency)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:

        async def head(url: str) -> int:
            async with session.head(url, allow_redirects=True) as response:
                return response.status

        yield head


@asynccontextmanager
async def plain_httpx(concurrency: int) -> AsyncIterator[Head]:
    """One client of httpx with as many connections as there are requests, with no guard."""
    limits = httpx.Limits(max_connections=concurrency, max_keepalive_connections=concurrency)
    async with httpx.AsyncClient(limits=limits, timeout=30, follow_redirects=True) as client:

        async def head(url: str) -> int:
            return (await client.head(url)).status_code

        yield head


CHECKERS: Final[dict[str, Callable[[int], AbstractAsyncContextManager[Head]]]] = {
    "kit.fetch": fetcher,
    "httpx2 on kit.fetch": gated_httpx2,
    "aiohttp": plain_aiohttp,
    "httpx": plain_httpx,
}


async def check(name: str, links: Sequence[str], concurrency: int) -> Checked:
    """Check `links` with one of `CHECKERS`, `concurrency` at once."""
    waiting = iter(links)
    broken = 0

    async def work(head: Head) -> None:
        nonlocal broken
        for link in waiting:
            status = await head(link)
            broken += status >= _BROKEN

    async with CHECKERS[name](concurrency) as head:
        cpu, began = time.process_time(), time.perf_counter()
        async with asyncio.TaskGroup() as workers:
            for _ in range(concurrency):
                workers.create_task(work(head))
        return Checked(len(links), broken, time.perf_counter() - began, time.process_time() - cpu)
