"""What is installed: nobody takes our package names, and the two lists of packages agree."""

import re
import tomllib
from importlib.metadata import distributions
from pathlib import Path

import pytest

from tests.house.project import LAYERS, ROOT

OURS = {*LAYERS, "tests", "benchmarks", "piccolo_conf"}
# Piccolo's wheel carries its own tests/ folder. Ours wins, because the root comes first on the path and
# tests/__init__.py makes it a regular package.
KNOWN_SQUATTERS = {("piccolo", "tests")}
REQUIREMENTS = ROOT / "requirements.txt"


def normal(name: str) -> str:
    """Return a package's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def test_no_dependency_takes_our_package_names() -> None:
    taken = {
        (normal(distribution.name), top)
        for distribution in distributions()
        if normal(distribution.name) != "graphmark"
        for file in distribution.files or ()
        if (top := file.parts[0].removesuffix(".py")) in OURS
    }
    assert taken <= KNOWN_SQUATTERS, f"these wheels install over our names: {taken - KNOWN_SQUATTERS}"


def test_our_tests_package_is_ours() -> None:
    import tests  # noqa: PLC0415  where it is found is what is tested

    assert Path(tests.__file__).parent == ROOT / "tests"


def test_every_direct_dependency_has_a_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    names = {normal(re.split(r"[\[<>=!~; ]", item, maxsplit=1)[0]) for item in wanted}
    explained = set(
        re.findall(r"^\| `([^`]+)` \|", (ROOT / "docs/decisions/0002-dependencies.md").read_text(), re.MULTILINE)
    )
    assert names == explained, f"docs/decisions/0002-dependencies.md differs in {sorted(names ^ explained)}"


@pytest.mark.skipif(not REQUIREMENTS.exists(), reason="no requirements.txt in this checkout")
def test_requirements_agree_with_the_lock() -> None:
    locked = {
        (normal(package["name"]), package["version"])
        for package in tomllib.loads((ROOT / "uv.lock").read_text())["package"]
        if "version" in package
    }
    listed = set(re.findall(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", REQUIREMENTS.read_text(), re.MULTILINE))
    stale = {(normal(name), version) for name, version in listed} - locked
    assert listed, "requirements.txt lists nothing"
    assert not stale, f"export requirements.txt from uv.lock again: {sorted(stale)}"


@pytest.mark.skipif(not REQUIREMENTS.exists(), reason="no requirements.txt in this checkout")
def test_requirements_hold_every_direct_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {normal(re.split(r"[\[<>=!~; ]", item, maxsplit=1)[0]) for item in project["dependencies"]}
    listed = {normal(name) for name in re.findall(r"^([A-Za-z0-9._-]+)==", REQUIREMENTS.read_text(), re.MULTILINE)}
    assert wanted <= listed, f"export requirements.txt from uv.lock again: it lacks {sorted(wanted - listed)}"
