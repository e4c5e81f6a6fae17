"""What was measured: the versions of everything whose speed is part of a figure, and the kind of machine."""

import os
import platform
import subprocess
from importlib.metadata import version
from typing import Any, Final

import asyncpg
import psutil

from benchmarks.peers.node import node, package_version
from benchmarks.peers.servers import CannotStartError

_PYTHON: Final = (
    "graphmark",
    "strawberry-graphql",
    "litestar",
    "uvicorn",
    "uvloop",
    "httptools",
    "websockets",
    "asyncpg",
)
_PYTHON_MORE: Final = ("orjson", "graphql-core", "httpx2", "httpx", "aiohttp", "taskiq", "taskiq-redis")
_NODE: Final = ("mercurius", "graphql-jit", "graphql-yoga", "postgraphile", "pg", "fastify", "graphql", "linkinator")


async def versions(dsn: str) -> dict[str, str]:
    """Return the versions by name: of Python, PostgreSQL at `dsn`, Node.js, and of packages that are installed."""
    connection = await asyncpg.connect(dsn)
    try:
        postgres: str = await connection.fetchval("SHOW server_version")
    finally:
        await connection.close()
    found = {"Python": platform.python_version(), "PostgreSQL": postgres.partition(" ")[0]}
    found |= {name: version(name) for name in (*_PYTHON, *_PYTHON_MORE)}
    peers = {name: package_version(name) for name in _NODE}
    if any(peers.values()):
        found |= {"Node.js": _node_version(), **{name: said for name, said in peers.items() if said}}
    return found


def machine() -> dict[str, Any]:
    """Return what kind of machine this is and how busy it is: processes that wanted to run, over the last minute."""
    return {
        "system": platform.system(),
        "processors": os.cpu_count(),
        "architecture": platform.machine(),
        "memoryGiB": round(psutil.virtual_memory().total / 2**30),
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 2),
    }


def _node_version() -> str:
    try:
        said = subprocess.run([node(), "--version"], check=False, capture_output=True, text=True)  # noqa: S603  see node
    except CannotStartError:
        return ""
    return said.stdout.strip().removeprefix("v")
