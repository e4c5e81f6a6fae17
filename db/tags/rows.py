"""A tag as the database keeps it."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class TagRow:
    """A tag. `path` is `name` behind the parent's path and a slash; `path_key` is its folded form (kit.text)."""

    id: UUID
    owner_id: UUID
    parent_id: UUID | None
    name: str
    path: str
    path_key: str
    color: str | None
    created_at: datetime
    updated_at: datetime


COLUMNS = ", ".join(f"t.{item.name}" for item in fields(TagRow))
WIDTH = len(fields(TagRow))


def grouped(found: Sequence[Any], homes: Sequence[UUID]) -> dict[UUID, list[TagRow]]:
    """Sort rows, whose last column is where they belong, under their homes."""
    sorted_rows: dict[UUID, list[TagRow]] = {key: [] for key in homes}
    for row in found:
        sorted_rows[row[WIDTH]].append(TagRow(*row[:WIDTH]))
    return sorted_rows
