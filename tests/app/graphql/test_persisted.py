"""Documents that are named by their hash: what clients persist by themselves, and what the operator lists."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
import strawberry
from graphql import build_schema

from app.graphql.documents import CLOSED_MESSAGE, MAX_DOCUMENTS, Documents
from app.graphql.errors import formatted
from app.server import create_app
from kit.errors import BadInput
from kit.settings import Settings
from resolvers.context import Services
from tests.app.graphql import toy
from tests.app.graphql.conftest import Person
from tests.app.graphql.test_sse import everything
from tests.app.graphql.test_websocket import opened
from tests.app.graphql.toy import Running, serving

GRAPHQL = "application/graphql-response+json"
SCHEMA = build_schema("type Query { a: Query b(x: Int): String } type Mutation { c: Int }")
INTROSPECTION = "{ __schema { queryType { name } } }"


def hashed(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def apollo(text: str, **changes: Any) -> dict[str, Any]:
    return {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": hashed(text), **changes}}}


def by_id(text: str) -> dict[str, Any]:
    return {"documentId": f"sha256:{hashed(text)}"}


async def post(server: Running, body: Mapping[str, Any], **headers: str) -> httpx.Response:
    return await server.http.post("/graphql", json=body, headers={"accept": GRAPHQL, **headers})


def code_of(answer: httpx.Response) -> str:
    (error,) = answer.json()["errors"]
    return str(error["extensions"]["code"])


NAMINGS = pytest.mark.parametrize("named", [apollo, by_id], ids=["persistedQuery", "documentId"])


@NAMINGS
async def test_a_document_is_known_once_it_was_sent_with_its_hash(server: Running, named: Any) -> None:
    text = f"query ($name: String!) {{ hello(name: $name) }} # {named.__name__}"
    variables = {"variables": {"name": "Ada"}}
    missing = await post(server, {**named(text), **variables})
    assert (missing.status_code, code_of(missing)) == (400, "PERSISTED_QUERY_NOT_FOUND")
    assert missing.json()["errors"][0]["message"] == "PersistedQueryNotFound"
    for body in ({"query": text, **named(text)}, named(text), apollo(text), by_id(text), apollo(text) | by_id(text)):
        answer = await post(server, {**body, **variables})
        assert (answer.status_code, answer.json()) == (200, {"data": {"hello": "Hello, Ada"}})


async def test_the_older_media_type_gets_the_code_with_200(server: Running) -> None:
    answer = await server.http.post("/graphql", json=apollo("{ hello } # old"), headers={"accept": "application/json"})
    assert (answer.status_code, code_of(answer)) == (200, "PERSISTED_QUERY_NOT_FOUND")


async def test_it_may_be_asked_for_by_get(server: Running) -> None:
    text = 'query Persisted { hello } query Other { hello(name: "other") }'
    await post(server, {"query": text, "operationName": "Other", **apollo(text)})
    for fields in (by_id(text), {"extensions": json.dumps(apollo(text)["extensions"])}):
        params = {**fields, "operationName": "Persisted"}
        answer = await server.http.get("/graphql", params=params, headers={"accept": GRAPHQL})
        assert (answer.status_code, answer.json()) == (200, {"data": {"hello": "Hello, world"}})


async def test_a_mutation_by_get_stays_refused(server: Running) -> None:
    text = "mutation Persisted { bump }"
    assert (await post(server, {"query": text, **apollo(text)})).json() == {"data": {"bump": 1}}
    answer = await server.http.get("/graphql", params=by_id(text), headers={"accept": GRAPHQL})
    assert (answer.status_code, toy.BOARD.changes) == (405, 1)


async def test_sockets_and_streams_know_the_same_documents(server: Running) -> None:
    text = "subscription Persisted { count(to: 1) }"
    async with opened(server) as socket:
        await socket.greet()
        await socket.send({"id": "1", "type": "subscribe", "payload": apollo(text)})
        refused = await socket.receive()
        assert (refused["type"], refused["payload"][0]["message"]) == ("error", "PersistedQueryNotFound")
        for payload in ({"query": text, **apollo(text)}, by_id(text)):
            await socket.send({"id": "1", "type": "subscribe", "payload": payload})
            assert (await socket.receive())["payload"] == {"data": {"count": 1}}
            assert (await socket.receive())["type"] == "complete"
        await socket.send({"id": "2", "type": "subscribe", "payload": apollo(text, version=2)})
        assert (await socket.closed())[0] == 4400
    answer = await server.http.post("/graphql", json=by_id(text), headers={"accept": "text/event-stream"})
    assert answer.text == 'event: next\ndata: {"data":{"count":1}}\n\nevent: complete\ndata: \n\n'


HELLO = "{ hello }"
OTHER = hashed("{ hello other }")


@pytest.mark.parametrize(
    "body",
    [
        apollo(HELLO, version=2),
        apollo(HELLO, version=True),
        apollo(HELLO, version="1"),
        apollo(HELLO, version=None),
        apollo(HELLO, sha256Hash=None),
        apollo(HELLO, sha256Hash=7),
        apollo(HELLO, sha256Hash=["a"]),
        apollo(HELLO, sha256Hash=""),
        apollo(HELLO, sha256Hash=hashed(HELLO).upper()),
        apollo(HELLO, sha256Hash=hashed(HELLO)[:-1]),
        apollo(HELLO, sha256Hash=hashed(HELLO) + "\n"),
        apollo(HELLO, sha256Hash=OTHER),
        apollo(HELLO, sha256Hash="é" * 64),
        {"extensions": {"persistedQuery": []}},
        {"extensions": {"persistedQuery": "x"}},
        {"extensions": {"persistedQuery": {}}},
        {"documentId": 7},
        {"documentId": ""},
        {"documentId": hashed(HELLO)},
        {"documentId": "sha256:"},
        {"documentId": f"sha256:{hashed(HELLO).upper()}"},
        {"documentId": f"SHA256:{hashed(HELLO)}"},
        {"documentId": f"md5:{hashed(HELLO)}"},
        {"documentId": f"sha256:{OTHER}"},
        {"documentId": f"sha256:{OTHER}", **apollo(HELLO)},
    ],
)
async def test_a_name_that_is_none_is_the_clients_mistake(server: Running, body: dict[str, Any]) -> None:
    answer = await post(server, {"query": HELLO, **body})
    assert (answer.status_code, code_of(answer)) == (400, "BAD_USER_INPUT")


@pytest.mark.parametrize("body", [{"documentId": None}, {"extensions": {}}, {"extensions": {"persistedQuery": None}}])
async def test_nothing_named_and_nothing_sent_is_no_request(server: Running, body: dict[str, Any]) -> None:
    answer = await post(server, body)
    assert (answer.status_code, code_of(answer)) == (400, "BAD_USER_INPUT")


async def test_half_a_character_is_no_document(server: Running) -> None:
    content = b'{"query":"\\ud800","documentId":"sha256:' + b"0" * 64 + b'"}'
    answer = await server.http.post("/graphql", content=content, headers={"content-type": "application/json"})
    assert (answer.status_code, code_of(answer)) == (400, "BAD_USER_INPUT")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{ nope }", "BAD_USER_INPUT"),
        ("{", "BAD_USER_INPUT"),
        ("{ hello }" + " " * 20_000, "COMPLEXITY_LIMIT"),
        ("{" + " x: hello" * 200 + "}", "COMPLEXITY_LIMIT"),
    ],
)
async def test_what_cannot_run_is_never_kept(server: Running, text: str, code: str) -> None:
    assert code_of(await post(server, {"query": text, **apollo(text)})) == code
    assert code_of(await post(server, apollo(text))) == "PERSISTED_QUERY_NOT_FOUND"


async def test_what_may_be_introspected_is_not_lent(server: Running, ada: Person) -> None:
    named = {"query": INTROSPECTION, **apollo(INTROSPECTION)}
    assert "data" in (await post(server, named, **ada.bearer)).json()
    assert "data" in (await post(server, apollo(INTROSPECTION), **ada.bearer)).json()
    assert code_of(await post(server, apollo(INTROSPECTION))) == "PERSISTED_QUERY_NOT_FOUND"
    assert (await post(server, named)).json()["errors"][0]["message"] == CLOSED_MESSAGE


def test_unknown_hashes_leave_nothing_behind() -> None:
    documents = Documents(SCHEMA, Settings())
    known = documents.prepare("{ b }", is_open=True, named=hashed("{ b }"))
    for number in range(100):
        (error,) = documents.prepare("", is_open=True, named=hashed(str(number))).errors
        assert (
            formatted([error], request_id="r", operation=None)[0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"
        )
    assert documents.prepare("", is_open=True, named=hashed("{ b }")) is known


def test_the_latest_used_are_kept_and_no_more() -> None:
    documents = Documents(SCHEMA, Settings())
    texts = [f"{{ b(x: {number}) }}" for number in range(MAX_DOCUMENTS)]
    for text in texts:
        documents.prepare(text, is_open=False, named=hashed(text))
    kept = documents.prepare("", is_open=False, named=hashed(texts[0]))
    assert kept.errors == []
    documents.prepare("{ b }", is_open=False)
    assert documents.prepare("", is_open=False, named=hashed(texts[0])) is kept
    assert documents.prepare("", is_open=False, named=hashed(texts[1])).document is None
    assert documents.prepare(texts[1], is_open=False, named=hashed(texts[1])).errors == []


def manifest(*texts: str, prefix: str = "sha256:") -> dict[str, str]:
    return {prefix + hashed(text): text for text in texts}


def apollo_manifest(*texts: str) -> dict[str, Any]:
    operations = [{"id": hashed(text), "name": "A", "type": "query", "body": text} for text in texts]
    return {"format": "apollo-persisted-query-manifest", "version": 1, "operations": operations}


def listing(folder: Path, content: Any, **changes: Any) -> Settings:
    path = folder / "manifest.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return replace(Settings(), persisted_documents=path, **changes)


@pytest.mark.parametrize("content", [manifest("{ b }"), manifest("{ b }", prefix=""), apollo_manifest("{ b }")])
def test_manifests_of_every_form_are_read(tmp_path: Path, content: Any) -> None:
    documents = Documents(SCHEMA, listing(tmp_path, content))
    listed = documents.prepare("", is_open=False, named=hashed("{ b }"))
    assert listed.errors == []
    for number in range(MAX_DOCUMENTS + 1):
        documents.prepare(f"{{ b(x: {number}) }}", is_open=False)
    assert documents.prepare("", is_open=False, named=hashed("{ b }")) is listed


def test_all_manifests_of_a_folder_are_read(tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text(json.dumps(manifest("{ b }")))
    (tmp_path / "two.json").write_text(json.dumps(apollo_manifest("{ a { b } }")))
    (tmp_path / "notes.txt").write_text("nothing")
    documents = Documents(SCHEMA, replace(Settings(), persisted_documents=tmp_path))
    for text in ("{ b }", "{ a { b } }"):
        assert documents.prepare("", is_open=True, named=hashed(text)).errors == []


BROKEN = {
    "no JSON": ("{", "no valid JSON"),
    "no object": ([], "is no manifest"),
    "an operation that is none": ({"operations": [7]}, "is no SHA-256"),
    "a text that is none": ({hashed("{ b }"): 7}, "is no SHA-256"),
    "an MD5": ({"0" * 32: "{ b }"}, "is no SHA-256"),
    "another hash": ({hashed("{ b }"): "{ a { b } }"}, f"{hashed('{ b }')} is not the SHA-256"),
    "a syntax error": (manifest("{"), f"{hashed('{')} cannot be used: Syntax Error"),
    "a field that is not there": (manifest("{ nope }"), f"{hashed('{ nope }')} cannot be used: Cannot query field"),
    "no operation": (manifest("fragment F on Query { b }"), "cannot be used"),
    "too deep": (manifest("{ a " * 13 + "{ b }" + " }" * 13), "cannot be used"),
    "too long": (manifest("{ b }" + " " * 20_000), "longer than 20,000"),
}


@pytest.mark.parametrize(("content", "message"), BROKEN.values(), ids=BROKEN.keys())
def test_a_manifest_that_cannot_be_used_stops_the_start(tmp_path: Path, content: Any, message: str) -> None:
    with pytest.raises(BadInput, match="GRAPHMARK_PERSISTED_DOCUMENTS: ") as refused:
        Documents(SCHEMA, listing(tmp_path, content))
    assert message in refused.value.message


def test_a_missing_manifest_stops_the_start(tmp_path: Path, toy_schema: strawberry.Schema) -> None:
    with pytest.raises(BadInput, match="cannot be read: No such file"):
        create_app(replace(Settings(), persisted_documents=tmp_path / "none.json"), schema=toy_schema)
    with pytest.raises(BadInput, match=r"there is no \*.json"):
        create_app(replace(Settings(), persisted_documents=tmp_path), schema=toy_schema)
    with pytest.raises(BadInput, match="needs a list in GRAPHMARK_PERSISTED_DOCUMENTS"):
        create_app(replace(Settings(), persisted_documents_only=True), schema=toy_schema)


def test_a_listed_introspection_stays_closed_to_whom_it_is_closed(tmp_path: Path) -> None:
    documents = Documents(SCHEMA, listing(tmp_path, manifest(INTROSPECTION)))
    assert documents.prepare("", is_open=True, named=hashed(INTROSPECTION)).errors == []
    (error,) = documents.prepare("", is_open=False, named=hashed(INTROSPECTION)).errors
    assert error.message == CLOSED_MESSAGE


@asynccontextmanager
async def strict(services: Services, schema: strawberry.Schema, folder: Path) -> AsyncIterator[Running]:
    """The application with a list and nothing beside it."""
    (folder / "manifest.json").write_text(json.dumps(manifest("{ hello }", "subscription { count(to: 1) }")))
    settings = replace(services.settings, persisted_documents=folder, persisted_documents_only=True)
    async with serving(replace(services, settings=settings), schema) as running:
        yield running


async def test_only_listed_documents_run(
    services: Services, toy_schema: strawberry.Schema, tmp_path: Path, ada: Person
) -> None:
    unlisted = "{ hello hello }"
    async with strict(services, toy_schema, tmp_path) as server:
        for body in (by_id(HELLO), apollo(HELLO), {"query": HELLO}, {"query": HELLO, **apollo(HELLO)}):
            assert (await post(server, body)).json() == {"data": {"hello": "Hello, world"}}
        for headers in ({}, ada.bearer):
            for body in (by_id(unlisted), {"query": unlisted}, {"query": unlisted, **apollo(unlisted)}):
                answer = await post(server, body, **headers)
                assert (answer.status_code, code_of(answer)) == (400, "FORBIDDEN")
        async with opened(server) as socket:
            await socket.greet()
            await socket.subscribe("1", "subscription { endless }")
            assert (await socket.receive())["payload"][0]["extensions"]["code"] == "FORBIDDEN"
        (_, refused), _ = await everything(server, "subscription { endless }")
        assert refused["errors"][0]["extensions"]["code"] == "FORBIDDEN"
        assert (await server.http.get("/graphql", headers={"accept": "text/html"})).status_code == 200
