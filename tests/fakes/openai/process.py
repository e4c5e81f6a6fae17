"""The stub in a process of its own, for tests that kill what asks it."""

import asyncio
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from tests.fakes.openai.server import Call, Fault

ROOT = Path(__file__).resolve().parents[3]
START_SECONDS = 30.0
ASK_SECONDS = 30.0


@dataclass
class RemoteModels:
    """A stub that runs elsewhere."""

    port: int

    @property
    def base_url(self) -> str:
        """What OPENAI_BASE_URL is set to."""
        return f"http://127.0.0.1:{self.port}/v1"

    async def calls(self) -> list[Call]:
        """Return what was asked up to now."""
        return [Call(**one) for one in await asyncio.to_thread(self._ask, "calls", {})]

    async def forget(self) -> None:
        """Begin anew to write down."""
        await asyncio.to_thread(self._ask, "forget", {})

    async def script(self, faults: Sequence[Fault | None] = (), *, always: Fault | None = None, every: int = 0) -> None:
        """Say what the next calls meet, and what all after them do."""
        await asyncio.to_thread(self._ask, "script", {"script": list(faults), "always": always, "every": every})

    def _ask(self, order: str, told: dict[str, object]) -> list[dict[str, Any]]:
        url = f"http://127.0.0.1:{self.port}/control/{order}"
        with urllib.request.urlopen(url, data=orjson.dumps(told), timeout=ASK_SECONDS) as answer:
            found: list[dict[str, Any]] = orjson.loads(answer.read())
            return found


@asynccontextmanager
async def models_process() -> AsyncIterator[RemoteModels]:
    """Run a stub in a process of its own as long as the block lasts. It ends when its input is closed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.fakes.openai", cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        async with asyncio.timeout(START_SECONDS):
            port = int(await process.stdout.readline())
        yield RemoteModels(port)
    finally:
        process.stdin.close()
        await process.wait()
