"""A collection as the database keeps it."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class CollectionRow:
    """A collection. `position` orders the children of one parent, ties broken by the id; the roots are one family."""

    id: UUID
    owner_id: UUID
    parent_id: UUID | None
    name: str
    slug: str
    description: str | None
    color: str | None
    icon: str | None
    is_smart: bool
    query: str | None
    position: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionDraft:
    """A collection before it is stored."""

    id: UUID
    parent_id: UUID | None
    name: str
    slug: str
    description: str | None = None
    color: str | None = None
    icon: str | None = None
    position: int = 0


COLUMNS = ", ".join(f"c.{item.name}" for item in fields(CollectionRow))
WIDTH = len(fields(CollectionRow))


def grouped(found: Sequence[Any], homes: Sequence[UUID]) -> dict[UUID, list[CollectionRow]]:
    """Sort records, whose `home` says where they belong, under their homes."""
    sorted_rows: dict[UUID, list[CollectionRow]] = {key: [] for key in homes}
    for row in found:
        sorted_rows[row["home"]].append(CollectionRow(*row[:WIDTH]))
    return sorted_rows
