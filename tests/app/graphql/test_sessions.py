"""Remembering who a token speaks for: fast, and never a right that is gone."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from app.graphql import sessions as module
from app.graphql.sessions import Sessions
from db.auth import SESSION_CHANNEL
from kit.bus import Bus
from kit.ids import new_id
from resolvers.context import Services
from services.permissions import Viewer
from tests.app.graphql.conftest import Person
from tests.app.graphql.test_sse import revoke
from tests.app.graphql.toy import Running, serving, until
from tests.client import the_schema


class Desk:
    """Knows tokens and counts who asks."""

    def __init__(self) -> None:
        self.people = {name: Viewer(id=new_id(), session_id=new_id()) for name in ("ada", "bob")}
        self.asked: list[str] = []
        self.gate: asyncio.Event | None = None

    async def __call__(self, token: str) -> Viewer | None:
        """Answer, once the gate is open."""
        self.asked.append(token)
        viewer = self.people.get(token)
        if self.gate is not None:
            await self.gate.wait()
        return viewer


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest_asyncio.fixture(loop_scope="session")
async def known(services: Services, desk: Desk) -> AsyncIterator[Sessions]:
    """Sessions that remember what the desk says."""
    known = Sessions(desk, services.bus, channel=SESSION_CHANNEL)
    async with known.listening():
        yield known


async def test_the_desk_is_asked_once(known: Sessions, desk: Desk) -> None:
    assert [await known("ada") for _ in range(3)] == [desk.people["ada"]] * 3
    assert [await known("nobody") for _ in range(2)] == [None, None]
    assert desk.asked == ["ada", "nobody", "nobody"]


async def test_a_mutation_makes_its_caller_unknown(known: Sessions, desk: Desk) -> None:
    await known("ada")
    await known("bob")
    known.forget(desk.people["ada"])
    await known("ada")
    await known("bob")
    assert desk.asked == ["ada", "bob", "ada"]


async def test_an_ended_session_is_called_out(known: Sessions, desk: Desk, services: Services) -> None:
    await known("ada")
    del desk.people["ada"]
    await services.database.execute("SELECT pg_notify($1, $2)", SESSION_CHANNEL, str(new_id()))

    async def is_gone() -> None:
        while await known("ada") is not None:  # noqa: ASYNC110  PostgreSQL says when
            await asyncio.sleep(0.005)

    await asyncio.wait_for(is_gone(), 3)


async def test_an_answer_under_way_is_not_remembered_when_the_session_ends_meanwhile(
    known: Sessions, desk: Desk
) -> None:
    desk.gate = asyncio.Event()
    asking = asyncio.create_task(known("ada"))
    await until(lambda: desk.asked == ["ada"])
    known.forget_everybody()
    desk.gate.set()
    assert await asking is not None
    await known("ada")
    assert desk.asked == ["ada", "ada"]


async def test_nothing_is_remembered_while_the_bus_is_deaf(desk: Desk) -> None:
    async def never() -> None:
        raise ConnectionRefusedError

    known = Sessions(desk, Bus(never, ()), channel=SESSION_CHANNEL)
    async with known.listening():
        await known("ada")
        await known("ada")
    assert desk.asked == ["ada", "ada"]


async def test_memory_is_short_and_bounded(known: Sessions, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_REMEMBERED", 1)
    await known("ada")
    await known("bob")
    await known("ada")
    assert desk.asked == ["ada", "bob", "ada"]
    monkeypatch.setattr(module, "REMEMBERED_SECONDS", 0.0)
    await known("bob")
    await known("bob")
    assert desk.asked == ["ada", "bob", "ada", "bob", "bob"]


async def test_a_revoked_token_is_refused_over_http(server: Running, services: Services, ada: Person) -> None:
    assert await server.ask("{ viewerId }", token=ada.token) == {"data": {"viewerId": ada.id}}
    await revoke(services, ada)

    async def is_refused() -> None:
        while "data" in await server.ask("{ viewerId }", token=ada.token):
            pass

    await asyncio.wait_for(is_refused(), 3)


async def test_whoever_signs_out_is_signed_out_at_once(services: Services, ada: Person) -> None:
    async with serving(services, the_schema()) as server:
        assert (await server.ask("{ viewer { id } }", token=ada.token))["data"]["viewer"] is not None
        left = await server.ask("mutation { logout { userErrors { code } } }", token=ada.token)
        assert left == {"data": {"logout": {"userErrors": []}}}
        refused = await server.ask("{ viewer { id } }", token=ada.token)
        assert refused["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
