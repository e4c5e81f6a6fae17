"""Doors that import-linter cannot see, because they are attributes and not modules."""

import ast
from pathlib import Path

import pytest

from tests.house.project import LAYERS, python_files, tree

# kit.settings reads the settings; kit.postgres hands a cleaned environment to the programs it starts.
ENVIRONMENT = ("kit/settings.py", "kit/postgres")
FRAMEWORK_FREE = ("services", "db", "kit")


def reads_environment(node: ast.AST) -> bool:
    """Tell whether `node` is `os.environ`, `os.getenv` or `from os import environ`."""
    if isinstance(node, ast.Attribute):
        return node.attr in {"environ", "getenv", "putenv"} and ast.unparse(node.value) == "os"
    return (
        isinstance(node, ast.ImportFrom)
        and node.module == "os"
        and any(a.name in {"environ", "getenv"} for a in node.names)
    )


def test_only_settings_read_the_environment() -> None:
    found = [
        f"{name}:{getattr(node, 'lineno', 0)}"
        for name in python_files(*LAYERS)
        if not any(name.is_relative_to(door) for door in ENVIRONMENT)
        for node in ast.walk(tree(name))
        if reads_environment(node)
    ]
    assert not found, f"read a setting through kit.settings: {found}"


@pytest.mark.parametrize(
    ("text", "reads"),
    [
        ("os.environ['A']", True),
        ("os.getenv('A')", True),
        ("from os import environ", True),
        ("settings.environ", False),
    ],
)
def test_what_reading_the_environment_means(text: str, *, reads: bool) -> None:
    assert any(map(reads_environment, ast.walk(ast.parse(text)))) is reads


def test_lower_layers_name_no_http_status() -> None:
    """An error carries a code of its own; which HTTP status that is, only app decides."""
    found = [
        f"{name}:{node.lineno}"
        for name in python_files(*FRAMEWORK_FREE)
        for node in ast.walk(tree(name))
        if isinstance(node, ast.Name | ast.Attribute | ast.arg)
        and _spelled(node) in {"status_code", "HTTPException", "HTTPStatus"}
    ]
    assert not found, f"raise an error of kit.errors instead: {found}"


def _spelled(node: ast.Name | ast.Attribute | ast.arg) -> str:
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else node.arg


def test_piccolo_objects_stay_in_db() -> None:
    """db.tables describes tables for db's own use: nobody above takes a Piccolo class from it."""
    above = ("app", "schema", "resolvers", "tasks", "services")
    found = [
        f"{name}:{node.lineno}"
        for name in python_files(*above)
        for node in ast.walk(tree(name))
        if isinstance(node, ast.ImportFrom) and Path(*(node.module or "").split(".")).is_relative_to("db/tables")
    ]
    assert not found, f"ask a function of db for rows: {found}"
