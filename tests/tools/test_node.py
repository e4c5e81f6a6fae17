"""Building the web folder: only when it is due, with whichever Node there is."""

import os
import shutil
from pathlib import Path

import pytest

from tools import node


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with sources, in a checkout of its own."""
    monkeypatch.setattr(node, "ROOT", tmp_path)
    monkeypatch.setattr(node, "say", lambda _line: None)
    (tmp_path / "web" / "src").mkdir(parents=True)
    for name in ("package.json", "package-lock.json", "src/main.ts"):
        (tmp_path / "web" / name).write_text("{}")
    return tmp_path / "web"


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch, folder: Path) -> list[str]:
    """Record what npm is asked to do, and leave behind what it would."""
    asked: list[str] = []

    def attempt(command: list[str], **_: object) -> bool:
        asked.append(command[1])
        if command[1] == "ci":
            (folder / "node_modules").mkdir(exist_ok=True)
            (folder / "node_modules" / ".package-lock.json").touch()
        else:
            (folder / "dist").mkdir(exist_ok=True)
        return True

    monkeypatch.setattr(node, "attempt", attempt)
    monkeypatch.setattr(node, "found_npm", lambda: node.Npm(("npm",), {}))
    return asked


def test_a_build_is_made_once_and_again_after_a_change(folder: Path, ran: list[str]) -> None:
    assert [node.main(["build", "web"]) for _ in range(2)] == [0, 0]
    assert ran == ["ci", "run"]
    later = (folder / "dist" / ".built").stat().st_mtime + 1
    os.utime(folder / "src" / "main.ts", (later, later))
    assert node.main(["build", "web"]) == 0
    assert ran == ["ci", "run", "run"]


def test_a_new_lock_file_installs_again(folder: Path, ran: list[str]) -> None:
    assert node.main(["install", "web"]) == 0
    later = (folder / "node_modules" / ".package-lock.json").stat().st_mtime + 1
    os.utime(folder / "package-lock.json", (later, later))
    assert node.main(["install", "web"]) == 0
    assert ran == ["ci", "ci"]


def test_a_failed_build_is_tried_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node, "attempt", lambda *_, **__: False)
    monkeypatch.setattr(node, "found_npm", lambda: node.Npm(("npm",), {}))
    assert node.main(["build", "web"]) == 1
    assert not (folder / "dist").exists()


@pytest.mark.usefixtures("folder")
def test_without_any_node_it_fails_quietly_and_a_folder_that_is_not_there_is_fine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(node, "found_npm", lambda: None)
    assert node.main(["build", "web"]) == 1
    assert node.main(["build", "elsewhere"]) == 0
    assert node.main(["polish", "web"]) == 2


def test_an_old_node_gives_way_to_the_one_from_the_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(node, "node_version", lambda _node: (18, 20))
    npm = node.found_npm()
    assert npm is not None
    assert Path(npm.command[0]).is_file()
    assert Path(npm.command[1]).is_file()
    assert npm.environment["PATH"].startswith(str(Path(npm.command[0]).parent))
    monkeypatch.setattr(node, "node_version", lambda _node: (20, 19))
    assert (node.found_npm() or npm).command == ("/usr/bin/npm",)


def test_the_version_of_a_node_is_read(tmp_path: Path) -> None:
    fake = tmp_path / "node"
    for said, version in (("v24.1.2", (24, 1)), ("nonsense", (0,))):
        fake.write_text(f"#!/bin/sh\necho {said}\n")
        fake.chmod(0o700)
        assert node.node_version(str(fake)) == version
