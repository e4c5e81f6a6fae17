"""GraphQL over server-sent events: distinct connections."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import orjson
import pytest

from app.graphql import sse
from db import auth as sessions
from kit.crypto import fingerprint
from resolvers.context import Services
from tests.app.graphql import toy
from tests.app.graphql.conftest import Person
from tests.app.graphql.toy import Running, until

STREAM = {"accept": "text/event-stream"}
Event = tuple[str, Any]


@asynccontextmanager
async def streaming(server: Running, query: str, **headers: str) -> AsyncIterator[AsyncIterator[Event]]:
    async with server.http.stream("POST", "/graphql", json={"query": query}, headers=STREAM | headers) as answer:
        assert answer.status_code == 200, await answer.aread()
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        yield events(answer)


async def events(answer: httpx.Response) -> AsyncIterator[Event]:
    name = ""
    async for line in answer.aiter_lines():
        if line == ":":
            yield "comment", None
        elif line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data:"):
            data = line.removeprefix("data:").strip()
            yield name, orjson.loads(data) if data else None


async def everything(server: Running, query: str, **headers: str) -> list[Event]:
    async with asyncio.timeout(10), streaming(server, query, **headers) as stream:
        return [event async for event in stream]


async def test_a_subscription_streams_and_completes(server: Running) -> None:
    assert await everything(server, "subscription { count(to: 2) }") == [
        ("next", {"data": {"count": 1}}),
        ("next", {"data": {"count": 2}}),
        ("complete", None),
    ]


async def test_a_query_is_a_stream_of_one(server: Running) -> None:
    assert await everything(server, "{ hello }") == [("next", {"data": {"hello": "Hello, world"}}), ("complete", None)]


async def test_get_streams_too_but_changes_nothing(server: Running) -> None:
    answer = await server.http.get("/graphql", params={"query": "subscription { count(to: 1) }"}, headers=STREAM)
    assert answer.text == 'event: next\ndata: {"data":{"count":1}}\n\nevent: complete\ndata: \n\n'
    answer = await server.http.get("/graphql", params={"query": "mutation { bump }"}, headers=STREAM)
    assert (answer.status_code, toy.BOARD.changes) == (405, 0)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("subscription { nope }", "BAD_USER_INPUT"),
        ("subscription { private }", "UNAUTHENTICATED"),
        ("{", "BAD_USER_INPUT"),
    ],
)
async def test_an_operation_that_cannot_start_says_so_and_ends(server: Running, query: str, code: str) -> None:
    (kind, body), last = await everything(server, query)
    assert (kind, body["errors"][0]["extensions"]["code"], last) == ("next", code, ("complete", None))


async def test_a_source_that_breaks_is_masked(server: Running) -> None:
    first, (kind, body), last = await everything(server, "subscription { failing }")
    assert first == ("next", {"data": {"failing": 1}})
    assert (kind, body["errors"][0]["message"]) == ("next", "Internal error")
    assert last == ("complete", None)


async def test_bad_requests_are_refused_before_the_stream(server: Running) -> None:
    answer = await server.http.post("/graphql", json={"query": 7}, headers=STREAM)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/json; charset=utf-8")


async def test_a_quiet_stream_beats_its_heart(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "HEARTBEAT_SECONDS", 0.02)
    async with asyncio.timeout(10), streaming(server, "subscription { endless }") as stream:
        assert await anext(stream) == ("next", {"data": {"endless": 1}})
        assert await anext(stream) == ("comment", None)
        assert await anext(stream) == ("comment", None)


async def test_leaving_ends_the_source(server: Running) -> None:
    async with asyncio.timeout(10):
        async with streaming(server, "subscription { endless }") as stream:
            await anext(stream)
            assert toy.BOARD.running == 1
        await until(lambda: not toy.BOARD.running)


async def test_streams_are_counted(server: Running, ada: Person) -> None:
    async with asyncio.timeout(10):
        query = "subscription { endless }"
        async with (
            streaming(server, query, **ada.bearer) as one,
            streaming(server, query, **ada.bearer) as two,
            streaming(server, query, **ada.bearer) as three,
        ):
            for stream in (one, two, three):
                await anext(stream)
            answer = await server.http.post("/graphql", json={"query": query}, headers=STREAM | ada.bearer)
            assert (answer.status_code, answer.headers["retry-after"]) == (429, "10")
            assert answer.json()["errors"][0]["extensions"]["retryAfterSeconds"] == 10
            assert (await everything(server, "{ hello }"))[-1] == ("complete", None)


async def test_the_end_of_the_session_ends_the_stream(server: Running, services: Services, ada: Person) -> None:
    async with asyncio.timeout(10), streaming(server, "subscription { endless }", **ada.bearer) as stream:
        await anext(stream)
        await revoke(services, ada)
        kind, body = await anext(stream)
        assert (kind, body["errors"][0]["extensions"]["code"]) == ("next", "UNAUTHENTICATED")
        assert await anext(stream) == ("complete", None)


async def revoke(services: Services, person: Person) -> None:
    """End the person's session as `logout` does."""
    live = await sessions.live_session(services.database, fingerprint(person.token))
    assert live is not None
    async with services.database.unit() as unit:
        assert await sessions.revoke_session(unit, live.session_id, live.user_id)
