"""Lists of bookmarks, read by keyset, and how many there are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from typing_extensions import TypeVar

from db.bookmarks.conditions import BookmarkFilter, Home, conditions_of, linked
from db.bookmarks.rows import WHOLE, BookmarkRow
from db.query import Query
from db.shapes import Keyset, Kind, Shape, Value
from db.unit import Rows
from db.wall import INDEXED

R = TypeVar("R", default=BookmarkRow)

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


Placed = tuple[R, datetime | str, UUID]
"""A row, its value in the order that it was read in, and its key."""
_SORT_SQL = {
    BookmarkSort.ADDED_AT: "b.added_at",
    BookmarkSort.CREATED_AT: "b.created_at",
    BookmarkSort.UPDATED_AT: "b.updated_at",
    BookmarkSort.TITLE: f"left(lower(b.title), {SORT_TITLE_CHARS})",
    BookmarkSort.DOMAIN: "b.domain",
    BookmarkSort.DELETED_AT: "b.deleted_at",
}


async def page(
    rows: Rows, owner_id: UUID, wanted: BookmarkFilter, cut: Slice, shape: Shape[R] = WHOLE.by_default
) -> list[Placed[R]]:
    """Return at most `cut.limit` bookmarks, each with its place in the order, in the direction of reading."""
    query = Query(owner_id)
    return await _keyset(cut).page(rows, query, conditions_of(query, wanted), shape)


async def pages_under(
    rows: Rows,
    owner_id: UUID,
    home: Home,
    homes: Sequence[UUID],
    *,
    wanted: BookmarkFilter,
    cut: Slice,
    shape: Shape[R] = WHOLE.by_default,
) -> dict[UUID, list[Placed[R]]]:
    """Return such a page for each of several collections or tags, in one statement; direct links only."""
    query = Query(owner_id)
    conditions = [*conditions_of(query, wanted), linked(home, "scope.id")]
    keyset = _keyset(cut)
    select = keyset.select(query, shape.columns(query, "b") + keyset.places, conditions)
    found: dict[UUID, list[Placed[R]]] = {key: [] for key in homes}
    for row in await rows.fetch(
        f"""
        SELECT page.*, scope.id AS home FROM unnest({query.bind(list(homes))}::uuid[]) AS scope (id)
        CROSS JOIN LATERAL ({select}) AS page
        ORDER BY page.sort_value {keyset.direction}, page.sort_id {keyset.direction}
        """,
        *query.arguments,
    ):
        found[row["home"]].append((shape.row(row), row["sort_value"], row["sort_id"]))
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


def count_under(home: Home) -> Value:
    """Return how many bookmarks outside the trash a row of this kind has, direct links only, as a fact of it."""
    return Value(
        f"(SELECT count(*) FROM bookmark_{home.value}s scope JOIN bookmarks counted ON counted.id = scope.bookmark_id "
        f"WHERE scope.{home.value}_id = {{row}}.id AND counted.owner_id = {{owner}} AND counted.deleted_at IS NULL)",
        Kind.INTEGER,
    )


def _keyset(cut: Slice) -> Keyset:
    descending = cut.descending != cut.backward
    table = INDEXED if cut.sort is BookmarkSort.TITLE else "bookmarks"  # lower() is not leakproof
    return Keyset(table, "b", _SORT_SQL[cut.sort], descending, cut.position, cut.limit)
