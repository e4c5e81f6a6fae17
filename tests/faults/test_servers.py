"""The API, or the API and the worker, killed while an import runs and is watched."""

import asyncio
import contextlib
import socket
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from db.unit import Database
from kit.settings import Settings
from tests.conftest import empty
from tests.faults.model import Model
from tests.faults.processes import LONGEST_SECONDS, RUNS, Processes, chance_of, until
from tests.make import Maker

ROWS = 3_000
AWAY = (OSError, httpx.HTTPError, WebSocketException, EOFError)
UPLOAD = "mutation ($file: Upload!) { uploadImport(input: {file: $file}) { upload { id } userErrors { message } } }"
START = """
mutation ($id: ID!, $key: String!) {
  startImport(input: {uploadId: $id, idempotencyKey: $key}) { import { id } userErrors { message } }
}
"""
PROGRESS = """
subscription ($id: ID!, $after: String) {
  importProgress(importId: $id, after: $after) { cursor resync import { status processed total progress } }
}
"""

pytestmark = pytest.mark.fault


@dataclass
class Client:
    """Somebody who does not give up: every request is repeated until it is answered."""

    address: str
    token: str
    states: list[dict[str, Any]] = field(default_factory=list)

    async def post(self, **request: Any) -> Any:
        """Send a request until there is an answer, and return its data."""
        headers = {"Authorization": f"Bearer {self.token}", "GraphQL-Require-Preflight": "1"}
        async with asyncio.timeout(LONGEST_SECONDS), httpx.AsyncClient(timeout=10) as client:
            while True:
                with contextlib.suppress(*AWAY):
                    answer = await client.post(f"http://{self.address}/graphql", headers=headers, **request)
                    body = answer.json()
                    assert "errors" not in body, body
                    return body["data"]
                await asyncio.sleep(0.05)

    async def upload(self, text: str) -> str:
        """Upload a file and return its id."""
        operations = orjson.dumps({"query": UPLOAD, "variables": {"file": None}}).decode()
        form = {"operations": operations, "map": '{"0": ["variables.file"]}'}
        answer = await self.post(data=form, files={"0": ("bookmarks.html", text.encode(), "text/html")})
        return str(answer["uploadImport"]["upload"]["id"])

    async def start(self, upload_id: str) -> str:
        """Start the import and return its id; the key makes repeating it safe."""
        answer = await self.post(json={"query": START, "variables": {"id": upload_id, "key": "only-once"}})
        assert answer["startImport"]["userErrors"] == []
        return str(answer["startImport"]["import"]["id"])

    async def watch(self, import_id: str) -> None:
        """Follow the import to its end; after every break go on behind the last state that was seen."""
        async with asyncio.timeout(LONGEST_SECONDS):
            while not self.states or self.states[-1]["import"]["status"] != "COMPLETED":
                with contextlib.suppress(*AWAY):
                    async for state in self._states(import_id):
                        self.states.append(state)
                await asyncio.sleep(0.05)

    async def _states(self, import_id: str) -> AsyncIterator[dict[str, Any]]:
        after = self.states[-1]["cursor"] if self.states else None
        async with connect(f"ws://{self.address}/graphql", subprotocols=["graphql-transport-ws"]) as socket_:  # type: ignore[list-item]  # it is text
            hello = {"type": "connection_init", "payload": {"authorization": f"Bearer {self.token}"}}
            await socket_.send(orjson.dumps(hello).decode())
            assert orjson.loads(await socket_.recv())["type"] == "connection_ack"
            payload = {"query": PROGRESS, "variables": {"id": import_id, "after": after}}
            await socket_.send(orjson.dumps({"id": "1", "type": "subscribe", "payload": payload}).decode())
            async for text in socket_:
                message = orjson.loads(text)
                if message["type"] == "complete":
                    return
                if message["type"] == "next":
                    assert "errors" not in message["payload"], message
                    yield message["payload"]["data"]["importProgress"]


@pytest.fixture
def server(settings: Settings, tmp_path: Path) -> Settings:
    """Settings of a server with a port that is free."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return replace(settings, port=listening.getsockname()[1], data_dir=tmp_path / "data")


@pytest.mark.parametrize("run", range(RUNS))
@pytest.mark.parametrize("victims", [("api",), ("api", "worker")], ids=["api", "both"])
async def test_a_killed_server_leaves_no_gap(
    database: Database, server: Settings, tmp_path: Path, victims: tuple[str, ...], run: int
) -> None:
    """F3, F19: one import however often it was asked for, a whole library, a log without gap or repeat."""
    seed, chance = chance_of(run)
    model = Model(seed, ROWS)
    await empty(database)
    maker = Maker(database)
    client = Client(f"127.0.0.1:{server.port}", await maker.session(await maker.user()))
    with Processes(server, tmp_path / "log") as processes:
        running = {name: processes.start(name) for name in ("api", "worker")}
        upload_id = await client.upload(model.text)
        starting = asyncio.create_task(client.start(upload_id))
        await asyncio.sleep(chance.uniform(0, 0.05))
        running["api"] = restarted(processes, running["api"], "api")
        import_id = await starting
        watching = asyncio.create_task(client.watch(import_id))
        least = chance.randrange(ROWS)
        await until(lambda: has_written(database, least), f"{least} rows written")
        for name in victims:
            running[name] = restarted(processes, running[name], name)
        await watching
    await model.check(database)
    await check_log(database, client.states)


def restarted(processes: Processes, process: "subprocess.Popen[bytes]", name: str) -> "subprocess.Popen[bytes]":
    """Kill a process and start another of its kind."""
    processes.kill(process)
    return processes.start(name)


async def has_written(database: Database, rows: int) -> bool:
    """Tell whether so many rows have met their fate."""
    written = await database.fetchval("SELECT sum(created + merged + skipped + errors) FROM imports")
    return int(written or 0) >= rows


async def check_log(database: Database, states: list[dict[str, Any]]) -> None:
    """Assert that a client saw each event behind its first state exactly once and in order, and nothing going back."""
    found = await database.fetch("SELECT payload FROM events WHERE topic = 'import.progress' ORDER BY seq")
    happened = [
        (
            row["payload"]["status"],
            sum(row["payload"][name] for name in ("created", "merged", "skipped", "errors")),
        )
        for row in found
    ]
    seen = [(state["import"]["status"], state["import"]["processed"]) for state in states]
    assert not any(state["resync"] for state in states)
    assert len({state["cursor"] for state in states}) == len(states)
    assert seen == happened[len(happened) - len(seen) :]
    processed = [number for _, number in seen]
    assert processed == sorted(processed)
    assert processed[-1] == ROWS
    shares = [state["import"]["progress"] for state in states]
    assert shares == sorted(shares)
