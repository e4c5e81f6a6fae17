"""The running product, sent whatever bytes there are, as requests and as messages: it answers, and goes on."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import orjson
import pytest
import websockets
from hypothesis import strategies as st

from app.wiring import open_services
from kit.settings import Settings
from tests.app.graphql.nasty import BODIES
from tests.app.graphql.toy import Running, serving
from tests.client import the_schema
from tests.fuzz.driver import fuzz, mutated

PROTOCOL = websockets.Subprotocol("graphql-transport-ws")
SMALL = [nasty.body for nasty in BODIES.values() if len(nasty.body) < 2_000]
HEADS = [
    b"POST /graphql HTTP/1.1\r\nhost: a\r\n",
    b"GET /graphql?query={__typename} HTTP/1.1\r\nhost: a\r\naccept: application/graphql-response+json\r\n",
    b"content-type: application/json\r\n",
    b"content-type: multipart/form-data; boundary=b\r\ngraphql-require-preflight: 1\r\n",
    b"content-length: 26\r\n",
    b"transfer-encoding: chunked\r\n",
    b"authorization: Bearer x\r\n",
    b"cookie: __Host-graphmark=x\r\n",
    b"upgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\n",
    b"origin: null\r\nsec-fetch-site: cross-site\r\n",
    b"accept: text/event-stream\r\n",
    b'\r\n{"query": "{ __typename }"}',
    b"1a\r\n",
    b"0\r\n\r\n",
]


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    """A loop of its own: hypothesis is not asynchronous, and the server runs while it is asked."""
    with asyncio.Runner() as own:
        yield own


@pytest.fixture(scope="module")
def server(runner: asyncio.Runner, dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The product on a free port, with limits in a time that are not in the way."""
    settings = Settings(
        data_dir=Path(tmp_path_factory.mktemp("fuzz")),
        database_url=dsn,
        port=0,
        rate_operations_per_network_minute=0,
        rate_writes_per_account_minute=0,
    )

    @asynccontextmanager
    async def product() -> AsyncIterator[Running]:
        async with open_services(settings, name="fuzz") as services, serving(services, the_schema()) as running:
            yield running

    place = product()
    yield runner.run(place.__aenter__())
    runner.run(place.__aexit__(None, None, None))


async def said(server: Running, raw: bytes) -> bytes:
    """Return what the server answers to bytes on a new connection, until it closes it or says no more."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(raw)
    with suppress(OSError):
        writer.write_eof()
    answer = b""
    with suppress(TimeoutError, OSError):
        async with asyncio.timeout(0.2):
            while chunk := await reader.read(65_536):
                answer += chunk
    writer.close()
    return answer


async def stands(server: Running) -> None:
    """Check that an ordinary question is answered."""
    assert await server.ask("{ __typename }") == {"data": {"__typename": "Query"}}


def test_bytes_of_requests(runner: asyncio.Runner, server: Running) -> None:
    def check(raw: bytes) -> None:
        answer = runner.run(said(server, raw))
        assert b" 500 " not in answer.partition(b"\r\n")[0], answer
        assert b"Traceback" not in answer
        assert b"INTERNAL" not in answer

    ordered = st.lists(st.sampled_from(HEADS), min_size=1, max_size=8).map(b"".join)
    fuzz(ordered | mutated([*HEADS, *SMALL]), check)
    runner.run(stands(server))


def test_bodies_of_requests(runner: asyncio.Runner, server: Running) -> None:
    kinds = ["application/json", "multipart/form-data; boundary=b", "text/plain", "application/x-www-form-urlencoded"]

    async def posted(body: bytes, kind: str) -> None:
        headers = {"content-type": kind, "x-requested-with": "x", "accept": "*/*"}
        answer = await server.http.post("/graphql", content=body, headers=headers)
        assert answer.status_code < 500, answer.text
        codes = [error["extensions"]["code"] for error in answer.json().get("errors", ())]
        assert "INTERNAL" not in codes, answer.text

    fuzz(st.tuples(mutated(SMALL), st.sampled_from(kinds)), lambda value: runner.run(posted(*value)))
    runner.run(stands(server))


def test_messages_on_a_socket(runner: asyncio.Runner, server: Running) -> None:
    shaped = [
        b'{"type":"connection_init"}',
        b'{"type":"connection_init","payload":{"Authorization":"Bearer x"}}',
        b'{"type":"ping","payload":{}}',
        b'{"type":"complete","id":"1"}',
        *(b'{"type":"subscribe","id":"1","payload":' + body + b"}" for body in SMALL if body.startswith(b"{")),
    ]
    messages = st.lists(st.sampled_from(shaped) | mutated(shaped), min_size=1, max_size=6)

    async def sent(texts: list[bytes]) -> None:
        async with websockets.connect(server.websocket_url, subprotocols=[PROTOCOL]) as socket:
            with suppress(websockets.ConnectionClosed, TimeoutError):
                await socket.send(orjson.dumps({"type": "connection_init"}).decode())
                for text in texts:
                    await socket.send(text.decode("utf-8", "replace"))
                async with asyncio.timeout(0.05):
                    while True:
                        assert "INTERNAL" not in str(await socket.recv())
            assert socket.close_code not in {1011, 4500}, texts

    fuzz(messages, lambda value: runner.run(sent(value)))
    runner.run(stands(server))
