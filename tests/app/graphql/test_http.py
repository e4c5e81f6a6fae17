"""GraphQL over HTTP: media types, status codes, methods, and who is believed."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import httpx
import pytest
import strawberry

from kit.settings import Toggle
from resolvers.context import Services
from tests.app.graphql import toy
from tests.app.graphql.conftest import Person
from tests.app.graphql.toy import Running

GRAPHQL = "application/graphql-response+json"
JSON = "application/json"


def code_of(answer: httpx.Response) -> str:
    (error,) = answer.json()["errors"]
    assert error["extensions"]["requestId"] == answer.headers["x-request-id"]
    return str(error["extensions"]["code"])


async def post(server: Running, body: Any, **headers: str) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await server.http.post("/graphql", content=content, headers={"content-type": JSON, **named})


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (JSON, JSON),
        (GRAPHQL, GRAPHQL),
        (f"{GRAPHQL}, {JSON}", GRAPHQL),
        (f"{JSON}, {GRAPHQL}", GRAPHQL),
        (f"{GRAPHQL};q=0.5, {JSON};q=0.9", JSON),
        (f"{GRAPHQL};q=0, */*", JSON),
        (f"{JSON};charset=utf-8", JSON),
        ("text/html, */*;q=0.8", JSON),
    ],
)
async def test_answers_in_the_preferred_media_type(server: Running, accept: str | None, expected: str) -> None:
    request = server.http.build_request("POST", "/graphql", json={"query": "{ hello }"})
    del request.headers["accept"]
    if accept is not None:
        request.headers["accept"] = accept
    answer = await server.http.send(request)
    assert (answer.status_code, answer.headers["content-type"]) == (200, f"{expected}; charset=utf-8")
    assert answer.json() == {"data": {"hello": "Hello, world"}}


@pytest.mark.parametrize("accept", ["text/html", "image/png", f"{JSON};q=0", f"{JSON};charset=utf-16", "nonsense"])
async def test_refuses_what_it_cannot_answer_in(server: Running, accept: str) -> None:
    answer = await post(server, {"query": "{ hello }"}, accept=accept)
    assert (answer.status_code, code_of(answer)) == (406, "BAD_USER_INPUT")


@pytest.mark.parametrize(
    "query",
    ["{", "{ nope }", "{ hello(name: 1) }", "query A { hello } query B { hello }", "{ hello(nope: 1) }"],
)
async def test_a_request_error_has_no_data(server: Running, query: str) -> None:
    strict = await post(server, {"query": query}, accept=GRAPHQL)
    legacy = await post(server, {"query": query}, accept=JSON)
    assert (strict.status_code, legacy.status_code) == (400, 200)
    assert code_of(strict) == code_of(legacy) == "BAD_USER_INPUT"
    assert "data" not in strict.json()


async def test_a_variable_of_the_wrong_type_is_a_request_error(server: Running) -> None:
    query = "query ($name: String!) { hello(name: $name) }"
    answer = await post(server, {"query": query, "variables": {"name": 7}}, accept=GRAPHQL)
    assert (answer.status_code, code_of(answer)) == (400, "BAD_USER_INPUT")


async def test_partial_data_is_a_success(server: Running) -> None:
    answer = await post(server, {"query": "{ hello broken }"}, accept=GRAPHQL)
    assert answer.status_code == 200
    assert answer.json()["data"] == {"hello": "Hello, world", "broken": None}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nope",
        b"7",
        b"null",
        b'"text"',
        b"[]",
        b'[{"query":"{hello}"}]',
        b"{}",
        b'{"query":null}',
        b'{"query":""}',
        b'{"query":7}',
        b'{"query":["{hello}"]}',
        b'{"query":"{hello}","operationName":7}',
        b'{"query":"{hello}","operationName":["a"]}',
        b'{"query":"{hello}","variables":[]}',
        b'{"query":"{hello}","variables":"{}"}',
        b'{"query":"{hello}","extensions":[]}',
        b'{"query":"\xff{hello}"}',
        b'{"query":"\\ud800{hello}"}',
        b'{"query":"{hello}"} trailing',
        b"[" * 100_000,
        b'{"query":' + b"[" * 100_000,
    ],
)
async def test_a_malformed_body_is_400_and_never_500(server: Running, body: bytes) -> None:
    answer = await post(server, body, accept=JSON)
    assert (answer.status_code, code_of(answer)) == (400, "BAD_USER_INPUT")


async def test_the_operation_is_picked_by_name(server: Running) -> None:
    document = 'query A { hello(name: "a") } query B { hello(name: "b") }'
    answer = await post(server, {"query": document, "operationName": "B"})
    assert answer.json() == {"data": {"hello": "Hello, b"}}
    for name in ("C", None, ""):
        answer = await post(server, {"query": document, "operationName": name}, accept=GRAPHQL)
        assert (answer.status_code, code_of(answer)) == (400, "BAD_USER_INPUT")


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "application/graphql", f"{JSON}; charset=utf-16", ""],
)
async def test_takes_json_only(server: Running, content_type: str) -> None:
    answer = await post(server, {"query": "mutation { bump }"}, content_type=content_type)
    assert (answer.status_code, code_of(answer)) == (415, "BAD_USER_INPUT")
    assert toy.BOARD.changes == 0


async def test_takes_no_compressed_body(server: Running) -> None:
    answer = await post(server, {"query": "{ hello }"}, content_encoding="gzip")
    assert answer.status_code == 415


async def test_a_large_body_is_refused_while_it_streams(server: Running) -> None:
    limit, sent = 1_000_000, 0

    async def endless() -> Any:
        nonlocal sent
        while sent < 20 * limit:
            sent += 65_536
            yield b" " * 65_536

    announced = await post(server, b" " * (limit + 1))
    assert (announced.status_code, code_of(announced)) == (413, "BAD_USER_INPUT")
    streamed = await server.http.post("/graphql", content=endless(), headers={"content-type": JSON})
    assert (streamed.status_code, code_of(streamed)) == (413, "BAD_USER_INPUT")


async def test_get_answers_queries_that_name_a_graphql_type(server: Running) -> None:
    query = {"query": "query ($n: String!) { hello(name: $n) }", "variables": '{"n":"é"}', "operationName": ""}
    answer = await server.http.get("/graphql", params=query, headers={"accept": GRAPHQL})
    assert (answer.status_code, answer.json()) == (200, {"data": {"hello": "Hello, é"}})
    assert answer.headers["cache-control"] == "no-store"


async def test_get_with_any_type_is_for_bearers_only(server: Running, ada: Person) -> None:
    for headers in ({"accept": "*/*"}, {"accept": "*/*", **ada.cookie}):
        answer = await server.http.get("/graphql", params={"query": "{ hello }"}, headers=headers)
        assert (answer.status_code, code_of(answer)) == (406, "BAD_USER_INPUT")
    answer = await server.http.get("/graphql", params={"query": "{ hello }"}, headers={"accept": "*/*", **ada.bearer})
    assert answer.json() == {"data": {"hello": "Hello, world"}}


async def test_get_never_changes_anything(server: Running, ada: Person) -> None:
    answer = await server.http.get(
        "/graphql", params={"query": "mutation { bump }"}, headers={"accept": GRAPHQL, **ada.bearer}
    )
    assert (answer.status_code, answer.headers["allow"], code_of(answer)) == (405, "POST", "BAD_USER_INPUT")
    assert toy.BOARD.changes == 0


@pytest.mark.parametrize(
    "query_string",
    ["", "query=", "query=%7Bhello%7D&variables=7", "query=%7Bhello%7D&variables=nope", "query=%ff", "query=a&query=b"],
)
async def test_a_malformed_query_string_is_400(server: Running, query_string: str) -> None:
    answer = await server.http.get(f"/graphql?{query_string}", headers={"accept": JSON})
    assert (answer.status_code, code_of(answer)) == (400, "BAD_USER_INPUT")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "HEAD"])
async def test_other_methods_are_named_in_allow(server: Running, method: str) -> None:
    answer = await server.http.request(method, "/graphql")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST, OPTIONS")


async def test_options_allows_no_other_origin(server: Running) -> None:
    headers = {"origin": "https://elsewhere.example", "access-control-request-method": "POST"}
    answer = await server.http.options("/graphql", headers=headers)
    assert (answer.status_code, answer.headers["allow"]) == (204, "GET, POST, OPTIONS")
    assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_a_subscription_needs_a_stream(server: Running) -> None:
    answer = await post(server, {"query": "subscription { count }"}, accept=GRAPHQL)
    assert (answer.status_code, code_of(answer)) == (406, "BAD_USER_INPUT")


async def test_tokens_are_believed_or_refused(server: Running, ada: Person) -> None:
    body = await server.ask("{ viewerId }", token=ada.token)
    assert body == {"data": {"viewerId": ada.id}}
    answer = await post(server, {"query": "{ viewerId }"})
    assert (answer.status_code, code_of(answer)) == (200, "UNAUTHENTICATED")
    for token in ("gms_unknown", "x" * 10_000):
        answer = await post(server, {"query": "{ hello }"}, authorization=f"Bearer {token}")
        assert (answer.status_code, code_of(answer)) == (401, "UNAUTHENTICATED")
        assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_dead_cookie_is_nobody_and_a_live_one_is_somebody(server: Running, ada: Person) -> None:
    answer = await post(server, {"query": "{ viewerId }"}, **ada.cookie)
    assert answer.json() == {"data": {"viewerId": ada.id}}
    answer = await post(server, {"query": "{ hello }"}, cookie="__Host-graphmark=gms_old")
    assert answer.json() == {"data": {"hello": "Hello, world"}}


@pytest.mark.parametrize(
    "headers",
    [
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"origin": "https://elsewhere.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:1"},
    ],
)
async def test_a_foreign_page_cannot_use_the_cookie(server: Running, ada: Person, headers: dict[str, str]) -> None:
    answer = await post(server, {"query": "mutation { bump }"}, **ada.cookie, **headers)
    assert (answer.status_code, code_of(answer)) == (403, "FORBIDDEN")
    assert toy.BOARD.changes == 0
    answer = await post(server, {"query": "mutation { bump }"}, **ada.bearer, **headers)
    assert answer.json() == {"data": {"bump": 1}}


async def test_an_own_page_may_use_the_cookie(server: Running, ada: Person) -> None:
    address = f"http://127.0.0.1:{server.port}"
    for own in (
        {"origin": address, "sec_fetch_site": "same-origin"},
        {"origin": "null", "sec_fetch_site": "same-origin"},
        {"origin": address},
        {"sec_fetch_site": "none"},
    ):
        answer = await post(server, {"query": "{ viewerId }"}, **ada.cookie, **own)
        assert answer.json() == {"data": {"viewerId": ada.id}}


async def test_the_request_id_is_taken_over_or_made(server: Running) -> None:
    answer = await post(server, {"query": "{ hello }"}, x_request_id="edge-17.a_b:c")
    assert answer.headers["x-request-id"] == "edge-17.a_b:c"
    for bad in ("a b", "x" * 65, "<script>"):
        answer = await post(server, {"query": "{ hello }"}, x_request_id=bad)
        assert answer.headers["x-request-id"] != bad


async def test_only_named_errors_reach_the_client(server: Running) -> None:
    answer = await post(server, {"query": "{ broken crowded lost }"})
    broken, crowded, lost = answer.json()["errors"]
    request_id = answer.headers["x-request-id"]
    assert (broken["message"], broken["extensions"]) == (
        "Internal error",
        {"code": "INTERNAL", "requestId": request_id},
    )
    assert crowded["extensions"] == {"code": "RATE_LIMITED", "retryAfterSeconds": 7, "requestId": request_id}
    assert (lost["extensions"]["code"], lost["extensions"]["retryAfterSeconds"]) == ("UNAVAILABLE", 1)
    assert "hunter2" not in answer.text
    assert "10.0.0.5" not in answer.text


async def test_an_operation_that_takes_too_long_is_stopped(server: Running) -> None:
    for accept, status in ((GRAPHQL, 503), (JSON, 200)):
        answer = await asyncio.wait_for(post(server, {"query": "{ stuck }"}, accept=accept), timeout=10)
        assert (answer.status_code, code_of(answer)) == (status, "UNAVAILABLE")
        assert answer.json()["errors"][0]["message"].endswith("seconds and was stopped; ask for less at once.")


async def test_graphiql_opens_for_a_browser(server: Running) -> None:
    accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    answer = await server.http.get("/graphql", headers={"accept": accept})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"


async def test_graphiql_keeps_to_its_policy(services: Services, toy_schema: strawberry.Schema, ada: Person) -> None:
    services.settings = replace(services.settings, graphiql=Toggle.SIGNED_IN)
    async with toy.serving(services, toy_schema) as server:
        anonymous = await server.http.get("/graphql", headers={"accept": "text/html"})
        signed_in = await server.http.get("/graphql", headers={"accept": "text/html", **ada.cookie})
        direct = await server.http.get("/graphiql/index.html")
    assert (anonymous.status_code, signed_in.status_code, direct.status_code) == (406, 200, 404)


@pytest.mark.parametrize(
    ("policy", "anonymous", "signed_in"),
    [(Toggle.NEVER, False, False), (Toggle.SIGNED_IN, False, True), (Toggle.ALWAYS, True, True)],
)
async def test_introspection_and_hints_keep_to_their_policy(
    services: Services, toy_schema: strawberry.Schema, ada: Person, policy: Toggle, anonymous: bool, signed_in: bool
) -> None:
    services.settings = replace(services.settings, introspection=policy)
    async with toy.serving(services, toy_schema) as server:
        for token, is_open in ((None, anonymous), (ada.token, signed_in), (None, anonymous)):
            schema = await server.ask("{ __schema { queryType { name } } }", token=token)
            kind = await server.ask('{ __type(name: "Query") { name } }', token=token)
            misspelt = await server.ask("{ helo }", token=token)
            assert ("errors" not in schema) is is_open
            assert ("errors" not in kind) is is_open
            assert ("Did you mean" in misspelt["errors"][0]["message"]) is is_open
            assert await server.ask("{ __typename }", token=token) == {"data": {"__typename": "Query"}}
