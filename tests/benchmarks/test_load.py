"""The generators count right, name what goes wrong, and leave nothing running."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from benchmarks.load import LoadError, open_sockets, send_requests
from benchmarks.load.jobs import HttpJob, SocketJob, encoded
from benchmarks.peers import lineup
from benchmarks.peers.servers import running
from benchmarks.peers.serving import CHANNEL
from db.unit import Database
from kit.ids import new_id

HEAD = b"HTTP/1.1 %d OK\r\ncontent-length: %d\r\n\r\n"
GET = encoded("GET", "/", {"accept": "*/*"})
EVENT = f"SELECT pg_notify('{CHANNEL}', json_build_object('number', $1::int)::text)"
CHUNK = 65_536


@dataclass
class Stub:
    """An HTTP server that gives the answers of `bodies` in turn, on as many connections as come."""

    bodies: Iterator[bytes]
    status: int = 200
    answered: int = 0
    connections: int = 0
    closes_after: int | None = None
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer request after request."""
        self.connections += 1
        try:
            while (await reader.read(CHUNK)).endswith(b"\r\n\r\n"):
                if self.answered == self.closes_after:
                    return
                body = next(self.bodies)
                writer.write(HEAD % (self.status, len(body)) + body)
                self.answered += 1
        except ConnectionError:
            return
        finally:
            writer.close()


@asynccontextmanager
async def serving(stub: Stub) -> AsyncIterator[HttpJob]:
    """Serve `stub`; give a short job against it."""
    server = await asyncio.start_server(stub.serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield HttpJob(port=port, request=GET, concurrency=3, seconds=0.3, warm_up_seconds=0.1)


async def test_every_answer_within_the_time_is_counted_and_no_other() -> None:
    stub = Stub(itertools.repeat(b"hello"))
    async with serving(stub) as job:
        result = await send_requests(job)
    assert stub.connections == 3
    assert result.faults == 0
    assert result.body_bytes == 5
    assert 0 < result.answers < stub.answered  # the warm-up was answered as well
    assert 0 < result.p50_ms <= result.p95_ms
    assert 0.29 < result.seconds < 5


async def test_answers_that_differ_from_the_first_are_faults() -> None:
    stub = Stub(itertools.chain([b"good"], itertools.repeat(b"other")))
    async with serving(stub) as job:
        result = await send_requests(job)
    assert result.faults == result.answers > 0


async def test_refusals_are_faults() -> None:
    async with serving(Stub(itertools.repeat(b"no"), status=503)) as job:
        result = await send_requests(job)
    assert result.faults == result.answers > 0


async def test_a_closed_connection_ends_the_job_with_its_reason() -> None:
    async with serving(Stub(itertools.repeat(b"hello"), closes_after=20)) as job:
        with pytest.raises(LoadError, match="the server closed a connection"):
            await send_requests(job)


async def test_nobody_there_is_a_failure_and_no_result(unused_port: int) -> None:
    with pytest.raises(LoadError, match="ConnectionRefusedError"):
        await send_requests(HttpJob(port=unused_port, request=GET, concurrency=1, seconds=0.1))


async def test_cpu_time_of_the_named_processes_is_taken(database: Database, tmp_path: Path) -> None:
    async with running(lineup.floor(), dsn=database.dsn, owner=new_id(), folder=tmp_path) as floor:
        job = HttpJob(port=floor.port, request=GET, concurrency=4, seconds=0.5, processes={"server": floor.pid})
        result = await send_requests(job)
    assert result.faults == 0
    assert 0 < result.cpu_seconds["server"] < 2  # one thread, half a second
    assert result.cpu_ms("server") == pytest.approx(result.cpu_seconds["server"] * 1000 / result.answers)
    assert not psutil.pid_exists(floor.pid)


async def test_every_socket_gets_every_event(database: Database, tmp_path: Path) -> None:
    async with running(lineup.floor(), dsn=database.dsn, owner=new_id(), folder=tmp_path) as floor:
        job = SocketJob(
            port=floor.port,
            path="/events",
            init={},
            subscribe={"query": lineup.EVENTS},
            marker='"bookmarkChanged"',
            sockets=20,
            dsn=database.dsn,
            statement=EVENT,
            seconds=20,
            events=10,
            drain_seconds=20,
            processes={"server": floor.pid},
        )
        result = await open_sockets(job)
        assert (result.events, result.deliveries, result.missing) == (10, 200, 0)
        assert len(set(result.told)) == 10
        assert all('"number":' in text for text in result.told)
        assert result.cpu_seconds["server"] >= 0

        refused = SocketJob(**{name: getattr(job, name) for name in job.__slots__} | {"marker": "something else"})
        with pytest.raises(LoadError, match="an unexpected message"):
            await open_sockets(refused)


@pytest.fixture
async def unused_port() -> int:
    """A port that nobody listens on."""
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    port = int(server.sockets[0].getsockname()[1])
    server.close()
    await server.wait_closed()
    return port
