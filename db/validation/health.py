"""How the links of bookmarks fare: one row for each that was ever checked, and a bounded history."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from typing_extensions import TypeVar

from db.query import Query
from db.shapes import Keyset, Shape, Source, Whole
from db.tables.validation import LinkCheck
from db.unit import Rows, Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthRow:
    """How the link of a bookmark fares; see db.tables.validation for the groups of columns."""

    bookmark_id: UUID
    owner_id: UUID
    url_digest: bytes
    status: str
    detail: str | None
    verdict: str
    http_status: int | None
    final_url: str | None
    final_key: bytes | None
    canonical_url: str | None
    canonical_key: bytes | None
    move_url: str | None
    move_sights: int
    permanent_url: str | None
    failures: int
    strikes: int
    struck_at: datetime | None
    final_sights: int
    streak: int
    judged_at: datetime | None
    checked_at: datetime
    next_check_at: datetime
    etag: str | None
    last_modified: str | None
    body_digest: bytes | None
    saved_digest: bytes | None
    saved_simhash: int | None
    saved_words: int | None
    content_digest: bytes | None
    content_simhash: int | None
    content_words: int | None
    content_state: str
    content_checked_at: datetime | None
    archive_url: str | None
    archive_checked_at: datetime | None


@dataclass(frozen=True, slots=True)
class CheckRow:
    """One check that was made."""

    id: UUID
    bookmark_id: UUID
    owner_id: UUID
    checked_at: datetime
    status: str
    detail: str | None
    verdict: str
    http_status: int | None
    final_url: str | None
    content_state: str
    duration_ms: int


@dataclass(frozen=True, slots=True)
class LinkRow:
    """A bookmark as far as checking needs it; `health` is None before the first check."""

    bookmark_id: UUID
    url: str
    domain: str
    added_at: datetime
    health: HealthRow | None


@dataclass(frozen=True, slots=True)
class CheckCut:
    """Which part of a history: at most `limit` checks beyond `position`, newest first; against that if `backward`."""

    position: tuple[datetime, UUID] | None
    backward: bool
    limit: int


C = TypeVar("C", default=CheckRow)
PlacedCheck = tuple[C, datetime, UUID]
"""A check, its time and its id."""

CHECK_SOURCE = Source(table=LinkCheck)
CHECKS = Whole(CheckRow)
_NAMES = tuple(item.name for item in fields(HealthRow))
_COLUMNS = ", ".join(f"h.{name}" for name in _NAMES)
_CHECK_NAMES = tuple(item.name for item in fields(CheckRow))
_UPSERT = f"""
INSERT INTO link_health ({", ".join(_NAMES)})
SELECT {", ".join(f"${number}" for number in range(1, len(_NAMES) + 1))}
FROM bookmarks WHERE id = $1 AND owner_id = $2
ON CONFLICT (bookmark_id) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in _NAMES[2:])}
WHERE link_health.owner_id = $2
"""


async def links(rows: Rows, owner_id: UUID, keys: Sequence[UUID]) -> list[LinkRow]:
    """Return the owner's bookmarks among `keys` outside the trash, with their health, in the order of their ids."""
    found = await rows.fetch(
        f"""
        SELECT b.id, b.url, b.domain, b.added_at, {_COLUMNS}
        FROM bookmarks b LEFT JOIN link_health h ON h.bookmark_id = b.id
        WHERE b.owner_id = $1 AND b.id = ANY($2) AND b.deleted_at IS NULL ORDER BY b.id
        """,
        owner_id,
        list(keys),
    )
    return [_link(row) for row in found]


async def lock_link(unit: Unit, owner_id: UUID, key: UUID) -> LinkRow | None:
    """Return such a bookmark, in the trash or not, and keep others from changing it until the transaction ends."""
    row = await unit.fetchrow(
        f"""
        SELECT b.id, b.url, b.domain, b.added_at, {_COLUMNS}
        FROM bookmarks b LEFT JOIN link_health h ON h.bookmark_id = b.id
        WHERE b.owner_id = $1 AND b.id = $2 FOR UPDATE OF b
        """,
        owner_id,
        key,
    )
    return _link(row) if row else None


async def save(unit: Unit, health: HealthRow) -> bool:
    """Write the health of a bookmark; False when the owner has no such bookmark any more, and nothing is written."""
    return await unit.execute(_UPSERT, *(getattr(health, name) for name in _NAMES)) > 0


