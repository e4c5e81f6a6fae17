"""Real processes of Graphmark, to be killed."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from kit.settings import Settings, environment_with

ROOT = Path(__file__).resolve().parents[2]
RUNS = int(os.environ.get("GRAPHMARK_FAULT_RUNS", "2"))
"""How often each fault is tried; 20 is what a release asks for."""

FIRST_SEED = int(os.environ.get("GRAPHMARK_FAULT_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
"""Where the seeds of this run begin; each test prints its own, and setting it repeats a failure."""

LEASE_SECONDS = 2.0
LONGEST_SECONDS = 60.0


def chance_of(run: int) -> tuple[int, random.Random]:
    """Return the seed of a run, and a generator that begins with it. It is printed: pytest shows it on failure."""
    seed = FIRST_SEED + run
    print(f"GRAPHMARK_FAULT_SEED={seed}")  # noqa: T201  see above
    return seed, random.Random(seed)


@dataclass
class Processes:
    """Starts `python -m app …` on one database and data folder, and ends whatever still runs at the end.

    `also` are further variables of their environment.
    """

    settings: Settings
    log: Path
    also: Mapping[str, str] = field(default_factory=dict)
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.running:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.wait()

    def start(self, *command: str, module: str = "app", **more: str) -> subprocess.Popen[bytes]:
        """Start a command of Graphmark, or another module; `more` are settings."""
        environment = environment_with(
            DATABASE_URL=self.settings.database_url or "",
            DATA_DIR=str(self.settings.data_dir),
            PORT=str(self.settings.port),
            TASK_LEASE_SECONDS=str(LEASE_SECONDS),
            TASK_HEARTBEAT_SECONDS="0.5",
            TASK_SWEEP_SECONDS="0.5",
            IMPORT_CHUNK_ROWS="100",
            IMPORT_WORKFLOW=self.settings.import_workflow.value,
            NEW_BOOKMARK_WORKFLOW=self.settings.new_bookmark_workflow.value,
            **more,
        )
        with self.log.open("ab") as log:
            process = subprocess.Popen(  # noqa: S603  our own words
                [sys.executable, "-m", module, *command],
                cwd=ROOT,
                env={**environment, **self.also},
                stdout=log,
                stderr=log,
            )
        self.running.append(process)
        return process

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """End a process as a power cut would."""
        process.kill()
        process.wait()


async def until(condition: Callable[[], object], what: str, seconds: float = LONGEST_SECONDS) -> None:
    """Wait until `condition()`, a function or a coroutine function, is true; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if asyncio.iscoroutine(found):
            found = await found
        if found:
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"after {seconds} s still not: {what}")
