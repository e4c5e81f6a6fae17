"""graphql-transport-ws: the protocol kept to the letter, and sockets that cost no more than allowed."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
import strawberry
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin, Subprotocol

from app.metrics import SOCKETS
from resolvers.context import Info, Services
from tests.app.graphql import toy
from tests.app.graphql.conftest import Person
from tests.app.graphql.toy import Running, until

PROTOCOL = "graphql-transport-ws"


class Socket:
    """A client that sends what it is told to."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.heard: list[Any] = []

    async def send(self, message: Any) -> None:
        await self.connection.send(message if isinstance(message, str | bytes) else json.dumps(message))

    async def receive(self) -> Any:
        async with asyncio.timeout(15):  # a busy machine; nothing here takes a second on an idle one
            return json.loads(await self.connection.recv())

    async def greet(self, payload: Any = None) -> None:
        await self.send(
            {"type": "connection_init"} if payload is None else {"type": "connection_init", "payload": payload}
        )
        assert await self.receive() == {"type": "connection_ack"}

    async def subscribe(self, name: str, query: str, **payload: Any) -> None:
        await self.send({"id": name, "type": "subscribe", "payload": {"query": query, **payload}})

    async def _read_to_the_end(self) -> None:
        while True:
            self.heard.append(await self.connection.recv())

    async def closed(self) -> tuple[int, str]:
        """Return code and reason of the server's close, which must come within five seconds; `heard` came before."""
        async with asyncio.timeout(5):
            with pytest.raises(ConnectionClosed) as caught:
                await self._read_to_the_end()
        close = caught.value.rcvd
        assert close is not None
        return close.code, close.reason


@asynccontextmanager
async def opened(
    server: Running, *, protocol: str | None = PROTOCOL, origin: str | None = None, **headers: str
) -> AsyncIterator[Socket]:
    async with connect(
        server.websocket_url,
        subprotocols=[Subprotocol(protocol)] if protocol else None,
        origin=Origin(origin) if origin else None,
        additional_headers=headers,
        compression=None,
        max_size=None,
        close_timeout=0.2,
    ) as connection:
        yield Socket(connection)


def open_sockets() -> float:
    """Return how many sockets the server holds."""
    (metric,) = SOCKETS.collect()
    return metric.samples[0].value


def next_(name: str, **data: Any) -> dict[str, Any]:
    return {"id": name, "type": "next", "payload": {"data": data}}


async def test_operations_of_every_kind_run_side_by_side(server: Running) -> None:
    async with opened(server) as socket:
        assert socket.connection.subprotocol == PROTOCOL
        await socket.greet()
        await socket.subscribe("a", "subscription { endless }")
        assert await socket.receive() == next_("a", endless=1)
        await socket.subscribe("b", "query ($n: String!) { hello(name: $n) }", variables={"n": "you"})
        assert await socket.receive() == next_("b", hello="Hello, you")
        assert await socket.receive() == {"id": "b", "type": "complete"}
        await socket.subscribe("b", "mutation { bump }")
        assert await socket.receive() == next_("b", bump=1)
        assert await socket.receive() == {"id": "b", "type": "complete"}
        await socket.subscribe("c", "subscription A { count(to: 1) } subscription B { endless }", operationName="A")
        assert await socket.receive() == next_("c", count=1)
        assert await socket.receive() == {"id": "c", "type": "complete"}


async def test_complete_ends_an_operation_and_frees_its_id(server: Running) -> None:
    async with opened(server) as socket:
        await socket.greet({})
        for _ in range(2):
            await socket.subscribe("a", "subscription { endless }")
            assert (await socket.receive())["type"] == "next"
            await socket.send({"id": "a", "type": "complete"})
            await until(lambda: not toy.BOARD.running)
        await socket.send({"id": "unknown", "type": "complete"})
        await socket.send({"type": "ping"})
        assert await socket.receive() == {"type": "pong"}


