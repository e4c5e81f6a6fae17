"""What graphql-cop looks for, one test for each of its checks, anonymous and with the settings of production.

The requests are those that the tool sends (`Accept: */*`, the operation name `cop`), on the product's own schema.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
import pytest_asyncio

from kit.settings import Settings, Toggle
from resolvers.context import Services
from tests.app.graphql.toy import Running, serving
from tests.client import the_schema

ANY = {"accept": "*/*"}
PAGE_MARKS = ("graphiql.min.css", "GraphQL Playground", "GraphiQL", "graphql-playground")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Settings as docs/operations.md advises for a server on the internet."""
    return replace(settings, graphiql=Toggle.SIGNED_IN, introspection=Toggle.SIGNED_IN)


@pytest_asyncio.fixture(loop_scope="session")
async def server(services: Services) -> AsyncIterator[Running]:
    """The product."""
    async with serving(services, the_schema()) as running:
        yield running


async def post(server: Running, query: Any) -> httpx.Response:
    return await server.http.post("/graphql", json={"query": query, "operationName": "cop"}, headers=ANY)


async def test_it_is_the_product_that_is_probed(server: Running) -> None:
    assert (await post(server, "query cop { __typename }")).json() == {"data": {"__typename": "Query"}}


async def test_alias_overloading(server: Running) -> None:
    answer = await post(server, "query cop { " + " ".join(f"alias{n}:__typename" for n in range(101)) + " }")
    assert "data" not in answer.json()


async def test_array_based_batching(server: Running) -> None:
    batch = [{"query": "query cop { __typename }", "operationName": "cop"}] * 10
    answer = await server.http.post("/graphql", json=batch, headers=ANY)
    assert answer.status_code == 400
    assert len(answer.json()["errors"]) == 1


async def test_circular_introspection(server: Running) -> None:
    inner = "fields { type " + "{ fields { type " * 4 + "{ name }" + " } }" * 4 + " }"
    answer = await post(server, f"query cop {{ __schema {{ types {{ {inner} }} }} }}")
    assert "data" not in answer.json()


async def test_directive_overloading(server: Running) -> None:
    answer = await post(server, "query cop { __typename " + "@aa" * 10 + " }")
    assert len(answer.json()["errors"]) == 1


async def test_field_duplication(server: Running) -> None:
    answer = await post(server, "query cop { " + "__typename \n" * 500 + "}")
    assert "data" not in answer.json()


@pytest.mark.parametrize("query", ["query cop { __schema { directive } }", "query cop { viewr { id } }"])
async def test_field_suggestions(server: Running, query: str) -> None:
    answer = await post(server, query)
    assert "errors" in answer.json()
    assert "did you mean" not in answer.text.lower()


@pytest.mark.parametrize(
    "query",
    [
        'mutation cop { login(input: {email: "a@example.org", pasword: "x"}) { userErrors { code } } }',
        "query cop { node(idd: 1) { id } }",
        "query cop { viewer { ... on Usr { id } } }",
    ],
)
async def test_suggestions_for_arguments_and_types(server: Running, query: str) -> None:
    assert "did you mean" not in (await post(server, query)).text.lower()


@pytest.mark.parametrize("kind", ["query", "mutation"])
async def test_operations_by_get(server: Running, kind: str) -> None:
    answer = await server.http.get("/graphql", params={"query": f"{kind} cop {{ __typename }}"}, headers=ANY)
    assert answer.status_code in {405, 406}
    assert "data" not in answer.json()


@pytest.mark.parametrize(
    "path", ["/graphql", "/graphiql", "/graphiql/", "/graphiql/index.html", "/playground", "/console"]
)
@pytest.mark.parametrize("accept", ["text/html", "*/*", "text/html,application/xhtml+xml,*/*;q=0.8"])
async def test_a_page_to_explore_with(server: Running, path: str, accept: str) -> None:
    answer = await server.http.get(path, headers={"accept": accept})
    assert answer.status_code in {404, 406}
    assert not [mark for mark in PAGE_MARKS if mark in answer.text]


@pytest.mark.parametrize(
    "query", ["query cop { __schema { types { name } } }", 'query cop { __type(name: "User") { name } }']
)
async def test_introspection(server: Running, query: str) -> None:
    assert "data" not in (await post(server, query)).json()


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_forms_of_foreign_pages(server: Running, method: str) -> None:
    form = {"query": "query cop { __typename }"}
    answer = await server.http.request(method, "/graphql", data=form, headers=ANY)
    assert answer.status_code in {406, 415}
    assert "data" not in answer.json()


async def test_tracing(server: Running) -> None:
    answer = await post(server, "query cop { __typename }")
    assert set(answer.json()) == {"data"}
    refused = await post(server, "query cop { nope }")
    assert set(refused.json()["errors"][0]["extensions"]) == {"code", "requestId"}


async def test_unhandled_errors(server: Running) -> None:
    answer = await post(server, "qwerty cop { abc }")
    (error,) = answer.json()["errors"]
    assert answer.status_code < 500
    assert (error["extensions"]["code"], "exception" in answer.text.lower()) == ("BAD_USER_INPUT", False)


async def test_every_answer_carries_the_protective_headers(server: Running) -> None:
    for answer in (
        await post(server, "query cop { __typename }"),
        await server.http.get("/graphql", headers={"accept": "text/html"}),
        await server.http.get("/health/live"),
        await server.http.get("/health/ready"),
        await server.http.get("/metrics"),
        await server.http.get("/nowhere"),
        await server.http.delete("/health/live"),
    ):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "server" not in answer.headers
        assert not [name for name in answer.headers if name.startswith("access-control")]
