"""One noun, one name, in every layer; and nothing lies beside the layers unnoticed."""

import tomllib
from pathlib import Path

import pytest

from tests.house.project import DOMAINS, INFRASTRUCTURE, LAYERS, ROOT, python_files, tracked_files

TOP_LEVEL_FOLDERS = {*LAYERS, ".ci", "benchmarks", "docs", "tests", "tools", "web"}


@pytest.mark.parametrize("folder", INFRASTRUCTURE)
def test_a_module_is_named_after_a_domain_or_a_known_tool(folder: str) -> None:
    depth = len(Path(folder).parts)
    names = {name.parts[depth].removesuffix(".py") for name in python_files() if name.is_relative_to(folder)}
    strangers = names - {"__init__", "__main__"} - DOMAINS - INFRASTRUCTURE[folder]
    assert not strangers, f"{folder}/ holds {sorted(strangers)}: name it after its domain (see docs/domains.md)"


def test_kit_knows_no_domain() -> None:
    assert not {name.parts[1].removesuffix(".py") for name in python_files("kit")} & DOMAINS


def test_top_level_folders_are_the_known_ones() -> None:
    assert {name.parts[0] for name in tracked_files() if len(name.parts) > 1} <= TOP_LEVEL_FOLDERS


def test_every_package_is_shipped() -> None:
    packages = {".".join(name.parent.parts) for name in python_files(*LAYERS) if name.name == "__init__.py"}
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    assert listed == sorted(packages), "list every package in [tool.setuptools] of pyproject.toml, sorted"


def test_every_folder_of_modules_is_a_package() -> None:
    folders = {name.parent for name in python_files(*LAYERS, "tests") if "data" not in name.parts}
    missing = sorted(str(folder) for folder in folders if not (ROOT / folder / "__init__.py").is_file())
    assert not missing, f"no __init__.py in {missing}"