async def test_ping_is_answered_with_its_payload(server: Running) -> None:
    async with opened(server) as socket:
        await socket.send({"type": "ping", "payload": {"at": 7}})
        assert await socket.receive() == {"type": "pong", "payload": {"at": 7}}
        await socket.send({"type": "pong"})
        await socket.send({"type": "ping", "payload": None})
        assert await socket.receive() == {"type": "pong"}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "BAD_USER_INPUT"),
        ("subscription { nope }", "BAD_USER_INPUT"),
        ("subscription { private }", "UNAUTHENTICATED"),
        ("{" + " a: hello" * 100 + "}", "COMPLEXITY_LIMIT"),
        ("{ __schema { queryType { name } } }", "FORBIDDEN"),
    ],
)
async def test_a_bad_operation_ends_only_itself(server: Running, query: str, code: str) -> None:
    async with opened(server) as socket:
        await socket.greet()
        await socket.subscribe("a", query)
        message = await socket.receive()
        assert (message["id"], message["type"]) == ("a", "error")
        (error,) = message["payload"]
        assert error["extensions"]["code"] == code
        assert len(error["extensions"]["requestId"]) == 24
        await socket.subscribe("a", "{ hello }")
        assert await socket.receive() == next_("a", hello="Hello, world")


async def test_what_breaks_is_masked(server: Running) -> None:
    async with opened(server) as socket:
        await socket.greet()
        await socket.subscribe("a", "subscription { failing }")
        assert await socket.receive() == next_("a", failing=1)
        message = await socket.receive()
        assert (message["type"], message["payload"][0]["message"]) == ("error", "Internal error")
        await socket.subscribe("a", "{ broken }")
        message = await socket.receive()
        assert (message["type"], message["payload"]["errors"][0]["message"]) == ("next", "Internal error")


@pytest.mark.parametrize(
    "message",
    [
        "nope",
        "",
        "[]",
        "null",
        "7",
        '"text"',
        "{}",
        '{"type":7}',
        '{"type":"start"}',
        '{"type":"subscribe"}',
        '{"type":"subscribe","id":7,"payload":{"query":"{hello}"}}',
        '{"type":"subscribe","id":"","payload":{"query":"{hello}"}}',
        '{"type":"subscribe","id":"a"}',
        '{"type":"subscribe","id":"a","payload":null}',
        '{"type":"subscribe","id":"a","payload":"text"}',
        '{"type":"subscribe","id":"a","payload":{}}',
        '{"type":"subscribe","id":"a","payload":{"query":7}}',
        '{"type":"subscribe","id":"a","payload":{"query":"{hello}","variables":"{}"}}',
        '{"type":"subscribe","id":"a","payload":{"query":"{hello}","operationName":7}}',
        '{"type":"subscribe","id":"a","payload":{"query":"{hello}","extensions":[]}}',
        '{"type":"complete"}',
        '{"type":"complete","id":7}',
        '{"type":"ping","payload":7}',
        '{"type":"pong","payload":[]}',
        b"{}",
    ],
)
async def test_what_is_not_the_protocol_closes_with_4400(server: Running, message: str | bytes) -> None:
    async with opened(server) as socket:
        await socket.greet()
        await socket.send(message)
        assert (await socket.closed())[0] == 4400


@pytest.mark.parametrize("payload", ["text", 7, [], {"authorization": 7}])
async def test_a_greeting_that_is_not_the_protocol_closes_with_4400(server: Running, payload: Any) -> None:
    async with opened(server) as socket:
        await socket.send({"type": "connection_init", "payload": payload})
        assert (await socket.closed())[0] == 4400


async def test_the_order_of_the_protocol_is_kept(server: Running) -> None:
    async with opened(server) as socket:
        await socket.subscribe("a", "{ hello }")
        assert await socket.closed() == (4401, "Unauthorized")
    async with opened(server) as socket:
        assert await socket.closed() == (4408, "Connection initialisation timeout")
    async with opened(server) as socket:
        await socket.greet()
        await socket.send({"type": "connection_init"})
        assert await socket.closed() == (4429, "Too many initialisation requests")
    async with opened(server) as socket:
        await socket.greet()
        await socket.subscribe("a", "subscription { endless }")
        await socket.receive()
        await socket.subscribe("a", "{ hello }")
        assert await socket.closed() == (4409, "Subscriber for a already exists")
    for protocol in ("graphql-ws", None):
        async with opened(server, protocol=protocol) as socket:
            assert await socket.closed() == (4406, "Subprotocol not acceptable")
    await until(lambda: not toy.BOARD.running)


async def test_a_greeted_socket_does_not_time_out(server: Running) -> None:
    async with opened(server) as socket:
        await socket.greet()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(socket.connection.recv(), 0.5)


