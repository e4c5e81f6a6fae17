"""The official clients of graphql-transport-ws and of GraphQL over server-sent events."""

from collections.abc import AsyncIterator

import pytest_asyncio

from resolvers.context import Services
from tests.app.graphql import toy
from tests.conformance.conftest import Script
from tests.make import Maker


@pytest_asyncio.fixture(loop_scope="session")
async def server(services: Services) -> AsyncIterator[toy.Running]:
    """The real application, serving the small schema."""
    toy.BOARD = toy.Switchboard()
    async with toy.serving(services, toy.toy_schema()) as running:
        yield running


COUNTED = [{"data": {"count": number}} for number in (1, 2, 3)]


async def test_graphql_ws(server: toy.Running, make: Maker, script: Script) -> None:
    user = await make.user()
    seen = await script("websocket.mjs", server.websocket_url, await make.session(user))
    assert seen == {
        "subscription": COUNTED,
        "query": [{"data": {"hello": "Hello, you"}}],
        "mutation": [{"data": {"bump": 1}}],
        "private": [{"data": {"private": str(user.id)}}],
        "stopped": [{"data": {"endless": 1}}],
        "invalid": {"errors": ["BAD_USER_INPUT"]},
        "afterwards": [{"data": {"hello": "Hello, world"}}],
        "badToken": {"code": 4403, "reason": "The token is unknown, expired or revoked: sign in again."},
        "resumed": [True, True],
    }
    await toy.until(lambda: not toy.BOARD.running)


async def test_graphql_sse(server: toy.Running, make: Maker, script: Script) -> None:
    user = await make.user()
    seen = await script("sse.mjs", f"http://127.0.0.1:{server.port}/graphql", await make.session(user))
    assert seen == {
        "subscription": COUNTED,
        "query": [{"data": {"hello": "Hello, you"}}],
        "mutation": [{"data": {"bump": 1}}],
        "private": [{"data": {"private": str(user.id)}}],
        "stopped": [{"data": {"endless": 1}}],
        "invalid": ["BAD_USER_INPUT"],
        "badToken": 401,
    }
    await toy.until(lambda: not toy.BOARD.running)
