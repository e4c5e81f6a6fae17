"""A statement under construction: its arguments, and whose rows it may read."""

from typing import Any
from uuid import UUID


class Query:
    """Collects the arguments of one statement. `owner` is the placeholder of whose rows are read, always the first."""

    def __init__(self, owner_id: UUID) -> None:
        self.arguments: list[Any] = []
        self.owner = self.bind(owner_id)

    def bind(self, value: Any) -> str:
        """Take a value in and return what stands for it in the statement."""
        self.arguments.append(value)
        return f"${len(self.arguments)}"
