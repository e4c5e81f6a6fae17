"""How what `graphmark doctor` looks at is told."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How a check came out. OFF is a choice and no fault."""

    OK = "ok"
    OFF = "off"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the report."""

    name: str
    state: State
    detail: str
