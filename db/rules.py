"""Rules as rows, and the flags that they set."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from typing_extensions import TypeVar

from db.query import Query
from db.shapes import Keyset, Shape, Source, Whole
from db.tables.rules import Rule
from db.unit import Rows, Unit


@dataclass(frozen=True, slots=True)
class RuleRow:
    """A rule. `events` are names of services.rules.RuleEvent; `error` says why it is paused."""

    id: UUID
    owner_id: UUID
    name: str
    query: str
    events: list[str]
    actions: dict[str, Any]
    position: int
    is_enabled: bool
    error: str | None
    changed_count: int
    last_run_at: datetime | None
    created_at: datetime
    updated_at: datetime


R = TypeVar("R", default=RuleRow)
Placed = tuple[R, int, UUID]
SOURCE = Source(table=Rule)
WHOLE = Whole(RuleRow)
_COLUMNS = ", ".join(f"r.{item.name}" for item in fields(RuleRow))
_FLAGS = frozenset({"is_favorite", "is_archived"})


async def page(
    rows: Rows,
    owner_id: UUID,
    *,
    descending: bool,
    position: tuple[int, UUID] | None,
    limit: int,
    shape: Shape[R] = WHOLE.by_default,
) -> list[Placed[R]]:
    """Return at most `limit` rules beyond `position`, in the order in which they run or against it."""
    query = Query(owner_id)
    keyset = Keyset("rules", "r", "r.position", descending, position, limit, "bigint")
    return await keyset.page(rows, query, [f"r.owner_id = {query.owner}"], shape)


async def count(rows: Rows, owner_id: UUID) -> int:
    """Return how many rules the owner has."""
    return int(await rows.fetchval("SELECT count(*) FROM rules WHERE owner_id = $1", owner_id))


async def by_id(rows: Rows, owner_id: UUID, key: UUID) -> RuleRow | None:
    """Return one of the owner's rules or None."""
    row = await rows.fetchrow(f"SELECT {_COLUMNS} FROM rules r WHERE r.owner_id = $1 AND r.id = $2", owner_id, key)
    return RuleRow(*row) if row else None


async def due(rows: Rows, owner_id: UUID, event: str) -> list[RuleRow]:
    """Return the owner's rules that run at `event`, in the order in which they run; paused ones are left out."""
    found = await rows.fetch(
        f"""
        SELECT {_COLUMNS} FROM rules r WHERE r.owner_id = $1 AND r.is_enabled AND r.error IS NULL AND $2 = ANY(r.events)
        ORDER BY r.position, r.id
        """,
        owner_id,
        event,
    )
    return [RuleRow(*row) for row in found]


async def lock_owner(unit: Unit, owner_id: UUID) -> None:
    """Be the only one who adds or moves rules of this owner until the transaction ends."""
    await unit.execute("SELECT pg_advisory_xact_lock(hashtextextended($1::text, $2))", str(owner_id), 0x7275_6C65)


async def insert(unit: Unit, owner_id: UUID, key: UUID, values: Mapping[str, Any]) -> RuleRow:
    """Add a rule; `values` maps column names to values."""
    names = ", ".join(values)
    places = ", ".join(f"${number}" for number in range(3, len(values) + 3))
    row = await unit.fetchrow(
        f"INSERT INTO rules AS r (owner_id, id, {names}) VALUES ($1, $2, {places}) RETURNING {_COLUMNS}",
        owner_id,
        key,
        *values.values(),
    )
    return RuleRow(*row)  # type: ignore[misc]  # an INSERT that returns always gives a row


async def update(unit: Unit, owner_id: UUID, key: UUID, values: Mapping[str, Any]) -> RuleRow | None:
    """Set columns of a rule; None when it has gone."""
    sets = "".join(f", {name} = ${number}" for number, name in enumerate(values, start=3))
    row = await unit.fetchrow(
        f"UPDATE rules r SET updated_at = now(){sets} WHERE r.owner_id = $1 AND r.id = $2 RETURNING {_COLUMNS}",
        owner_id,
        key,
        *values.values(),
    )
    return RuleRow(*row) if row else None


async def place(unit: Unit, owner_id: UUID, key: UUID, position: int) -> None:
    """Move a rule to `position`, from 0, among the owner's, and number all of them anew."""
    await unit.execute(
        """
        UPDATE rules r SET position = placed.number - 1 FROM (
            SELECT id, row_number() OVER (
                ORDER BY CASE WHEN id = $2 THEN $3::bigint ELSE nth END, id <> $2, nth
            ) AS number
            FROM (
                SELECT id, CASE WHEN id = $2 THEN -1 ELSE
                    row_number() OVER (PARTITION BY id = $2 ORDER BY position, id) - 1 END AS nth
                FROM rules WHERE owner_id = $1
            ) AS others
        ) AS placed WHERE r.owner_id = $1 AND r.id = placed.id AND r.position <> placed.number - 1
        """,
        owner_id,
        key,
        position,
    )


async def delete(unit: Unit, owner_id: UUID, key: UUID) -> None:
    """Remove a rule; what it did stays."""
    await unit.execute("DELETE FROM rules WHERE owner_id = $1 AND id = $2", owner_id, key)


async def note(unit: Unit, owner_id: UUID, key: UUID, *, changed: int, error: str | None) -> None:
    """Write down that a rule ran: how many bookmarks it changed, or why it is paused from now on."""
    await unit.execute(
        """
        UPDATE rules SET changed_count = changed_count + $3, last_run_at = now(), error = $4
        WHERE owner_id = $1 AND id = $2
        """,
        owner_id,
        key,
        changed,
        error,
    )


async def set_flag(unit: Unit, owner_id: UUID, name: str, keys: Sequence[UUID], *, value: bool) -> set[UUID]:
    """Set `is_favorite` or `is_archived` of locked bookmarks; return the ids of those where it was otherwise."""
    if name not in _FLAGS:
        raise ValueError(name)
    found = await unit.fetch(
        f"UPDATE bookmarks SET {name} = $3 WHERE owner_id = $1 AND id = ANY($2) AND {name} <> $3 RETURNING id",
        owner_id,
        list(keys),
        value,
    )
    return {row["id"] for row in found}
