"""Spaces of vectors: one for each model, each with an index of its own.

The index covers only the rows of its space, so that it knows the length of their vectors and disappears with them. It
is made together with the space, while that is empty: from then on each vector finds its place when it is written, and
nobody ever waits for an index to be built. Making it keeps others from writing embeddings for as long as it takes to
see that no row is of the new space (a second or so where there are a million); readers notice nothing.
"""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Final

from db.unit import Rows, Unit

MAX_SPACES: Final = 20
"""Most spaces at once. There are two while a model is changed; more when it is changed again before the end."""

_LOCK: Final = 0x67_6D_73_70_61_63_65_73  # "gmspaces": held by whoever makes or removes a space
_LOCK_MILLISECONDS: Final = 5_000


@dataclass(frozen=True, slots=True)
class SpaceRow:
    """A space. `name` is the provider's for it; searches go to the one that `is_active`."""

    id: int
    name: str
    model: str
    dimensions: int
    is_active: bool
    created_at: datetime


_COLUMNS: Final = ", ".join(item.name for item in fields(SpaceRow))


async def all_spaces(rows: Rows) -> list[SpaceRow]:
    """Return every space, the oldest first; at most `MAX_SPACES`."""
    found = await rows.fetch(f"SELECT {_COLUMNS} FROM embedding_spaces ORDER BY created_at, id LIMIT {MAX_SPACES}")
    return [SpaceRow(**row) for row in found]


async def active_space(rows: Rows) -> SpaceRow | None:
    """Return the space that searches go to; None before anything was embedded."""
    row = await rows.fetchrow(f"SELECT {_COLUMNS} FROM embedding_spaces WHERE is_active")
    return SpaceRow(**row) if row else None


async def space_named(rows: Rows, name: str) -> SpaceRow | None:
    """Return a space by its name."""
    row = await rows.fetchrow(f"SELECT {_COLUMNS} FROM embedding_spaces WHERE name = $1", name)
    return SpaceRow(**row) if row else None


async def make_space(unit: Unit, *, name: str, model: str, dimensions: int) -> SpaceRow | None:
    """Return the space of this name, made with its index when there is none; None when there are `MAX_SPACES`.

    The first space is active at once. Two at a time are safe: the second finds what the first has made.
    """
    await _lock(unit)
    found = await space_named(unit, name)
    if found is not None:
        return found
    taken = {space.id for space in await all_spaces(unit)}
    if len(taken) >= MAX_SPACES:
        return None
    key = min(set(range(1, MAX_SPACES + 1)) - taken)
    row = await unit.fetchrow(
        f"""
        INSERT INTO embedding_spaces (id, name, model, dimensions, is_active)
        VALUES ($1, $2, $3, $4, NOT EXISTS (SELECT FROM embedding_spaces WHERE is_active)) RETURNING {_COLUMNS}
        """,
        key,
        name,
        model,
        dimensions,
    )
    assert row is not None  # noqa: S101  an INSERT … RETURNING without a conflict clause gives its row or raises
    space = SpaceRow(**row)
    await unit.execute(f"DROP INDEX IF EXISTS {index_of(key)}")  # of a space whose row was removed by hand
    await make_index(unit, space)
    return space


async def make_index(unit: Unit, space: SpaceRow) -> None:
    """Make the index over the vectors of a space."""
    await unit.execute(
        f"""
        CREATE INDEX {index_of(space.id)} ON embeddings
        USING hnsw ((vector::halfvec({space.dimensions:d})) halfvec_cosine_ops) WHERE space_id = {space.id:d}
        """
    )


async def activate(unit: Unit, key: int) -> None:
    """Let searches go to this space from now on."""
    await unit.execute("UPDATE embedding_spaces SET is_active = false WHERE is_active AND id <> $1", key)
    await unit.execute("UPDATE embedding_spaces SET is_active = true WHERE id = $1", key)


async def remove_some(unit: Unit, key: int, *, limit: int) -> int:
    """Remove a part of a space that is not active: its index first, then `limit` vectors a time, at last itself.

    Returns how much was removed; 0 when it is gone. Each part wants a transaction of its own: removing the index locks
    the table for a moment, and must not do so while rows are removed.
    """
    await _lock(unit)
    if await unit.fetchval("SELECT to_regclass($1)", index_of(key)) is not None:
        await unit.execute(f"DROP INDEX {index_of(key)}")
        return 1
    removed = await unit.execute(
        """
        DELETE FROM embeddings WHERE (bookmark_id, space_id) IN (
            SELECT bookmark_id, space_id FROM embeddings WHERE space_id = $1 LIMIT $2
        )
        """,
        key,
        limit,
    )
    return removed or await unit.execute("DELETE FROM embedding_spaces WHERE id = $1 AND NOT is_active", key)


def index_of(key: int) -> str:
    """Return the name of the index over the vectors of a space."""
    return f"embeddings_space_{key:d}"


async def _lock(unit: Unit) -> None:
    """Wait for others that make or remove a space, and never long for the table: whoever comes behind waits too."""
    await unit.execute(f"SET LOCAL lock_timeout = {_LOCK_MILLISECONDS}")
    await unit.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
