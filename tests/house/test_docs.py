"""The documents say what the code does."""

import re
from dataclasses import fields
from enum import Enum
from pathlib import Path

import click

from app.cli import graphmark
from kit.settings import PREFIX, Settings
from tests.house.project import INFRASTRUCTURE, LAYERS, ROOT, python_files, source, tracked_files

CONFIGURATION = Path("docs/configuration.md")
MAKEFILE = Path("Makefile")
READ_BY_NEWCOMERS = (Path("README.md"), Path("CONTRIBUTING.md"), Path("docs/operations.md"))


def commands(name: Path) -> list[str]:
    """Return the commands of the shell blocks of a document, prompts and comments taken off."""
    blocks = re.findall(r"^```(?:sh|bash|console)\n(.*?)^```", source(name), flags=re.MULTILINE | re.DOTALL)
    lines = (line.partition(" #")[0].strip().removeprefix("$ ") for block in blocks for line in block.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def make_targets() -> dict[str, str]:
    """Return every public target of the Makefile with its `##` help (empty when it has none)."""
    found = re.findall(r"^([a-z][\w-]*):(?!=)[^#\n]*(?:## *(.*))?$", source(MAKEFILE), flags=re.MULTILINE)
    return dict(found)


def test_every_make_target_has_help() -> None:
    assert not [name for name, help_text in make_targets().items() if not help_text]


def test_the_promised_targets_exist() -> None:
    assert {"run", "test", "check", "bench", "e2e", "fmt", "migrate", "schema", "domain"} <= set(make_targets())


def test_every_make_command_in_the_documents_exists() -> None:
    used = {word for name in READ_BY_NEWCOMERS for line in commands(name) for word in _made(line)}
    assert used, "the documents show no make command"
    assert used <= set(make_targets())


def _made(line: str) -> list[str]:
    words = [word for word in line.split() if not re.match(r"[A-Z_]+=", word)]
    if words[:1] != ["make"]:
        return []
    return [word for word in words[1:] if re.fullmatch(r"[a-z][\w-]*", word)]


def test_every_graphmark_command_in_the_documents_exists() -> None:
    used = {word for name in READ_BY_NEWCOMERS for line in commands(name) if (word := _called(line))}
    assert used, "the documents show no graphmark command"
    assert used <= set(graphmark.list_commands(click.Context(graphmark)))


def _called(line: str) -> str | None:
    """Return the command of a `graphmark …` or `python -m app …` line, whatever stands before it on the line."""
    found = re.search(r"(?:\bgraphmark|-m app) +([a-z]+)", line)
    return found[1] if found and "docker" not in line else None


def test_every_setting_is_documented_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `(GRAPHMARK_\w+)` \| ([^|]*) \|", source(CONFIGURATION), flags=re.MULTILINE))
    wanted = {PREFIX + field.name.upper(): shown(field.default) for field in fields(Settings)}
    assert rows == wanted


def test_every_setting_is_used() -> None:
    """A setting that nothing reads is a promise that nothing keeps; `reserved` ones say so in the document."""
    reserved = set(re.findall(r"^\| `GRAPHMARK_(\w+)` .*\| Reserved", source(CONFIGURATION), flags=re.MULTILINE))
    code = "\n".join(source(name) for name in python_files(*LAYERS))
    read = set(re.findall(r"\.(\w+)\b", code))
    assert not sorted({field.name for field in fields(Settings)} - read - {name.lower() for name in reserved})


def shown(value: object) -> str:
    """Write a default as docs/configuration.md does."""
    if value is None or value in ("", ()):
        return "unset"
    if isinstance(value, tuple):
        return f"`{','.join(map(str, value))}`"
    return f"`{value.value if isinstance(value, Enum) else value}`"


def test_decisions_are_numbered_without_gaps() -> None:
    names = [name.name for name in tracked_files() if name.is_relative_to("docs/decisions")]
    assert [name[:4] for name in sorted(names)] == [f"{number:04}" for number in range(1, len(names) + 1)]
    assert not [name for name in names if not re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", name)]


def test_every_decision_says_what_and_why() -> None:
    for name in tracked_files():
        if name.is_relative_to("docs/decisions"):
            text = source(name)
            assert re.match(r"# \d{4} .+\n", text), name
            assert {"## Context", "## Decision", "## Consequences"} <= set(text.splitlines()), name


def test_relative_links_lead_somewhere() -> None:
    broken = [
        f"{name}: {target}"
        for name in tracked_files()
        if name.suffix == ".md"
        for target in re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", source(name))
        if not (ROOT / name.parent / target).exists()
    ]
    assert not broken


def test_domains_are_described() -> None:
    """Every domain that has a schema module has a section in docs/domains.md."""
    described = set(re.findall(r"^## (\w+)$", source(Path("docs/domains.md")), flags=re.MULTILINE))
    present = {name.stem for name in tracked_files() if name.parent == Path("schema") and name.suffix == ".py"}
    assert present - {"__init__"} - INFRASTRUCTURE["schema"] <= described


def test_the_architecture_names_every_layer() -> None:
    text = source(Path("docs/architecture.md"))
    assert not [layer for layer in LAYERS if f"{layer}/" not in text]