async def add_check(unit: Unit, check: CheckRow, *, keep: int) -> None:
    """Add a check to the history of its bookmark, of which the newest `keep` stay."""
    names = ", ".join(_CHECK_NAMES)
    values = ", ".join(f"${number}" for number in range(1, len(_CHECK_NAMES) + 1))
    await unit.execute(
        f"INSERT INTO link_checks ({names}) VALUES ({values})", *(getattr(check, name) for name in _CHECK_NAMES)
    )
    await unit.execute(
        """
        DELETE FROM link_checks WHERE id IN (
            SELECT id FROM link_checks WHERE bookmark_id = $1 ORDER BY checked_at DESC, id DESC OFFSET $2
        )
        """,
        check.bookmark_id,
        keep,
    )


async def forget(unit: Unit, owner_id: UUID, key: UUID) -> None:
    """Forget what is known of a bookmark's link, because it leads elsewhere now."""
    await unit.execute("DELETE FROM link_health WHERE owner_id = $1 AND bookmark_id = $2", owner_id, key)
    await unit.execute("DELETE FROM link_checks WHERE owner_id = $1 AND bookmark_id = $2", owner_id, key)


async def by_bookmarks(rows: Rows, owner_id: UUID, keys: Sequence[UUID]) -> dict[UUID, HealthRow]:
    """Return the health of the owner's bookmarks among `keys` that were checked, by bookmark."""
    found = await rows.fetch(
        f"SELECT {_COLUMNS} FROM link_health h WHERE h.owner_id = $1 AND h.bookmark_id = ANY($2)", owner_id, list(keys)
    )
    return {row["bookmark_id"]: HealthRow(**row) for row in found}


async def checks_of(
    rows: Rows, owner_id: UUID, keys: Sequence[UUID], cut: CheckCut, shape: Shape[C] = CHECKS.by_default
) -> dict[UUID, list[PlacedCheck[C]]]:
    """Return for each bookmark such a part of its history, in the direction of reading."""
    query = Query(owner_id)
    keyset = Keyset("link_checks", "c", "c.checked_at", not cut.backward, cut.position, cut.limit)
    conditions = [f"c.owner_id = {query.owner}", "c.bookmark_id = scope.id"]
    select = keyset.select(query, shape.columns(query, "c") + keyset.places, conditions)
    found: dict[UUID, list[PlacedCheck[C]]] = {key: [] for key in keys}
    for row in await rows.fetch(
        f"""
        SELECT page.*, scope.id AS home FROM unnest({query.bind(list(keys))}::uuid[]) AS scope (id)
        CROSS JOIN LATERAL ({select}) AS page
        ORDER BY page.sort_value {keyset.direction}, page.sort_id {keyset.direction}
        """,
        *query.arguments,
    ):
        found[row["home"]].append((shape.row(row), row["sort_value"], row["sort_id"]))
    return found


async def count_checks(rows: Rows, owner_id: UUID, keys: Sequence[UUID]) -> dict[UUID, int]:
    """Return how many checks each bookmark's history has."""
    found = await rows.fetch(
        """
        SELECT bookmark_id, count(*) AS number FROM link_checks
        WHERE owner_id = $1 AND bookmark_id = ANY($2) GROUP BY bookmark_id
        """,
        owner_id,
        list(keys),
    )
    return dict.fromkeys(keys, 0) | {row["bookmark_id"]: row["number"] for row in found}


async def purge_checks(unit: Unit, *, older_than_days: int, limit: int) -> int:
    """Forget at most `limit` checks of so long ago; return how many."""
    return await unit.execute(
        """
        DELETE FROM link_checks WHERE id IN (
            SELECT id FROM link_checks WHERE checked_at < now() - $1 * interval '1 day' ORDER BY checked_at LIMIT $2
        )
        """,
        older_than_days,
        limit,
    )


def _link(row: Sequence[Any]) -> LinkRow:
    """Return a row of the two statements above: four columns of the bookmark, then those of its health."""
    key, url, domain, added_at, *values = row
    health = dict(zip(_NAMES, values, strict=True))
    return LinkRow(key, url, domain, added_at, HealthRow(**health) if health["bookmark_id"] is not None else None)
