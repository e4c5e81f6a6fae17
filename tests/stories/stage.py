"""A server, its workers and a small web, all in processes of their own, and somebody who brings a library along."""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from subprocess import Popen
from typing import Any

from db.unit import Database
from kit.settings import PREFIX, Settings
from tests.conftest import empty
from tests.fakes.web.library import Library
from tests.fakes.web.process import RemoteWeb
from tests.faults.processes import Processes
from tests.make import Maker
from tests.remote import Following, Remote

HOST_SPACING_SECONDS = 0.1
IMPATIENT = {
    "ALLOW_PRIVATE_NETWORKS": "127.0.0.0/8",
    "HOST_SPACING_SECONDS": str(HOST_SPACING_SECONDS),
    "FETCH_SILENCE_SECONDS": "2",
    "ARCHIVE_URL": "",
    "LOG_FORMAT": "json",
}
"""Settings under which the local web can be reached and silence does not last; the rest is as shipped."""

AS_SHIPPED = {"TASK_LEASE_SECONDS": "60", "TASK_HEARTBEAT_SECONDS": "15", "TASK_SWEEP_SECONDS": "10"}
"""Where nobody is killed, nobody is taken for dead either because the machine is busy."""

PROGRESS = """
subscription ($id: ID!, $after: String) {
  importProgress(importId: $id, after: $after) {
    cursor resync import { status total processed created merged skipped errors progress }
  }
}
"""
TASKS = """
subscription ($after: String) {
  taskUpdated(after: $after) {
    cursor resync status progress task { id workflow steps { agent status total done failed skipped } }
  }
}
"""
IMPORT = "query ($id: ID!) { import(id: $id) { status total created merged skipped errors workflow { id } } }"
ENDED = frozenset({"COMPLETED", "FAILED", "CANCELLED"})


@dataclass
class Stage:
    """Where a story plays. `workers` are those that run; `tasks` and `progress` what subscriptions have told."""

    database: Database
    web: RemoteWeb
    library: Library
    processes: Processes
    remote: Remote
    workers: list[Popen[bytes]] = field(default_factory=list)
    tasks: Following = field(default_factory=lambda: Following("taskUpdated", TASKS, {}))
    progress: Following = field(default_factory=lambda: Following("importProgress", PROGRESS, {}))

    def add_worker(self) -> Popen[bytes]:
        """Start one more worker."""
        self.workers.append(self.processes.start("worker"))
        return self.workers[-1]

    async def import_library(self, *, patience: float) -> dict[str, Any]:
        """Bring the library in by its file and let agents do all that they do on it, watching; return the import."""
        upload = await self.remote.upload(self.library.file(self.web), patience=patience)
        watching = asyncio.create_task(self.remote.follow(self.tasks, is_over, patience=patience))
        started = await self.remote.start_import(upload, options={"workflow": "FULL_IMPORT"})
        self.progress = Following("importProgress", PROGRESS, {"id": started["id"]})
        await self.remote.follow(self.progress, lambda event: event["import"]["status"] in ENDED, patience=patience)
        await watching
        found: dict[str, Any] = (await self.remote.ask(IMPORT, id=started["id"]))["import"]
        return found


def is_over(event: dict[str, Any]) -> bool:
    """Tell whether an event of `taskUpdated` is the last one of a workflow."""
    return event["status"] in ENDED and event["task"]["workflow"] != "IMPORT"


def environment_of(web: RemoteWeb, settings: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return variables under which processes reach the local web; `settings` come on top."""
    chosen = {PREFIX + name: value for name, value in (IMPATIENT | dict(settings or {})).items()}
    return {**chosen, "SSL_CERT_FILE": str(web.authority)}


@asynccontextmanager
async def staged(
    database: Database,
    settings: Settings,
    folder: Path,
    web: RemoteWeb,
    library: Library,
    *,
    workers: int = 2,
    environment: Mapping[str, str] | None = None,
) -> AsyncIterator[Stage]:
    """Empty the database, start an API and workers, and open an account. `environment` are further settings."""
    await empty(database)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    maker = Maker(database)
    async with AsyncExitStack() as stack:
        placed = replace(settings, port=port, data_dir=folder / "data")
        processes = stack.enter_context(
            Processes(placed, folder / "log", environment_of(web, AS_SHIPPED | dict(environment or {})))
        )
        token = await maker.session(await maker.user())
        stage = Stage(database, web, library, processes, Remote(f"127.0.0.1:{port}", token))
        processes.start("api")
        for _ in range(workers):
            stage.add_worker()
        yield stage
