"""Installs the locked Python packages into .venv, by whichever way this machine offers.

1. uv from PATH, or from .tools where pip can put it: fast, and needs neither python3-venv nor ensurepip.
2. The same with the system's certificates, for networks with a certificate authority of their own.
3. pip with the hashes of requirements.txt, which is uv.lock exported.

The order, and the second way, are measured: docs/decisions tell why.
"""

import importlib.util
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # run as a script, before anything is installed

from tools.console import ROOT, attempt, say

VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
UV = "uv>=0.9,<1"
HELP = "Install uv, or pip with the venv module (Debian and Ubuntu: apt install python3-venv), then try again."


def main() -> int:
    """Install; 0 when done, 1 with one clear line when no way worked."""
    environment = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}
    environment.pop("VIRTUAL_ENV", None)  # an environment that happens to be active is not ours to fill
    if not (with_uv(environment) or with_pip(environment)):
        say(f"Could not install the Python packages. {HELP}")
        return 1
    (VENV / "installed").touch()
    return 0


def with_uv(environment: Mapping[str, str]) -> bool:
    """Install with uv, fetching uv itself where it is missing."""
    uv = shutil.which("uv") or fetched_uv(environment)
    if uv is None:
        return False
    say("Installing the Python packages (uv) …")
    command = [uv, "sync", "--frozen", "--quiet", "--no-python-downloads", "--python", sys.executable]
    certificates = {**environment, "UV_SYSTEM_CERTS": "1"}
    return attempt(command, environment=environment, telling=False) or attempt(command, environment=certificates)


def fetched_uv(environment: Mapping[str, str]) -> str | None:
    """Return uv in .tools, putting it there with pip; None when that cannot be done."""
    uv = ROOT / ".tools" / "bin" / "uv"
    if not uv.exists():
        if importlib.util.find_spec("pip") is None:
            return None
        say("Fetching uv …")
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(ROOT / ".tools"), UV]
        attempt(pip, environment=environment, telling=False)
    return str(uv) if uv.exists() else None


def with_pip(environment: Mapping[str, str]) -> bool:
    """Install with pip, every file checked against its hash."""
    pip = made_environment(environment)
    if pip is None:
        return False
    say("Installing the Python packages (pip, this takes some minutes) …")
    locked = [*pip, "install", "--quiet", "--require-hashes", "--no-deps", "-r", "requirements.txt"]
    itself = [*pip, "install", "--quiet", "--no-deps", "--no-build-isolation", "-e", "."]
    return attempt(locked, environment=environment) and attempt(itself, environment=environment)


def made_environment(environment: Mapping[str, str]) -> list[str] | None:
    """Make .venv and return the command of a pip that installs into it; None when there is no pip."""
    if attempt([sys.executable, "-m", "venv", "--clear", str(VENV)], environment=environment, telling=False):
        return [str(PYTHON), "-m", "pip"]
    if importlib.util.find_spec("pip") is None:
        return None
    # Debian without python3-venv: no ensurepip, but a pip from outside can fill an environment that has none.
    bare = [sys.executable, "-m", "venv", "--clear", "--without-pip", str(VENV)]
    return [sys.executable, "-m", "pip", "--python", str(PYTHON)] if attempt(bare, environment=environment) else None


if __name__ == "__main__":
    sys.exit(main())
