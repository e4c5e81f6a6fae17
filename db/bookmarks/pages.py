"""Lists of bookmarks, read by keyset, and how many there are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from db.bookmarks.conditions import BookmarkFilter, Home, Query, conditions_of, linked
from db.bookmarks.rows import COLUMNS, WIDTH, BookmarkRow
from db.unit import Rows

SORT_TITLE_CHARS = 100
"""Titles are ordered by so many leading characters, then by id, so that cursors and index entries stay short."""


class BookmarkSort(StrEnum):
    """What a list of bookmarks can be ordered by; each is never NULL where it may be used."""

    ADDED_AT = "ADDED_AT"
    CREATED_AT = "CREATED_AT"
    UPDATED_AT = "UPDATED_AT"
    TITLE = "TITLE"
    DOMAIN = "DOMAIN"
    DELETED_AT = "DELETED_AT"


@dataclass(frozen=True, slots=True)
class Slice:
    """Where in which order to read: at most `limit` rows beyond `position`, against the order when `backward`."""

    sort: BookmarkSort
    descending: bool
    position: tuple[datetime | str, UUID] | None
    backward: bool
    limit: int


Placed = tuple[BookmarkRow, datetime | str]
"""A row and its value in the order that it was read in."""
_SORT_SQL = {
    BookmarkSort.ADDED_AT: "b.added_at",
    BookmarkSort.CREATED_AT: "b.created_at",
    BookmarkSort.UPDATED_AT: "b.updated_at",
    BookmarkSort.TITLE: f"left(lower(b.title), {SORT_TITLE_CHARS})",
    BookmarkSort.DOMAIN: "b.domain",
    BookmarkSort.DELETED_AT: "b.deleted_at",
}


async def page(rows: Rows, owner_id: UUID, wanted: BookmarkFilter, cut: Slice) -> list[Placed]:
    """Return at most `cut.limit` bookmarks, each with its value in the order, in the direction of reading."""
    query = Query(owner_id)
    sql = _select(query, [*conditions_of(query, wanted)], cut)
    return [(BookmarkRow(*row[:WIDTH]), row[WIDTH]) for row in await rows.fetch(sql, *query.arguments)]


async def pages_under(
    rows: Rows, owner_id: UUID, home: Home, homes: Sequence[UUID], wanted: BookmarkFilter, cut: Slice
) -> dict[UUID, list[Placed]]:
    """Return such a page for each of several collections or tags, in one statement; direct links only."""
    query = Query(owner_id)
    conditions = [*conditions_of(query, wanted), linked(home, "scope.id")]
    direction = _direction(cut)
    found: dict[UUID, list[Placed]] = {key: [] for key in homes}
    for row in await rows.fetch(
        f"""
        SELECT page.*, scope.id AS home FROM unnest({query.bind(list(homes))}::uuid[]) AS scope (id)
        CROSS JOIN LATERAL ({_select(query, conditions, cut)}) AS page
        ORDER BY page.sort_value {direction}, page.id {direction}
        """,
        *query.arguments,
    ):
        found[row["home"]].append((BookmarkRow(*row[:WIDTH]), row[WIDTH]))
    return found


async def count(rows: Rows, owner_id: UUID, wanted: BookmarkFilter) -> int:
    """Return how many bookmarks meet `wanted`. Reads all of them: ask only when somebody wants to know."""
    query = Query(owner_id)
    where = " AND ".join(conditions_of(query, wanted))
    return int(await rows.fetchval(f"SELECT count(*) FROM bookmarks b WHERE {where}", *query.arguments))


async def counts_under(
    rows: Rows, owner_id: UUID, home: Home, homes: Sequence[UUID], wanted: BookmarkFilter
) -> dict[UUID, int]:
    """Return that number for each of several collections or tags, in one statement; direct links only."""
    query = Query(owner_id)
    where = " AND ".join(conditions_of(query, wanted))
    found = await rows.fetch(
        f"""
        SELECT scope.{home.value}_id AS home, count(*) AS number
        FROM bookmark_{home.value}s scope JOIN bookmarks b ON b.id = scope.bookmark_id
        WHERE scope.{home.value}_id = ANY({query.bind(list(homes))}) AND {where} GROUP BY scope.{home.value}_id
        """,
        *query.arguments,
    )
    return dict.fromkeys(homes, 0) | {row["home"]: row["number"] for row in found}


def _select(query: Query, conditions: list[str], cut: Slice) -> str:
    expression, direction = _SORT_SQL[cut.sort], _direction(cut)
    if cut.position is not None:
        value, key = (query.bind(part) for part in cut.position)
        conditions = [*conditions, f"({expression}, b.id) {'<' if direction == 'DESC' else '>'} ({value}, {key})"]
    return f"""
        SELECT {COLUMNS}, {expression} AS sort_value FROM bookmarks b WHERE {" AND ".join(conditions)}
        ORDER BY {expression} {direction}, b.id {direction} LIMIT {query.bind(cut.limit)}
    """


def _direction(cut: Slice) -> str:
    return "DESC" if cut.descending != cut.backward else "ASC"
