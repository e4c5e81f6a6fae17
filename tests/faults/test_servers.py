"""The API, or the API and the worker, killed while an import runs and is watched."""

import asyncio
import socket
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from db.unit import Database
from kit.settings import Settings
from tests.conftest import empty
from tests.faults.model import Model
from tests.faults.processes import RUNS, Processes, chance_of, until
from tests.make import Maker
from tests.remote import Following, Remote

ROWS = 3_000
PROGRESS = """
subscription ($id: ID!, $after: String) {
  importProgress(importId: $id, after: $after) { cursor resync import { status processed total progress } }
}
"""

pytestmark = pytest.mark.fault


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
    client = Remote(f"127.0.0.1:{server.port}", await maker.session(await maker.user()))
    with Processes(server, tmp_path / "log") as processes:
        running = {name: processes.start(name) for name in ("api", "worker")}
        upload_id = await client.upload(model.text)
        starting = asyncio.create_task(client.start_import(upload_id))
        await asyncio.sleep(chance.uniform(0, 0.05))
        running["api"] = restarted(processes, running["api"], "api")
        progress = Following("importProgress", PROGRESS, {"id": (await starting)["id"]})
        watching = asyncio.create_task(client.follow(progress, is_completed))
        least = chance.randrange(ROWS)
        await until(lambda: has_written(database, least), f"{least} rows written")
        for name in victims:
            running[name] = restarted(processes, running[name], name)
        await watching
    await model.check(database)
    await check_log(database, progress.states)


def is_completed(event: dict[str, Any]) -> bool:
    """Tell whether an event says that the import is complete."""
    return bool(event["import"]["status"] == "COMPLETED")


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
