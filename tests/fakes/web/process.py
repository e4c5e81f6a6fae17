"""The local web in a process of its own, so that it does not share the processor's time with who asks."""

import asyncio
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlencode

import orjson

from tests.fakes.web.addresses import Addresses
from tests.fakes.web.journal import Asked, Journal

ROOT = Path(__file__).resolve().parents[3]
START_SECONDS = 30.0
STOP_SECONDS = 10.0
ASK_SECONDS = 30.0


class RemoteWeb(Addresses):
    """A local web that runs elsewhere."""

    def __init__(self, ports: dict[str, int], authority: Path) -> None:
        super().__init__(ports)
        self.authority = authority

    async def journal(self) -> Journal:
        """Return what was asked up to now."""
        return await asyncio.to_thread(self._ask, "/journal")

    async def forget(self) -> None:
        """Begin the journal anew."""
        await asyncio.to_thread(self._ask, "/forget")

    async def switch(self, **to: str) -> None:
        """Say what becomes of pages, by their paths without the slash; what is not named is as in the beginning."""
        query = urlencode({f"/{path}": state for path, state in to.items()})
        await asyncio.to_thread(self._ask, f"/switch?{query}")

    def _ask(self, target: str) -> Journal:
        with urllib.request.urlopen(self.control + target, timeout=ASK_SECONDS) as answer:  # noqa: S310  our own http
            return Journal(Asked(**one) for one in orjson.loads(answer.read())["asked"])


@asynccontextmanager
async def web_process(folder: Path, *, delay_seconds: float = 0.0) -> AsyncIterator[RemoteWeb]:
    """Run a local web in a process of its own as long as the block lasts."""
    port_file = folder / "web.json"
    process = subprocess.Popen(  # noqa: ASYNC220, S603  our own interpreter and module
        [sys.executable, "-m", "tests.fakes.web", f"--port-file={port_file}", f"--delay-seconds={delay_seconds}"],
        cwd=ROOT,
    )
    try:
        async with asyncio.timeout(START_SECONDS):
            while not port_file.exists():
                assert process.poll() is None, "the local web ended before it began"
                await asyncio.sleep(0.02)
        told = orjson.loads(port_file.read_bytes())
        yield RemoteWeb(told["ports"], Path(told["authority"]))
    finally:
        process.terminate()
        try:
            await asyncio.to_thread(process.wait, STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
