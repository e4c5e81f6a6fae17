"""A17 and A18 of the checklist, as far as limits go: guesses are throttled, sockets are limited."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
import websockets

from db.unit import Database
from kit.errors import RateLimited, Unauthenticated
from kit.settings import Settings
from resolvers.context import Services
from services import auth, throttle
from services.auth import Accounts, Device
from services.permissions import Role
from tests.app.graphql.toy import Running, serving
from tests.client import the_schema
from tests.make import Maker

PROTOCOL = websockets.Subprotocol("graphql-transport-ws")
PASSWORD = "correct horse battery"
HERE = Device("tests", "203.0.113.7")
THERE = Device("tests", "198.51.100.7")
LOGIN = """
mutation ($input: LoginInput!) {
  login(input: $input) { session { token } user { email } userErrors { code message field retryAfterSeconds } }
}
"""


@pytest.fixture
def accounts(services: Services) -> Accounts:
    """What signing in needs."""
    return Accounts(services.database, services.passwords, services.settings)


async def opened(accounts: Accounts, email: str = "ada@example.org") -> None:
    """Open an account."""
    await auth.create_user(accounts, email=email, password=PASSWORD, name="Ada", role=Role.USER)


async def outcome(accounts: Accounts, password: str, device: Device = HERE, email: str = "ada@example.org") -> str:
    """Return what a client is told: `ok`, or the code of the refusal."""
    try:
        await auth.login(accounts, email=email, password=password, device=device)
    except (Unauthenticated, RateLimited) as refusal:
        return refusal.code.value
    return "ok"


async def test_a17_of_fifty_parallel_guesses_exactly_ten_are_looked_at(accounts: Accounts) -> None:
    await opened(accounts)
    told = await asyncio.gather(*(outcome(accounts, f"wrong wrong {number}") for number in range(50)))
    assert sorted(told) == ["RATE_LIMITED"] * 40 + ["UNAUTHENTICATED"] * 10
    assert await outcome(accounts, PASSWORD) == "RATE_LIMITED"


async def test_a17_during_a_pause_right_wrong_and_unknown_are_the_same(
    services: Services, settings: Settings, accounts: Accounts
) -> None:
    await opened(accounts)
    async with serving(services, the_schema()) as server:
        for email in ("ada@example.org", "nobody@example.org"):
            for _ in range(10):
                await server.ask(LOGIN, input={"email": email, "password": "wrong wrong"})
        said = [
            await server.ask(LOGIN, input={"email": email, "password": password})
            for email, password in (
                ("ada@example.org", PASSWORD),
                ("ada@example.org", "wrong wrong"),
                ("nobody@example.org", "wrong wrong"),
            )
        ]
    assert settings.password_failures_per_account == 10
    errors = [answer["data"]["login"]["userErrors"][0] for answer in said]
    assert [answer["data"]["login"]["session"] for answer in said] == [None] * 3
    for error in errors:
        seconds = error["retryAfterSeconds"]
        assert 0 < seconds <= 15
        assert error == {
            "code": "RATE_LIMITED",
            "message": f"There were too many wrong attempts; try again in {seconds} seconds.",
            "field": None,
            "retryAfterSeconds": seconds,
        }


async def test_a17_a_restart_forgets_nothing_and_redis_does_not_matter(accounts: Accounts, dsn: str) -> None:
    await opened(accounts)
    for _ in range(10):
        await outcome(accounts, "wrong wrong")
    fresh = await Database.connect(dsn, size=2, statement_timeout_seconds=5)
    elsewhere = replace(accounts.settings, redis_url="redis://127.0.0.1:1/0")
    assert await outcome(Accounts(fresh, accounts.passwords, elsewhere), PASSWORD) == "RATE_LIMITED"
    await fresh.close()
    assert await accounts.database.fetchval(
        "SELECT relpersistence = 'p' FROM pg_class WHERE relname = 'failed_tries'"
    ), "a crash of PostgreSQL would forget them"


async def test_a17_while_nothing_counts_nobody_signs_in(services: Services, accounts: Accounts) -> None:
    await opened(accounts)
    await accounts.database.execute("ALTER TABLE failed_tries RENAME TO away")
    try:
        async with serving(services, the_schema()) as server:
            body = await server.ask(LOGIN, input={"email": "ada@example.org", "password": PASSWORD})
    finally:
        await accounts.database.execute("ALTER TABLE away RENAME TO failed_tries")
    assert body["data"] is None
    assert await accounts.database.fetchval("SELECT count(*) FROM sessions") == 0


async def test_a17_nobody_can_lock_out_who_is_known(accounts: Accounts) -> None:
    await opened(accounts)
    assert await outcome(accounts, PASSWORD, HERE) == "ok"
    told = [await outcome(accounts, "wrong wrong", THERE) for _ in range(12)]
    assert told == ["UNAUTHENTICATED"] * 10 + ["RATE_LIMITED"] * 2
    assert await outcome(accounts, PASSWORD, THERE) == "RATE_LIMITED"
    assert await outcome(accounts, PASSWORD, HERE) == "ok"
    assert await throttle.clear_account(accounts.database, "ada@example.org")
    assert await outcome(accounts, PASSWORD, THERE) == "ok"


async def test_a17_a_network_is_throttled_for_all_accounts(accounts: Accounts) -> None:
    settings = replace(accounts.settings, sign_in_failures_per_network=12)
    accounts = Accounts(accounts.database, accounts.passwords, settings)
    await opened(accounts)
    told = [await outcome(accounts, "wrong", HERE, f"person{number}@example.org") for number in range(14)]
    assert told == ["UNAUTHENTICATED"] * 12 + ["RATE_LIMITED"] * 2
    assert await outcome(accounts, PASSWORD, HERE) == "RATE_LIMITED"
    assert await outcome(accounts, PASSWORD, THERE) == "ok"


async def closed(server: Running, *messages: dict[str, Any]) -> tuple[int | None, str | None]:
    """Send messages on a new socket and return with what code and reason the server closes it."""
    async with websockets.connect(server.websocket_url, subprotocols=[PROTOCOL]) as socket:
        for message in messages:
            await socket.send(json.dumps(message))
        async with asyncio.timeout(20):
            await socket.wait_closed()
        return socket.close_code, socket.close_reason


async def test_a18_sockets_are_limited(services: Services, make: Maker) -> None:
    user = await make.user()
    token = await make.session(user)
    init = {"type": "connection_init", "payload": {"Authorization": f"Bearer {token}"}}
    services.settings = replace(services.settings, websocket_init_timeout_seconds=0.3)
    assert services.settings.max_websockets_per_user == 10
    assert services.settings.max_subscriptions_per_websocket == 20
    assert services.settings.max_websocket_message_bytes == 65_536
    assert Settings().websocket_init_timeout_seconds == 10.0
    async with serving(services, the_schema()) as server:
        assert (await closed(server))[0] == 4408
        assert (await closed(server, init, init))[0] == 4429
        assert (await closed(server, {"type": "connection_init", "payload": {"Authorization": "Bearer gms_x"}}))[
            0
        ] == 4403
        subscribe = {"type": "subscribe", "id": "1", "payload": {"query": "{ __typename }"}}
        assert (await closed(server, subscribe))[0] == 4401
        assert (await closed(server, init, {"type": "ping", "payload": {"long": "x" * 70_000}}))[0] == 1009
        await ten_at_most(server, init)


async def ten_at_most(server: Running, init: dict[str, Any]) -> None:
    """Open ten sockets, twenty operations on one of them, and one more of each."""
    sockets = []
    try:
        for _ in range(10):
            socket = await websockets.connect(server.websocket_url, subprotocols=[PROTOCOL])
            sockets.append(socket)
            await socket.send(json.dumps(init))
            assert json.loads(await socket.recv()) == {"type": "connection_ack"}
        assert (await closed(server, init))[0] == 4429
        first = sockets[0]
        for number in range(21):
            query = "subscription { bookmarkChanged { __typename } }"
            await first.send(json.dumps({"type": "subscribe", "id": str(number), "payload": {"query": query}}))
        refused = json.loads(await first.recv())
        assert (refused["id"], refused["type"]) == ("20", "error")
        assert refused["payload"][0]["extensions"]["code"] == "RATE_LIMITED"
    finally:
        for socket in sockets:
            await socket.close()
