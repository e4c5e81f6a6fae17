"""A18 and A19 of the checklist as far as the server goes, and the checklist of GraphQL: what is never even tried."""

import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
import websockets

from kit.settings import Settings, Toggle
from resolvers.context import Services
from tests.app.graphql.toy import Running, serving
from tests.client import the_schema
from tests.make import Maker

PROTOCOL = websockets.Subprotocol("graphql-transport-ws")
CHANGE = 'mutation { createTag(input: {name: "forged"}) { userErrors { code } } }'
FOREIGN = (
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"origin": "https://evil.example"},
    {"origin": "null"},
)


@pytest_asyncio.fixture(loop_scope="session")
async def server(services: Services) -> AsyncIterator[Running]:
    """The product, as it is set by default."""
    async with serving(services, the_schema()) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def token(make: Maker) -> str:
    """A session of somebody."""
    return await make.session(await make.user())


def cookie(token: str) -> dict[str, str]:
    """What a browser adds to a request by itself, whoever made it send one."""
    return {"cookie": f"__Host-graphmark={token}"}


def code(answer: httpx.Response) -> str:
    """Return the code of the only error."""
    (error,) = answer.json()["errors"]
    return str(error["extensions"]["code"])


async def tags(services: Services) -> int:
    return int(await services.database.fetchval("SELECT count(*) FROM tags"))


async def test_a19_no_foreign_page_changes_anything(server: Running, services: Services, token: str) -> None:
    for headers in FOREIGN:
        answer = await server.http.post("/graphql", json={"query": CHANGE}, headers={**cookie(token), **headers})
        assert (answer.status_code, code(answer)) == (403, "FORBIDDEN")
    assert await tags(services) == 0
    own = {**cookie(token), "sec-fetch-site": "same-origin"}
    assert (await server.http.post("/graphql", json={"query": CHANGE}, headers=own)).status_code == 200
    assert await tags(services) == 1


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("application/graphql", 415),
        ("", 415),
        ("multipart/form-data; boundary=b", 403),
    ],
)
async def test_a19_what_forms_can_send_is_not_read(
    server: Running, services: Services, token: str, kind: str, status: int
) -> None:
    body = json.dumps({"query": CHANGE}).encode()
    for headers in ({}, cookie(token)):
        sent = {**headers, **({"content-type": kind} if kind else {})}
        answer = await server.http.post("/graphql", content=body, headers=sent)
        assert answer.status_code == status
    assert await tags(services) == 0


async def test_a19_nothing_is_changed_by_a_link_or_an_image(server: Running, services: Services, token: str) -> None:
    for accept in ("*/*", "image/avif,image/webp,*/*;q=0.8", "application/graphql-response+json", "text/event-stream"):
        for headers in (cookie(token), {"authorization": f"Bearer {token}"}):
            answer = await server.http.get("/graphql", params={"query": CHANGE}, headers={"accept": accept, **headers})
            assert answer.status_code in {405, 406}
    assert await tags(services) == 0


async def test_a19_no_other_origin_is_ever_allowed(server: Running, token: str) -> None:
    for method in ("OPTIONS", "GET", "POST"):
        answer = await server.http.request(
            method,
            "/graphql",
            headers={
                "origin": "https://evil.example",
                "access-control-request-method": "POST",
                "access-control-request-headers": "content-type,authorization",
                **cookie(token),
            },
        )
        assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_a18_a_cookie_opens_no_socket_from_elsewhere(server: Running, token: str) -> None:
    async def outcome(origin: str | None, headers: dict[str, str], payload: dict[str, Any]) -> str | int | None:
        given = None if origin is None else websockets.Origin(origin)
        async with websockets.connect(
            server.websocket_url, subprotocols=[PROTOCOL], origin=given, additional_headers=headers
        ) as socket:
            await socket.send(json.dumps({"type": "connection_init", "payload": payload}))
            try:
                return str(json.loads(await socket.recv())["type"])
            except websockets.ConnectionClosed:
                return socket.close_code

    bearer = {"Authorization": f"Bearer {token}"}
    for origin in (
        "https://evil.example",
        "null",
        "http://127.0.0.1:1",
        f"https://127.0.0.1.evil.example:{server.port}",
        None,
    ):
        assert await outcome(origin, cookie(token), {}) == 4403
        assert await outcome(origin, {}, bearer) == "connection_ack"
    assert await outcome(f"http://127.0.0.1:{server.port}", cookie(token), {}) == "connection_ack"


