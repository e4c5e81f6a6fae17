"""Adding bookmarks and changing them."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any
from uuid import UUID

import asyncpg

from db.bookmarks.rows import COLUMNS, BookmarkDraft, BookmarkRow
from db.unit import Unit

_DRAFT_COLUMNS = [item.name for item in fields(BookmarkDraft)]
_INSERT = f"""
INSERT INTO bookmarks AS b (owner_id, {", ".join(_DRAFT_COLUMNS)})
VALUES ($1, {", ".join(f"${number}" for number in range(2, len(_DRAFT_COLUMNS) + 2))})
ON CONFLICT (owner_id, url_key) DO NOTHING RETURNING {COLUMNS}
"""


async def insert(unit: Unit, owner_id: UUID, draft: BookmarkDraft) -> BookmarkRow | None:
    """Add a bookmark; None when the owner has this address already, also when that came true a moment ago."""
    values = [getattr(draft, name) for name in _DRAFT_COLUMNS]
    row = await unit.fetchrow(_INSERT, owner_id, *values)
    return BookmarkRow(*row) if row else None


async def update(unit: Unit, owner_id: UUID, key: UUID, values: Mapping[str, Any]) -> BookmarkRow | None:
    """Set columns of one bookmark and count its version up; `values` maps column names to new values.

    None when the new address is another bookmark's: the transaction is then good for nothing but a rollback.
    """
    names = list(values)
    sets = "".join(f", {name} = ${number}" for number, name in enumerate(names, start=3))
    try:
        row = await unit.fetchrow(
            f"""
            UPDATE bookmarks b SET version = b.version + 1, updated_at = now(){sets}
            WHERE b.owner_id = $1 AND b.id = $2 RETURNING {COLUMNS}
            """,
            owner_id,
            key,
            *values.values(),
        )
    except asyncpg.UniqueViolationError:
        return None
    return BookmarkRow(*row) if row else None


async def touch(unit: Unit, owner_id: UUID, keys: Sequence[UUID]) -> None:
    """Count the version of bookmarks up, because something that belongs to them has changed."""
    await unit.execute(
        "UPDATE bookmarks SET version = version + 1, updated_at = now() WHERE owner_id = $1 AND id = ANY($2)",
        owner_id,
        list(keys),
    )