async def test_operations_on_a_socket_are_counted(server: Running) -> None:
    async with opened(server) as socket:
        await socket.greet()
        for name in ("a", "b", "c"):
            await socket.subscribe(name, "subscription { endless }")
            await socket.receive()
        await socket.subscribe("d", "{ hello }")
        message = await socket.receive()
        assert (message["id"], message["type"]) == ("d", "error")
        assert message["payload"][0]["extensions"]["code"] == "RATE_LIMITED"
        await socket.send({"id": "a", "type": "complete"})
        await socket.subscribe("d", "{ hello }")
        assert await socket.receive() == next_("d", hello="Hello, world")


async def test_sockets_of_one_caller_are_counted(server: Running, ada: Person) -> None:
    payload = {"authorization": f"Bearer {ada.token}"}
    async with opened(server) as one, opened(server) as two, opened(server) as three, opened(server) as four:
        for socket in (one, two, three):
            await socket.greet(payload)
        await four.send({"type": "connection_init", "payload": payload})
        assert (await four.closed())[0] == 4429
        await one.connection.close()
    async with opened(server) as socket:
        await socket.greet(payload)


async def test_a_long_message_closes_with_1009(server: Running) -> None:
    async with opened(server) as socket:
        await socket.greet()
        await socket.send(json.dumps({"type": "ping", "payload": {"x": "y" * 70_000}}))
        assert (await socket.closed())[0] == 1009


async def test_a_reader_that_takes_nothing_is_let_go_and_its_sources_end(
    server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.graphql.outbox.SEND_SECONDS", 0.1)
    async with opened(server) as socket:
        await socket.greet()
        socket.connection.transport.pause_reading()
        await socket.subscribe("a", "subscription { flood(size: 100000) }")
        await until(lambda: toy.BOARD.floods == 1 and toy.BOARD.running == 0)
        socket.connection.transport.resume_reading()
        assert (await socket.closed())[0] == 1013


async def test_a_reader_that_never_comes_back_is_not_waited_for(
    server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.graphql.outbox.SEND_SECONDS", 0.1)
    monkeypatch.setattr("app.graphql.websocket.CLOSE_SECONDS", 0.1)
    async with opened(server) as socket:
        await socket.greet()
        socket.connection.transport.pause_reading()
        await socket.subscribe("a", "subscription { flood(size: 100000) }")
        await until(lambda: toy.BOARD.floods == 1 and open_sockets() == 0)


async def test_a_slow_operation_is_stopped_but_a_subscription_is_not(server: Running) -> None:
    async with opened(server) as socket:
        await socket.greet()
        await socket.subscribe("s", "subscription { endless }")
        await socket.receive()
        await socket.subscribe("q", "{ stuck }")
        message = await socket.receive()
        assert (message["id"], message["type"]) == ("q", "error")
        assert message["payload"][0]["extensions"]["code"] == "UNAVAILABLE"
        assert toy.BOARD.running == 1


async def test_each_event_is_executed_with_a_context_of_its_own(services: Services) -> None:
    seen: list[int] = []

    @strawberry.type
    class Event:
        @strawberry.field
        def loaders(self, info: Info) -> int:
            seen.append(id(info.context))
            info.context.loaders["seen"] = True
            return len(info.context.loaders)

    @strawberry.type
    class Query:
        a: int = 1

    @strawberry.type
    class Subscription:
        @strawberry.subscription
        async def events(self) -> AsyncIterator[Event]:
            for _ in range(3):
                yield Event()

    async with toy.serving(services, strawberry.Schema(Query, None, Subscription)) as server, opened(server) as socket:
        await socket.greet()
        await socket.subscribe("a", "subscription { events { loaders } }")
        for _ in range(3):
            assert await socket.receive() == next_("a", events={"loaders": 1})
        assert await socket.receive() == {"id": "a", "type": "complete"}


async def test_a_database_that_is_away_asks_to_come_back(
    services: Services, toy_schema: strawberry.Schema, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: Any, **__: Any) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr("services.auth.authenticate", away)
    services.settings = replace(services.settings)
    async with toy.serving(services, toy_schema) as server:
        async with opened(server) as socket:
            await socket.send({"type": "connection_init", "payload": {"authorization": f"Bearer {ada.token}"}})
            assert (await socket.closed())[0] == 1013
        answer = await server.http.post("/graphql", json={"query": "{ hello }"}, headers=ada.bearer)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert answer.json()["errors"][0]["extensions"]["code"] == "UNAVAILABLE"