HINTS = [
    ("{ bokmarks }", {}),
    ("{ viewer { emial } }", {}),
    ('{ node(idd: "x") { id } }', {}),
    ("{ viewer { ... on Usr { id } } }", {}),
    ("query ($v: Itn) { __typename }", {}),
    ("{ ...F } fragment G on Query { __typename }", {}),
    ("{ __typename @skipp(if: true) }", {}),
    ("{ bookmarks(orderBy: {field: TITEL}) { totalCount } }", {}),
    ("{ bookmarks(filter: {titel: 1}) { totalCount } }", {}),
    ("query ($v: BookmarkOrder) { bookmarks(orderBy: $v) { totalCount } }", {"v": {"field": "TITEL"}}),
    ("query ($v: BookmarkOrder) { bookmarks(orderBy: $v) { totalCount } }", {"v": {"feild": "TITLE"}}),
    ("query ($v: RegisterInput!) { __typename }", {"v": {"emial": "x"}}),
    (
        "mutation ($v: LoginInput!) { login(input: $v) { userErrors { code } } }",
        {"v": {"email": "a@b.c", "pasword": "x"}},
    ),
    ("query first { __typename } query second { __typename }", {}),
]


@pytest.mark.parametrize(("query", "variables"), HINTS)
async def test_nobody_is_given_hints_about_the_schema(server: Running, query: str, variables: dict[str, Any]) -> None:
    body = (
        {"query": query, "variables": variables, "operationName": "frist"}
        if "first" in query
        else {"query": query, "variables": variables}
    )
    answer = await server.http.post("/graphql", json=body)
    assert answer.json()["errors"]
    assert "data" not in answer.json()
    assert "did you mean" not in answer.text.lower()


@pytest.mark.parametrize(
    "query",
    [
        "{ __schema { queryType { name } } }",
        '{ __type(name: "User") { name } }',
        '{ harmless: __type(name: "User") { name } }',
        "{ ...F } fragment F on Query { a: __schema { types { name } } }",
        '{ ... on Query { ... { __type(name: "User") { name } } } }',
        "query ($skip: Boolean = true) { __schema @skip(if: $skip) { queryType { name } } }",
        '{ viewer { id } } query other { __type(name: "User") { name } }',
    ],
)
async def test_the_schema_is_closed_however_it_is_asked_for(server: Running, services: Services, query: str) -> None:
    assert services.settings.introspection is Toggle.SIGNED_IN
    for body in ({"query": query}, {"query": query, "operationName": "other"}):
        answer = await server.http.post("/graphql", json=body)
        assert "FORBIDDEN" in {error["extensions"]["code"] for error in answer.json()["errors"]}
        assert "data" not in answer.json()


async def test_batches_are_refused(server: Running, token: str) -> None:
    batch = [{"query": "{ __typename }"}, {"query": "{ __typename }"}]
    answer = await server.http.post("/graphql", json=batch, headers={"authorization": f"Bearer {token}"})
    assert (answer.status_code, code(answer)) == (400, "BAD_USER_INPUT")
    assert answer.json()["errors"][0]["message"].startswith("Batches are not accepted")


async def test_only_listed_documents_run_whichever_way_they_come(
    services: Services, settings: Settings, tmp_path: Path, token: str
) -> None:
    listed, other = "{ __typename }", "{ viewer { id } }"
    digest = hashlib.sha256(listed.encode()).hexdigest()
    (tmp_path / "list.json").write_text(json.dumps({digest: listed}))
    services.settings = replace(settings, persisted_documents=tmp_path / "list.json", persisted_documents_only=True)
    named = {"persistedQuery": {"version": 1, "sha256Hash": hashlib.sha256(other.encode()).hexdigest()}}
    async with serving(services, the_schema()) as server:
        for accept in ("application/graphql-response+json", "text/event-stream"):
            headers = {"accept": accept, "authorization": f"Bearer {token}"}
            for body in ({"query": other}, {"query": other, "extensions": named}, {"extensions": named}):
                posted = await server.http.post("/graphql", json=body, headers=headers)
                params = {name: value if isinstance(value, str) else json.dumps(value) for name, value in body.items()}
                got = await server.http.get("/graphql", params=params, headers=headers)
                for answer in (posted, got):
                    assert '"FORBIDDEN"' in answer.text
                    assert '"data"' not in answer.text
            assert (
                '"__typename":"Query"'
                in (await server.http.post("/graphql", json={"query": listed}, headers=headers)).text
            )
        async with websockets.connect(server.websocket_url, subprotocols=[PROTOCOL]) as socket:
            await socket.send(json.dumps({"type": "connection_init", "payload": {"authorization": f"Bearer {token}"}}))
            await socket.recv()
            for payload in (
                {"query": other},
                {"query": other, "extensions": named},
                {"extensions": named},
            ):
                await socket.send(json.dumps({"type": "subscribe", "id": "1", "payload": payload}))
                message = json.loads(await socket.recv())
                if message["type"] != "error":
                    pytest.fail(f"{payload} was run")
                assert message["payload"][0]["extensions"]["code"] in {"FORBIDDEN", "BAD_USER_INPUT"}


async def test_a_statement_ends_at_its_timeout(services: Services) -> None:
    told = await services.database.fetchval("SELECT current_setting('statement_timeout')")
    assert told == "20s"  # the tests' own; that of a server is a setting
    assert Settings().statement_timeout_seconds == 5.0
    assert Settings().request_timeout_seconds == 10.0
