"""Installing on machines that offer different things, without a network: the commands are recorded, not run."""

import importlib.util
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from tools import install

Words = tuple[str, ...]


class Machine:
    """A machine on which some commands succeed. `ran` are their first telling words, in order."""

    def __init__(self, succeeds: Callable[[Words, Mapping[str, str]], bool]) -> None:
        self.succeeds = succeeds
        self.ran: list[str] = []

    def attempt(self, command: Sequence[str | Path], *, environment: Mapping[str, str], telling: bool = True) -> bool:
        del telling
        words = tuple(str(word) for word in command)
        self.ran.append(self.name(words, environment))
        return self.succeeds(words, environment)

    @staticmethod
    def name(words: Words, environment: Mapping[str, str]) -> str:
        if "sync" in words:
            return "uv with system certificates" if "UV_SYSTEM_CERTS" in environment else "uv"
        if "--target" in words:
            return "fetch uv"
        if "venv" in words:
            return "venv without pip" if "--without-pip" in words else "venv"
        outer = "outer pip" if "--python" in words else "pip"
        return f"{outer} packages" if "--require-hashes" in words else f"{outer} graphmark"


@pytest.fixture
def on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, list[str]]]:
    """Install on a machine with or without uv and pip; give the exit code and what ran."""
    (tmp_path / ".venv").mkdir()
    monkeypatch.setattr(install, "ROOT", tmp_path)
    monkeypatch.setattr(install, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(install, "say", lambda _line: None)
    monkeypatch.delenv("UV_SYSTEM_CERTS", raising=False)

    def run(*, uv: bool, pip: bool, fails: tuple[str, ...]) -> tuple[int, list[str]]:
        machine = Machine(lambda words, environment: Machine.name(words, environment) not in fails)
        monkeypatch.setattr(install, "attempt", machine.attempt)
        monkeypatch.setattr(shutil, "which", lambda _name: "/usr/bin/uv" if uv else None)
        monkeypatch.setattr(importlib.util, "find_spec", lambda _name: object() if pip else None)
        if not uv and pip and "fetch uv" not in fails:
            (tmp_path / ".tools" / "bin").mkdir(parents=True)
            (tmp_path / ".tools" / "bin" / "uv").touch()
        return install.main(), machine.ran

    return run


Install = Callable[..., tuple[int, list[str]]]


def test_uv_on_the_path_is_all_it_takes(on: Install) -> None:
    assert on(uv=True, pip=False, fails=()) == (0, ["uv"])
    assert (install.VENV / "installed").exists()


def test_a_network_with_certificates_of_its_own_is_tried_next(on: Install) -> None:
    assert on(uv=True, pip=True, fails=("uv",)) == (0, ["uv", "uv with system certificates"])


def test_uv_from_an_earlier_run_is_used_again(on: Install) -> None:
    assert on(uv=False, pip=True, fails=()) == (0, ["uv"])


def test_without_uv_pip_installs_by_hash(on: Install) -> None:
    assert on(uv=False, pip=True, fails=("fetch uv",)) == (0, ["fetch uv", "venv", "pip packages", "pip graphmark"])


def test_without_ensurepip_a_pip_from_outside_fills_the_environment(on: Install) -> None:
    ran = ["fetch uv", "venv", "venv without pip", "outer pip packages", "outer pip graphmark"]
    assert on(uv=False, pip=True, fails=("fetch uv", "venv")) == (0, ran)


def test_with_nothing_at_all_it_fails_and_leaves_no_mark(on: Install) -> None:
    assert on(uv=False, pip=False, fails=("venv",)) == (1, ["venv"])
    assert not (install.VENV / "installed").exists()


def test_a_package_that_does_not_fit_its_hash_fails(on: Install) -> None:
    code, ran = on(uv=True, pip=True, fails=("uv", "uv with system certificates", "pip packages"))
    assert (code, ran[-1]) == (1, "pip packages")


@pytest.mark.usefixtures("on")
def test_an_active_environment_is_not_filled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIRTUAL_ENV", sys.prefix)
    seen: list[Mapping[str, str]] = []

    def with_uv(environment: Mapping[str, str]) -> bool:
        seen.append(environment)
        return True

    monkeypatch.setattr(install, "with_uv", with_uv)
    assert install.main() == 0
    assert "VIRTUAL_ENV" not in seen[0]
