"""Modules and functions stay small enough to be read at one sitting.

The aim is 300 lines a module and 40 a function; these limits are where an exception stops being one.
"""

import ast

import pytest

from tests.house.project import LAYERS, python_files, source, tree

MODULE_LINES = 500
FUNCTION_LINES = 60
MEASURED = (*LAYERS, "benchmarks", "tests")


def function_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from `def` to the end, decorators, docstring and nested functions' docstrings not counted."""
    total = (node.end_lineno or node.lineno) - node.lineno + 1
    for inner in ast.walk(node):
        if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and ast.get_docstring(inner):
            first = inner.body[0]
            total -= (first.end_lineno or first.lineno) - first.lineno + 1
    return total


def test_modules_are_short() -> None:
    lengths = {str(name): len(source(name).splitlines()) for name in python_files(*MEASURED)}
    too_long = {name: lines for name, lines in lengths.items() if lines > MODULE_LINES}
    assert not too_long, f"split these modules (limit {MODULE_LINES} lines, aim 300): {too_long}"


def test_functions_are_short() -> None:
    too_long = {
        f"{name}:{node.lineno} {node.name}": function_lines(node)
        for name in python_files(*MEASURED)
        for node in ast.walk(tree(name))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and function_lines(node) > FUNCTION_LINES
    }
    assert not too_long, f"split these functions (limit {FUNCTION_LINES} lines, aim 40): {too_long}"


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("def f():\n    return 1\n", 2),
        ('def f():\n    """One.\n\n    Two.\n    """\n    return 1\n', 2),
        ('@x\ndef f():\n    def g():\n        """One."""\n        return 1\n    return g\n', 4),
    ],
)
def test_what_counts_as_a_line(text: str, lines: int) -> None:
    node = ast.parse(text).body[0]
    assert isinstance(node, ast.FunctionDef)
    assert function_lines(node) == lines
