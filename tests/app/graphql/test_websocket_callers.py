"""Whom a socket speaks for, and for how long."""

import pytest

from resolvers.context import Services
from tests.app.graphql import toy
from tests.app.graphql.conftest import Person
from tests.app.graphql.test_sse import revoke
from tests.app.graphql.test_websocket import next_, opened
from tests.app.graphql.toy import Running, until


async def test_the_payload_signs_in(server: Running, ada: Person) -> None:
    for name in ("authorization", "Authorization"):
        async with opened(server, origin="https://elsewhere.example") as socket:
            await socket.greet({name: f"Bearer {ada.token}"})
            await socket.subscribe("a", "subscription { private }")
            assert await socket.receive() == next_("a", private=ada.id)


async def test_a_header_signs_in(server: Running, ada: Person) -> None:
    async with opened(server, **ada.bearer) as socket:
        await socket.greet()
        await socket.subscribe("a", "{ viewerId }")
        assert await socket.receive() == next_("a", viewerId=ada.id)


@pytest.mark.parametrize("authorization", ["Bearer gms_unknown", "Bearer ", "Basic YTpi", "gms_x"])
async def test_a_bad_token_closes_with_4403(server: Running, authorization: str) -> None:
    async with opened(server) as socket:
        await socket.send({"type": "connection_init", "payload": {"authorization": authorization}})
        code, reason = await socket.closed()
        assert (code, bool(reason)) == (4403, True)


async def test_the_cookie_signs_in_own_pages_only(server: Running, ada: Person) -> None:
    async with opened(server, origin=f"http://127.0.0.1:{server.port}", **ada.cookie) as socket:
        await socket.greet()
        await socket.subscribe("a", "{ viewerId }")
        assert await socket.receive() == next_("a", viewerId=ada.id)
    for origin in ("https://elsewhere.example", "null", None):
        async with opened(server, origin=origin, **ada.cookie) as socket:
            await socket.send({"type": "connection_init"})
            assert (await socket.closed())[0] == 4403


async def test_the_end_of_the_session_closes_its_sockets(server: Running, services: Services, ada: Person) -> None:
    async with opened(server) as one, opened(server) as two:
        await one.greet({"authorization": f"Bearer {ada.token}"})
        await one.subscribe("a", "subscription { endless }")
        await one.receive()
        await two.greet()
        await revoke(services, ada)
        assert await one.closed() == (4403, "The session has ended")
        await two.send({"type": "ping"})
        assert await two.receive() == {"type": "pong"}
    await until(lambda: not toy.BOARD.running)


async def test_a_lost_ring_costs_one_recheck(
    server: Running, services: Services, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.graphql.standing.RECHECK_SECONDS", 0.1)
    async with opened(server) as socket:
        await socket.greet({"authorization": f"Bearer {ada.token}"})
        await services.database.execute("UPDATE sessions SET revoked_at = now()")
        assert (await socket.closed())[0] == 4403
