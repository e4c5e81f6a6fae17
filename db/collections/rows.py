"""A collection as the database keeps it."""

from dataclasses import dataclass, fields
from datetime import datetime
from uuid import UUID

from db.shapes import Source, Whole
from db.tables.collections import Collection


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


SOURCE = Source(table=Collection)
WHOLE = Whole(CollectionRow)
COLUMNS = ", ".join(f"c.{item.name}" for item in fields(CollectionRow))
