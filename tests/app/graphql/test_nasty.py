"""Every nasty request is answered with a code, by the product as it is set for production, on every way in."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace

import orjson
import pytest
import pytest_asyncio
import websockets

from kit.settings import Settings
from resolvers.context import Services
from tests.app.graphql.conftest import Person
from tests.app.graphql.nasty import BODIES
from tests.app.graphql.toy import Running, serving
from tests.client import the_schema

MOST_BYTES = 16_384
MESSAGE_BYTES = 65_536


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Settings of production, but for the requests that this asks for in a minute."""
    return replace(Settings(), data_dir=settings.data_dir, database_url=settings.database_url, port=0)


@pytest_asyncio.fixture(loop_scope="session")
async def product(services: Services) -> AsyncIterator[Running]:
    """The product, not the small schema."""
    async with serving(services, the_schema()) as running:
        yield running


async def test_each_has_its_code_for_somebody(product: Running, ada: Person) -> None:
    wrong = {}
    for name, nasty in BODIES.items():
        headers = {**ada.bearer, "content-type": "application/json"}
        answer = await product.http.post("/graphql", content=nasty.body, headers=headers)
        codes = [error["extensions"]["code"] for error in answer.json()["errors"]]
        if codes[0] != nasty.code or len(codes) > 50 or answer.status_code >= 500 or len(answer.content) > MOST_BYTES:
            wrong[name] = (answer.status_code, codes[:3], len(codes), answer.text[:300])
    assert wrong == {}


async def test_each_has_a_code_for_nobody_and_no_hint(product: Running) -> None:
    wrong = {}
    for name, nasty in BODIES.items():
        answer = await product.http.post(
            "/graphql", content=nasty.body, headers={"content-type": "application/json", "accept": "*/*"}
        )
        codes = {error["extensions"]["code"] for error in answer.json().get("errors", [])}
        told = answer.text.lower()
        if answer.status_code >= 500 or "INTERNAL" in codes or "did you mean" in told or "traceback" in told:
            wrong[name] = (answer.status_code, codes, told[:300])
    assert wrong == {}


async def test_each_has_its_code_on_a_socket(product: Running, ada: Person) -> None:
    wrong = {}
    async with websockets.connect(
        product.websocket_url, subprotocols=[websockets.Subprotocol("graphql-transport-ws")]
    ) as socket:
        await socket.send(json.dumps({"type": "connection_init", "payload": {"Authorization": f"Bearer {ada.token}"}}))
        await socket.recv()
        for name, nasty in BODIES.items():
            try:
                payload = orjson.loads(nasty.body)
            except orjson.JSONDecodeError:
                continue  # the protocol ends there, see test_websocket
            message = orjson.dumps({"type": "subscribe", "id": name, "payload": payload}).decode()
            if not isinstance(payload, dict) or len(message.encode()) > MESSAGE_BYTES:
                continue
            await socket.send(message)
            answer = json.loads(await socket.recv())
            errors = answer["payload"]["errors"] if answer["type"] == "next" else answer["payload"]
            if errors[0]["extensions"]["code"] != nasty.code:
                wrong[name] = errors[0]
            if answer["type"] == "next":
                await socket.recv()  # complete
    assert wrong == {}
