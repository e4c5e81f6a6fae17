"""Many subscribers, one source of events, and the count of what arrived."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from time import perf_counter
from typing import Final

import asyncpg

from benchmarks.load.http import HOST
from benchmarks.load.jobs import SocketJob, SocketResult
from benchmarks.load.usage import cpu_of, memory_bytes, spent
from benchmarks.load.websocket import Subscriber

CONNECTING_AT_ONCE: Final = 50
_PROBE_SECONDS: Final = 0.25
_QUIET_SECONDS: Final = 0.5


class _Count:
    """What all subscribers have heard together."""

    def __init__(self, marker: str) -> None:
        self._marker = marker.encode()
        self.deliveries = 0
        self.told: list[bytes] | None = None
        self.trouble: str | None = None
        self.last = 0.0
        self._wanted = 0
        self._reached = asyncio.Event()

    def heard(self, text: bytes) -> None:
        """Note a message; one without the marker ends the job."""
        if self._marker not in text:
            self.ended(f"an unexpected message: {text[:300].decode(errors='replace')}")
            return
        self.deliveries += 1
        if self.deliveries >= self._wanted:
            self.last = perf_counter()
            self._reached.set()

    def ended(self, reason: str) -> None:
        """Note that a socket was ended by the server."""
        self.trouble = self.trouble or reason
        self._reached.set()

    async def reach(self, deliveries: int, until: float) -> bool:
        """Wait until so many deliveries were counted; False when `until` (of `perf_counter`) came first.

        Raises `ConnectionError` when a socket was ended.
        """
        self._wanted = deliveries
        if self.deliveries < deliveries and self.trouble is None:
            self._reached.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._reached.wait(), max(0.0, until - perf_counter()))
        if self.trouble is not None:
            raise ConnectionError(self.trouble)
        return self.deliveries >= deliveries


class _Ear:
    """Hears one socket: checks that it is told the same in the same order as all the others, and passes it on."""

    __slots__ = ("_count", "heard", "last")

    def __init__(self, count: _Count) -> None:
        self._count = count
        self.last = b""
        self.heard = 0

    def __call__(self, text: bytes) -> None:
        self.last = text
        told = self._count.told
        if told is not None:
            if self.heard == len(told):
                told.append(text)
            elif told[self.heard] != text:
                self._count.ended(f"a socket was told {text!r} where another was told {told[self.heard]!r}")
                return
            self.heard += 1
        self._count.heard(text)


async def run(job: SocketJob) -> SocketResult:
    """Do the job. Raises `ConnectionError` when a socket is refused or ended, `TimeoutError` when nothing arrives."""
    count = _Count(job.marker)
    server = next(iter(job.processes.values()), None)
    empty = memory_bytes(server) if server is not None else 0
    source = await asyncpg.connect(job.dsn, server_settings={"synchronous_commit": "off"})
    try:
        async with asyncio.timeout(job.connect_seconds), contextlib.AsyncExitStack() as stack:
            ears = await stack.enter_async_context(_subscribed(job, count))
            made = await _wake(job, count, ears, source)
            held = memory_bytes(server) if server is not None else 0
            opened = stack.pop_all()
        async with opened:
            return await _measure(job, count, ears, source, made, idle_bytes=(held - empty) / job.sockets)
    finally:
        source.terminate()


@contextlib.asynccontextmanager
async def _subscribed(job: SocketJob, count: _Count) -> AsyncIterator[list[_Ear]]:
    """Open the sockets, some at a time, and subscribe on each; close all of them at the end."""
    loop, room = asyncio.get_running_loop(), asyncio.Semaphore(CONNECTING_AT_ONCE)
    subscribers: list[Subscriber] = []
    ears = [_Ear(count) for _ in range(job.sockets)]

    async def one(ear: _Ear) -> None:
        async with room:
            _, subscriber = await loop.create_connection(
                lambda: Subscriber(job.path, job.init, job.subscribe, heard=ear, ended=count.ended), HOST, job.port
            )
            subscribers.append(subscriber)
            await subscriber.subscribed

    try:
        async with asyncio.TaskGroup() as group:
            for ear in ears:
                group.create_task(one(ear))
        yield ears
    finally:
        for subscriber in subscribers:
            subscriber.stop()


async def _wake(job: SocketJob, count: _Count, ears: list[_Ear], source: asyncpg.Connection) -> int:
    """Make events until everybody has heard one, then wait until it is quiet; return how many were made.

    A server says nothing when a subscription has begun, so this is how to know that all have. It is quiet when nothing
    comes for a while and everybody has heard the same event last.
    """
    made = 0
    while not all(ear.last for ear in ears):
        made += 1
        await source.execute(job.statement, made)
        await count.reach(count.deliveries + job.sockets, perf_counter() + _PROBE_SECONDS)
    while await count.reach(count.deliveries + 1, perf_counter() + _QUIET_SECONDS) or len({e.last for e in ears}) > 1:
        pass
    return made


async def _measure(
    job: SocketJob, count: _Count, ears: list[_Ear], source: asyncpg.Connection, made: int, *, idle_bytes: float
) -> SocketResult:
    count.told = []
    heard_before, before, began = count.deliveries, cpu_of(job.processes), perf_counter()
    ends, events, count.last = began + job.seconds, 0, began
    while events < job.events and perf_counter() < ends:
        if not await count.reach(heard_before + (events - job.window + 1) * job.sockets, ends):
            break
        events += 1
        await source.execute(job.statement, made + events)
    wanted = events * job.sockets
    is_complete = await count.reach(heard_before + wanted, max(ends, perf_counter()) + job.drain_seconds)
    finished, after = count.last if is_complete else perf_counter(), cpu_of(job.processes)
    if is_complete:
        await _check(count, ears, events)
    deliveries = count.deliveries - heard_before
    return SocketResult(
        sockets=job.sockets,
        events=events,
        deliveries=deliveries,
        missing=wanted - deliveries,
        seconds=finished - began,
        idle_bytes=idle_bytes,
        cpu_seconds=spent(before, after),
        told=[text.decode() for text in count.told],
    )


async def _check(count: _Count, ears: list[_Ear], events: int) -> None:
    """Raise `ConnectionError` unless every socket was told every event exactly once; that the order is one was seen."""
    until = perf_counter() + _QUIET_SECONDS
    if await count.reach(count.deliveries + 1, until):
        raise ConnectionError("more was delivered than had happened")
    heard = {ear.heard for ear in ears}
    assert count.told is not None
    if heard != {events} or len(set(count.told)) != events:
        raise ConnectionError(f"of {events} events sockets were told {sorted(heard)}, {len(set(count.told))} different")
