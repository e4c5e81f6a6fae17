"""The server as processes of its own on the test's database, and a browser to look at it."""

import asyncio
import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import pytest_asyncio

from db.unit import Database
from tests.e2e.browser import Page, open_page
from tests.house.project import ROOT
from tests.needs import missing, program

READY_SECONDS = 60.0
STOP_SECONDS = 20.0
PAGE = ROOT / "web" / "dist" / "graphiql" / "index.html"


@pytest.fixture
def origin(database: Database, dsn: str, tmp_path: Path) -> Iterator[str]:  # noqa: ARG001  empties the database
    """Where an API and a worker of their own serve the empty database."""
    environment = {
        "PATH": os.environ["PATH"],
        "GRAPHMARK_DATABASE_URL": dsn,
        "GRAPHMARK_DATA_DIR": str(tmp_path / "data"),
        "GRAPHMARK_LOG_FORMAT": "json",
        # Agents work when a test says so, and reach nothing but this machine.
        "GRAPHMARK_IMPORT_WORKFLOW": "none",
        "GRAPHMARK_NEW_BOOKMARK_WORKFLOW": "none",
        "GRAPHMARK_ALLOW_PRIVATE_NETWORKS": "127.0.0.0/8",
        "GRAPHMARK_HOST_SPACING_SECONDS": "0.1",
        "GRAPHMARK_ARCHIVE_URL": "",
    }
    with ExitStack() as stack:
        listening = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        log = stack.enter_context((tmp_path / "server.log").open("wb"))
        for words in (["api", "--socket", str(listening.fileno())], ["worker"]):
            process = subprocess.Popen(  # noqa: S603  our own interpreter and package
                [sys.executable, "-m", "app", *words],
                cwd=ROOT,
                env=environment,
                stdout=log,
                stderr=log,
                pass_fds=[listening.fileno()],
            )
            stack.callback(_end, process)
        port = listening.getsockname()[1]
        _wait_until_ready(port, tmp_path / "server.log")
        yield f"http://127.0.0.1:{port}"


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait_until_ready(port: int, log: Path) -> None:
    """Ask until the API says that it is ready. The socket listens already, so the first answer is the right moment."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=READY_SECONDS)
        try:
            connection.request("GET", "/health/ready")
            if connection.getresponse().status == http.client.OK:
                return
        finally:
            connection.close()
    raise AssertionError(f"the server did not become ready:\n{log.read_text()[-4000:]}")


@pytest_asyncio.fixture(loop_scope="session")
async def page(tmp_path: Path) -> AsyncIterator[Page]:
    """An empty tab of a headless Chromium; needs one, and the built page."""
    chromium = program("browser", "chromium", "chromium-browser", "google-chrome")
    if not await asyncio.to_thread(PAGE.exists):
        missing("browser", "the GraphiQL page is not built (make web)")
    async with open_page(chromium, tmp_path / "profile") as opened:
        yield opened
