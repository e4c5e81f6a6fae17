"""What may not stand in a file of the project, and what must stand beside an exception."""

import re
from itertools import pairwise
from pathlib import Path

import pytest

from tests.house.project import matches, python_files, source, text_files, tracked_files

# Lock files say where packages come from; that is their use.
LOCKS = {Path("uv.lock"), Path("requirements.txt")}
OWN = Path("tests/house/test_text.py")

SOMEBODYS_MACHINE = re.compile(r"(?<![\w.~])/(?:work|root|Users)/|/home/\w|[A-Z]:\\\\Users")
WORKPLACE = re.compile(r"\.\./shared/|\bspikes?/|\blayout_skeleton\b|\bClaude\b|\bAnthropic\b", re.IGNORECASE)
REGISTRY = re.compile(
    r"pypi\.org|pythonhosted\.org|npmjs\.(?:org|com)|proxy\.golang\.org|ghcr\.io|crates\.io", re.IGNORECASE
)
UNOWNED = re.compile(r"\b(?:TODO|FIXME|HACK)\b(?!\(\w[\w.@-]*\))")
NOQA = re.compile(r"#\s*noqa(?!: [A-Z]+\d+(?:, ?[A-Z]+\d+)*\s+\S)")
TYPE_IGNORE = re.compile(r"#\s*type:\s*ignore(?!\[[\w, -]+\]\s+#?\s*\S)")
NO_COVER = re.compile(r"#\s*pragma:\s*no (?:cover|branch)\s*$")


def offences(pattern: re.Pattern[str], *, locks: bool = False) -> list[str]:
    names = tuple(name for name in text_files() if name != OWN and (locks or name not in LOCKS))
    return matches(pattern, names)


def test_no_path_of_somebodys_machine() -> None:
    assert not offences(SOMEBODYS_MACHINE)


def test_no_words_of_a_workplace() -> None:
    assert not offences(WORKPLACE)


def test_no_package_registry_is_named() -> None:
    """Where packages come from is the business of whoever installs."""
    assert not offences(REGISTRY)


def test_npm_locks_name_no_registry() -> None:
    locks = [name for name in tracked_files() if name.name == "package-lock.json"]
    assert Path("web/package-lock.json") in locks
    assert not [name for name in locks if '"resolved"' in source(name)]


def test_no_todo_without_an_owner() -> None:
    assert not offences(UNOWNED)


@pytest.mark.parametrize("pattern", [NOQA, TYPE_IGNORE, NO_COVER])
def test_an_exception_gives_its_reason(pattern: re.Pattern[str]) -> None:
    bare = [
        f"{name}:{number}"
        for name in python_files()
        if name != OWN
        for number, (above, line) in enumerate(pairwise(["", *source(name).splitlines()]), start=1)
        if pattern.search(line) and not above.lstrip().startswith("#")
    ]
    assert not bare, f"name the rule and say why, beside it or in a comment above: {bare}"


def test_every_rule_switched_off_has_a_reason() -> None:
    """An ignored rule in pyproject.toml carries a comment on its line."""
    text = source(Path("pyproject.toml"))
    ignored = re.findall(r'^ {4}"[A-Z]+\d+",?.*$', text, flags=re.MULTILINE)
    assert ignored, "pyproject.toml no longer lists ignored rules one a line"
    assert not [line for line in ignored if "#" not in line]


def test_every_mypy_override_has_a_reason() -> None:
    _, *overrides = source(Path("pyproject.toml")).split("[[tool.mypy.overrides]]\n")
    assert all("#" in block.partition("\n[")[0] for block in overrides)


def test_text_is_clean() -> None:
    """UTF-8, line ends of one character, a line end at the end of the file."""
    texts = {name: source(name) for name in text_files()}
    bad = [str(name) for name, text in texts.items() if "\r" in text or (text and not text.endswith("\n"))]
    assert not bad


@pytest.mark.parametrize(
    ("pattern", "line", "found"),
    [
        (SOMEBODYS_MACHINE, "open('/root/x')", True),
        (SOMEBODYS_MACHINE, "WORKDIR /build/web", False),
        (SOMEBODYS_MACHINE, "https://a.example/work/", False),
        (WORKPLACE, "see ../shared/design", True),
        (REGISTRY, "https://pypi.org/simple", True),
        (UNOWNED, "# TODO: later", True),
        (UNOWNED, "# TODO(alice): later", False),
        (NOQA, "x = 1  # noqa", True),
        (NOQA, "x = 1  # noqa: S101", True),
        (NOQA, "x = 1  # noqa: S101  compared, not bound", False),
        (NOQA, "x = 1  # noqa: S101, S102  two of them", False),
        (TYPE_IGNORE, "x = 1  # type: ignore", True),
        (TYPE_IGNORE, "x = 1  # type: ignore[arg-type]", True),
        (TYPE_IGNORE, "x = 1  # type: ignore[arg-type]  # the stub is wrong", False),
        (NO_COVER, "x = 1  # pragma: no cover", True),
        (NO_COVER, "x = 1  # pragma: no cover - only on macOS", False),
    ],
)
def test_what_the_patterns_find(pattern: re.Pattern[str], line: str, *, found: bool) -> None:
    assert bool(pattern.search(line)) is found
