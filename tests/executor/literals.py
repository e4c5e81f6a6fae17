"""GraphQL input values as Python values: enum names and variables apart from text, printed as a document has them."""

import re
from dataclasses import dataclass, field
from typing import Any

import orjson

_USE = re.compile(r"\$(v\d+)")


@dataclass(frozen=True, slots=True)
class Name:
    """An enum value."""

    name: str


@dataclass(frozen=True, slots=True)
class Used:
    """A variable where a value stands."""

    name: str


@dataclass(slots=True)
class Variables:
    """What an operation declares, `name: (type, default as text or None)`, and what is sent with it."""

    declared: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    sent: dict[str, Any] = field(default_factory=dict)

    def mark(self) -> tuple[int, int]:
        """Return a point to go back to."""
        return len(self.declared), len(self.sent)

    def back(self, mark: tuple[int, int]) -> None:
        """Forget what was declared since: nothing uses it."""
        for kept, known in zip(mark, (self.declared, self.sent), strict=True):
            for name in list(known)[kept:]:
                del known[name]

    def header(self, document: str) -> str:
        """Return the declarations of what the document uses in their parentheses, or nothing; forget the others."""
        used = set(_USE.findall(document))
        self.declared = {name: said for name, said in self.declared.items() if name in used}
        self.sent = {name: value for name, value in self.sent.items() if name in used}
        shown = [
            f"${name}: {kind}" + ("" if default is None else f" = {default}")
            for name, (kind, default) in self.declared.items()
        ]
        return f"({', '.join(shown)})" if shown else ""


def literal(value: Any) -> str:
    """Print a value as a document has it."""
    if isinstance(value, Name):
        return value.name
    if isinstance(value, Used):
        return f"${value.name}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {literal(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(literal, value)) + "]"
    return orjson.dumps(value).decode()


def plain(value: Any) -> Any:
    """Return a value without variables as JSON has it."""
    if isinstance(value, Name):
        return value.name
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, list) else value
