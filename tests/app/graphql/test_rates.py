"""Budgets of operations, over HTTP, event streams and WebSockets."""

import json
from dataclasses import replace
from typing import Any

import httpx
import pytest
import websockets

from app.graphql.callers import Headers, network_address
from kit.settings import Settings, load_settings
from resolvers.context import Services
from tests.app.graphql import toy
from tests.app.graphql.conftest import Person
from tests.make import Maker

QUERY = {"query": "{ __typename }"}
SMALL: dict[str, Any] = {
    "rate_operations_per_account_minute": 5,
    "rate_writes_per_account_minute": 2,
    "rate_operations_per_network_minute": 20,
    "rate_uploads_per_account_hour": 1,
}
UNTRUSTED = {"x-forwarded-for": "203.0.113.9"}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Small budgets."""
    return replace(settings, **SMALL)


def assert_waits(answer: httpx.Response) -> None:
    """Check that a client is told to wait, in both places and in the same words."""
    assert answer.status_code == 429
    (error,) = answer.json()["errors"]
    assert error["extensions"]["code"] == "RATE_LIMITED"
    assert 0 < error["extensions"]["retryAfterSeconds"] <= 60
    assert answer.headers["retry-after"] == str(error["extensions"]["retryAfterSeconds"])
    assert "data" not in answer.json()


async def test_an_account_has_a_budget_of_operations(services: Services, ada: Person, make: Maker) -> None:
    async with toy.serving(services, toy.toy_schema()) as server:
        codes = [(await server.http.post("/graphql", json=QUERY, headers=ada.bearer)).status_code for _ in range(6)]
        assert codes == [200] * 5 + [429]
        assert_waits(await server.http.post("/graphql", json=QUERY, headers=ada.bearer))
        streamed = {**ada.bearer, "accept": "text/event-stream"}
        assert_waits(await server.http.post("/graphql", json={"query": "subscription { count }"}, headers=streamed))
        bob = Person("", await make.session(await make.user()))
        assert (await server.http.post("/graphql", json=QUERY, headers=bob.bearer)).status_code == 200


async def test_what_is_refused_is_paid_for_too(services: Services, ada: Person) -> None:
    async with toy.serving(services, toy.toy_schema()) as server:
        nasty = {"query": "{ nope"}
        codes = [(await server.http.post("/graphql", json=nasty, headers=ada.bearer)).status_code for _ in range(6)]
        assert codes == [200] * 5 + [429]


async def test_changes_have_a_budget_of_their_own(services: Services, ada: Person) -> None:
    async with toy.serving(services, toy.toy_schema()) as server:
        change = {"query": "mutation { __typename }"}
        codes = [(await server.http.post("/graphql", json=change, headers=ada.bearer)).status_code for _ in range(3)]
        assert codes == [200, 200, 429]
        assert_waits(await server.http.post("/graphql", json=change, headers=ada.bearer))
        assert (await server.http.post("/graphql", json=QUERY, headers=ada.bearer)).status_code == 200


async def test_a_network_has_a_budget(services: Services) -> None:
    async with toy.serving(services, toy.toy_schema()) as server:
        codes = [(await server.http.post("/graphql", json=QUERY)).status_code for _ in range(22)]
        assert codes == [200] * 20 + [429] * 2
        assert (await server.http.post("/graphql", json=QUERY, headers=UNTRUSTED)).status_code == 429


async def test_a_trusted_proxy_speaks_for_others(services: Services, settings: Settings) -> None:
    proxied = load_settings({"GRAPHMARK_TRUSTED_PROXIES": "127.0.0.0/8,10.0.0.0/8"}).trusted_proxies
    services.settings = replace(settings, trusted_proxies=proxied)
    async with toy.serving(services, toy.toy_schema()) as server:

        async def status(forwarded: str) -> int:
            answer = await server.http.post("/graphql", json=QUERY, headers={"x-forwarded-for": forwarded})
            return answer.status_code

        assert [await status(f"203.0.113.{number}") for number in range(21)] == [200] * 20 + [429]
        assert await status("198.51.100.1, 203.0.113.7") == 429  # the first entry is what the client wrote itself
        assert await status("203.0.113.7, 198.51.100.1, 10.1.2.3") == 200
        assert await status("203.0.113.7, nonsense") == 200  # no address: the proxy stands for itself


async def test_operations_on_a_socket_are_counted_like_requests(services: Services, ada: Person) -> None:
    async with (
        toy.serving(services, toy.toy_schema()) as server,
        websockets.connect(
            server.websocket_url, subprotocols=[websockets.Subprotocol("graphql-transport-ws")]
        ) as socket,
    ):
        await socket.send(json.dumps({"type": "connection_init", "payload": {"Authorization": f"Bearer {ada.token}"}}))
        await socket.recv()
        kinds = []
        for number in range(6):
            await socket.send(json.dumps({"type": "subscribe", "id": str(number), "payload": QUERY}))
            kinds.append(json.loads(await socket.recv()))
            if kinds[-1]["type"] == "next":
                assert json.loads(await socket.recv())["type"] == "complete"
        assert [message["type"] for message in kinds] == ["next"] * 5 + ["error"]
        (error,) = kinds[-1]["payload"]
        assert error["extensions"]["code"] == "RATE_LIMITED"
        assert 0 < error["extensions"]["retryAfterSeconds"] <= 60
        await socket.send(json.dumps({"type": "ping"}))  # the socket goes on
        assert json.loads(await socket.recv()) == {"type": "pong"}


@pytest.mark.parametrize("text", ["-1", "many", "1.5", "1000000001"])
def test_amounts_are_whole_numbers(text: str) -> None:
    with pytest.raises(Exception, match=r"RATE_WRITES_PER_ACCOUNT_MINUTE.*0 for no limit"):
        load_settings({"GRAPHMARK_RATE_WRITES_PER_ACCOUNT_MINUTE": text})


def test_nothing_is_no_limit() -> None:
    assert load_settings({"GRAPHMARK_RATE_WRITES_PER_ACCOUNT_MINUTE": "0"}).rate_writes_per_account_minute == 0


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("127.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("::ffff:127.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("127.0.0.1", "2001:db8::1", "2001:db8::1"),
        ("127.0.0.1", "198.51.100.1, 203.0.113.7, 10.1.2.3", "203.0.113.7"),
        ("127.0.0.1", "10.9.9.9, 10.1.2.3", "10.9.9.9"),
        ("127.0.0.1", "203.0.113.7, nonsense", "127.0.0.1"),
        ("127.0.0.1", None, "127.0.0.1"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("", "198.51.100.1", ""),
    ],
)
def test_only_trusted_proxies_say_whom_they_speak_for(peer: str, forwarded: str | None, address: str) -> None:
    trusted = load_settings({"GRAPHMARK_TRUSTED_PROXIES": "127.0.0.0/8,10.0.0.0/8"})
    given = [] if forwarded is None else [(b"x-forwarded-for", forwarded.encode())]
    headers = Headers({"headers": given})
    assert network_address({"client": (peer, 1)}, headers, trusted) == address
    assert network_address({"client": (peer, 1)}, headers, Settings()) == peer


def test_what_a_proxy_adds_in_a_line_of_its_own_counts_and_not_what_the_client_sent() -> None:
    trusted = load_settings({"GRAPHMARK_TRUSTED_PROXIES": "127.0.0.0/8"})
    given = [(b"x-forwarded-for", b"198.51.100.1"), (b"host", b"x"), (b"x-forwarded-for", b"203.0.113.7")]
    assert network_address({"client": ("127.0.0.1", 1)}, Headers({"headers": given}), trusted) == "203.0.113.7"
