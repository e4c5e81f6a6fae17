"""HTTP/1.1 over kept-alive connections, each with one request under way."""

import asyncio
import base64
from time import perf_counter
from typing import Any, Final

import httptools

from benchmarks.load.jobs import HttpJob, HttpResult
from benchmarks.load.usage import cpu_of, spent

HOST: Final = "127.0.0.1"
_OK: Final = 200


class _Tally:
    """What all connections of a job have seen. Nothing is counted before `opens` and after `closes`."""

    def __init__(self) -> None:
        self.milliseconds: list[float] = []
        self.faults = 0
        self.body: bytes | None = None
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.is_open = False

    def answered(self, status: int, body: bytes, milliseconds: float) -> None:
        """Note one answer; every one must be as the first."""
        if self.body is None:
            self.body = body
        if not self.is_open:
            return
        self.milliseconds.append(milliseconds)
        self.faults += status != _OK or body != self.body

    def broke(self) -> None:
        """Note that a connection ended: the job cannot go on as asked."""
        if not self.lost.done():
            self.lost.set_exception(ConnectionError("the server closed a connection"))


class _Connection(asyncio.Protocol):
    """Sends the request, waits for the answer, and again."""

    def __init__(self, request: bytes, tally: _Tally) -> None:
        self._request = request
        self._tally = tally
        self._parser = httptools.HttpResponseParser(self)
        self._parts: list[bytes] = []
        self._sent = 0.0
        self._transport: Any = None
        self._is_stopped = False

    def stop(self) -> None:
        """Send nothing any more."""
        self._is_stopped = True
        self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        """Hand what came to the parser, which calls the methods below."""
        self._parser.feed_data(data)

    def connection_lost(self, _exc: Exception | None) -> None:
        """Tell the job, unless it closed the connection itself."""
        if not self._is_stopped:
            self._tally.broke()

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        self._parts.append(body)

    def on_message_complete(self) -> None:
        """Take the end of an answer."""
        taken = (perf_counter() - self._sent) * 1000
        self._tally.answered(self._parser.get_status_code(), b"".join(self._parts), taken)
        self._parts.clear()
        # The parser is only then ready for the next answer when this callback has returned.
        asyncio.get_running_loop().call_soon(self._send)

    def _send(self) -> None:
        if not self._is_stopped and not self._transport.is_closing():
            self._sent = perf_counter()
            self._transport.write(self._request)


async def run(job: HttpJob) -> HttpResult:
    """Do the job. Raises `ConnectionError` when the server closes a connection."""
    loop, tally, request = asyncio.get_running_loop(), _Tally(), base64.b64decode(job.request)
    connections: list[_Connection] = []
    try:
        for _ in range(job.concurrency):
            _, connection = await loop.create_connection(lambda: _Connection(request, tally), HOST, job.port)
            connections.append(connection)
        await _pass(job.warm_up_seconds, tally)
        before, began, tally.is_open = cpu_of(job.processes), perf_counter(), True
        await _pass(job.seconds, tally)
        tally.is_open, seconds, after = False, perf_counter() - began, cpu_of(job.processes)
    finally:
        for connection in connections:
            connection.stop()
    ordered = sorted(tally.milliseconds) or [float("nan")]
    return HttpResult(
        answers=len(tally.milliseconds),
        faults=tally.faults,
        seconds=seconds,
        p50_ms=ordered[len(ordered) // 2],
        p95_ms=ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))],
        p99_ms=ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))],
        body_bytes=len(tally.body or b""),
        cpu_seconds=spent(before, after),
    )


async def _pass(seconds: float, tally: _Tally) -> None:
    """Let `seconds` go by; raise at once when a connection is lost."""
    done, _ = await asyncio.wait([tally.lost], timeout=seconds)
    for lost in done:
        lost.result()
