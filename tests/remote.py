"""A client of a running server who does not give up: every request is repeated until it is answered."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

AWAY = (OSError, httpx.HTTPError, WebSocketException, EOFError)
LONGEST_SECONDS = 60.0
PAUSE_SECONDS = 0.05
UPLOAD = "mutation ($file: Upload!) { uploadImport(input: {file: $file}) { upload { id } userErrors { message } } }"
START = """
mutation ($input: StartImportInput!) {
  startImport(input: $input) { import { id task { id } } userErrors { message } }
}
"""


@dataclass
class Following:
    """What a subscription has told up to now: the value of its field for each event, in their order."""

    name: str
    document: str
    variables: dict[str, Any]
    states: list[dict[str, Any]] = field(default_factory=list)

    @property
    def cursor(self) -> str | None:
        """Where to go on."""
        return self.states[-1]["cursor"] if self.states else None


@dataclass
class Remote:
    """Somebody with a session token, who asks the server at `address` (host and port)."""

    address: str
    token: str

    async def post(self, *, patience: float = LONGEST_SECONDS, **request: Any) -> Any:
        """Send a request until there is an answer, and return its data."""
        headers = {"Authorization": f"Bearer {self.token}", "GraphQL-Require-Preflight": "1"}
        async with asyncio.timeout(patience), httpx.AsyncClient(timeout=10) as client:
            while True:
                with contextlib.suppress(*AWAY):
                    answer = await client.post(f"http://{self.address}/graphql", headers=headers, **request)
                    body = answer.json()
                    assert "errors" not in body, body
                    return body["data"]
                await asyncio.sleep(PAUSE_SECONDS)

    async def ask(self, document: str, **variables: Any) -> Any:
        """Return the data of a document."""
        return await self.post(json={"query": document, "variables": variables})

    async def act(self, document: str, **given: Any) -> Any:
        """Run a mutation that must not be refused; return its payload."""
        (payload,) = (await self.ask(document, input=given)).values()
        assert payload["userErrors"] == [], payload
        return payload

    async def upload(self, text: str, *, patience: float = LONGEST_SECONDS) -> str:
        """Upload a bookmark file and return its id."""
        operations = orjson.dumps({"query": UPLOAD, "variables": {"file": None}}).decode()
        form = {"operations": operations, "map": '{"0": ["variables.file"]}'}
        files = {"0": ("bookmarks.html", text.encode(), "text/html")}
        answer = await self.post(patience=patience, data=form, files=files)
        return str(answer["uploadImport"]["upload"]["id"])

    async def start_import(self, upload_id: str, **options: Any) -> dict[str, Any]:
        """Start an import and return it; the key makes repeating it safe."""
        given = {"uploadId": upload_id, "idempotencyKey": f"only-once-{upload_id}", **options}
        started: dict[str, Any] = (await self.act(START, **given))["import"]
        return started

    async def follow(
        self, what: Following, is_over: Callable[[dict[str, Any]], bool], *, patience: float = LONGEST_SECONDS
    ) -> None:
        """Follow until an event says that it is over; after every break go on behind the last one that was seen."""
        async with asyncio.timeout(patience):
            while not what.states or not is_over(what.states[-1]):
                with contextlib.suppress(*AWAY):
                    async for state in self._events(what):
                        what.states.append(state)
                        if is_over(state):
                            return
                await asyncio.sleep(PAUSE_SECONDS)

    async def _events(self, what: Following) -> AsyncIterator[dict[str, Any]]:
        async with connect(f"ws://{self.address}/graphql", subprotocols=["graphql-transport-ws"]) as socket_:  # type: ignore[list-item]  # it is text
            hello = {"type": "connection_init", "payload": {"authorization": f"Bearer {self.token}"}}
            await socket_.send(orjson.dumps(hello).decode())
            assert orjson.loads(await socket_.recv())["type"] == "connection_ack"
            payload = {"query": what.document, "variables": {**what.variables, "after": what.cursor}}
            await socket_.send(orjson.dumps({"id": "1", "type": "subscribe", "payload": payload}).decode())
            async for text in socket_:
                message = orjson.loads(text)
                if message["type"] == "complete":
                    return
                if message["type"] == "next":
                    assert "errors" not in message["payload"], message
                    yield message["payload"]["data"][what.name]
