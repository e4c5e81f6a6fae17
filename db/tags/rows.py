"""A tag as the database keeps it."""

from dataclasses import dataclass, fields
from datetime import datetime
from uuid import UUID

from db.shapes import Source, Whole
from db.tables.tags import Tag


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


SOURCE = Source(table=Tag)
WHOLE = Whole(TagRow)
COLUMNS = ", ".join(f"t.{item.name}" for item in fields(TagRow))
WIDTH = len(fields(TagRow))
