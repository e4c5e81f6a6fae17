"""Bookmarks as rows: lists read by keyset, changes guarded by the unique key (owner_id, url_key)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import asyncpg

from db.unit import Rows, Unit

SORT_TITLE_CHARS = 100
"""Titles are ordered by so many leading characters, then by id, so that a cursor stays short."""

SORT_DOMAIN_CHARS = 255


@dataclass(frozen=True, slots=True)
class BookmarkRow:
    """A bookmark. `deleted_at` is set while it lies in the trash; `version` grows with every change made to it."""

    id: UUID
    owner_id: UUID
    url: str
    canonical_url: str
    domain: str
    title: str
    description: str | None
    notes: str | None
    is_favorite: bool
    is_archived: bool
    is_unread: bool
    favicon_url: str | None
    image_url: str | None
    language: str | None
    author: str | None
    site_name: str | None
    published_at: datetime | None
    word_count: int | None
    reading_time_seconds: int | None
    summary: str | None
    keywords: list[str]
    source: str
    added_at: datetime
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BookmarkDraft:
    """A bookmark before it is stored; times, version and what enrichment finds are the database's."""

    id: UUID
    url: str
    canonical_url: str
    url_key: bytes
    url_key_version: int
    domain: str
    url_words: str
    title: str = ""
    description: str | None = None
    notes: str | None = None
    is_favorite: bool = False
    is_archived: bool = False
    is_unread: bool = False
    source: str = "MANUAL"


@dataclass(frozen=True, slots=True, kw_only=True)
class BookmarkFilter:
    """Which bookmarks. None and empty mean no condition; conditions are all to be met.

    `any_tag_ids` wants one of these tags, `all_tag_ids` one of each group; who asks adds the tags below. `added_after`
    is inclusive, `added_before` exclusive. `collection_id` without descendants means direct links only.
    """

    in_trash: bool = False
    collection_id: UUID | None = None
    include_descendants: bool = False
    any_tag_ids: tuple[UUID, ...] | None = None
    all_tag_ids: tuple[tuple[UUID, ...], ...] = ()
    domain: str | None = None
    is_favorite: bool | None = None
    is_archived: bool | None = None
    is_unread: bool | None = None
    is_tagged: bool | None = None
    added_after: datetime | None = None
    added_before: datetime | None = None
    url_contains: str | None = None
    title_contains: str | None = None
    source: str | None = None


class BookmarkSort(StrEnum):
    """What a list of bookmarks can be ordered by; each is never NULL where it may be used."""

    ADDED_AT = "ADDED_AT"
    CREATED_AT = "CREATED_AT"
    UPDATED_AT = "UPDATED_AT"
    TITLE = "TITLE"
    DOMAIN = "DOMAIN"
    DELETED_AT = "DELETED_AT"


class Home(StrEnum):
    """What a bookmark can be listed under, and the link table that says so."""

    COLLECTION = "collection"
    TAG = "tag"


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

COLUMNS = ", ".join(f"b.{item.name}" for item in fields(BookmarkRow))
_WIDTH = len(fields(BookmarkRow))
_DRAFT_COLUMNS = [item.name for item in fields(BookmarkDraft)]
_SORT_SQL = {
    BookmarkSort.ADDED_AT: "b.added_at",
    BookmarkSort.CREATED_AT: "b.created_at",
    BookmarkSort.UPDATED_AT: "b.updated_at",
    BookmarkSort.TITLE: f"left(lower(b.title), {SORT_TITLE_CHARS})",
    BookmarkSort.DOMAIN: f"left(b.domain, {SORT_DOMAIN_CHARS})",
    BookmarkSort.DELETED_AT: "b.deleted_at",
}
_INSERT = f"""
INSERT INTO bookmarks AS b (owner_id, {", ".join(_DRAFT_COLUMNS)})
VALUES ($1, {", ".join(f"${number}" for number in range(2, len(_DRAFT_COLUMNS) + 2))})
ON CONFLICT (owner_id, url_key) DO NOTHING RETURNING {COLUMNS}
"""
_BELOW_COLLECTION = """b.id IN (
    WITH RECURSIVE below AS (
        SELECT id FROM collections WHERE id = {root} AND owner_id = {owner}
        UNION ALL SELECT child.id FROM collections child JOIN below ON child.parent_id = below.id
    ) SELECT link.bookmark_id FROM bookmark_collections link JOIN below ON link.collection_id = below.id
)"""


async def page(rows: Rows, owner_id: UUID, wanted: BookmarkFilter, cut: Slice) -> list[Placed]:
    """Return at most `cut.limit` bookmarks, each with its value in the order, in the direction of reading."""
    query = _Query(owner_id)
    sql = _select(query, [*_conditions(query, wanted)], cut)
    return [(BookmarkRow(*row[:_WIDTH]), row[_WIDTH]) for row in await rows.fetch(sql, *query.arguments)]


async def pages_under(
    rows: Rows, owner_id: UUID, home: Home, homes: Sequence[UUID], wanted: BookmarkFilter, cut: Slice
) -> dict[UUID, list[Placed]]:
    """Return such a page for each of several collections or tags, in one statement; direct links only."""
    query = _Query(owner_id)
    conditions = [*_conditions(query, wanted), _linked(home, "scope.id")]
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
        found[row["home"]].append((BookmarkRow(*row[:_WIDTH]), row[_WIDTH]))
    return found


async def count(rows: Rows, owner_id: UUID, wanted: BookmarkFilter) -> int:
    """Return how many bookmarks meet `wanted`. Reads all of them: ask only when somebody wants to know."""
    query = _Query(owner_id)
    where = " AND ".join(_conditions(query, wanted))
    return int(await rows.fetchval(f"SELECT count(*) FROM bookmarks b WHERE {where}", *query.arguments))


async def counts_under(
    rows: Rows, owner_id: UUID, home: Home, homes: Sequence[UUID], wanted: BookmarkFilter
) -> dict[UUID, int]:
    """Return that number for each of several collections or tags, in one statement; direct links only."""
    query = _Query(owner_id)
    where = " AND ".join([*_conditions(query, wanted), _linked(home, "scope.id")])
    found = await rows.fetch(
        f"""
        SELECT scope.id, counted.number FROM unnest({query.bind(list(homes))}::uuid[]) AS scope (id)
        CROSS JOIN LATERAL (SELECT count(*) AS number FROM bookmarks b WHERE {where}) AS counted
        """,
        *query.arguments,
    )
    return {row["id"]: row["number"] for row in found}


async def by_ids(rows: Rows, owner_id: UUID, keys: Sequence[UUID]) -> list[BookmarkRow]:
    """Return the owner's bookmarks among `keys`, in the trash or not, in the order of their ids."""
    found = await rows.fetch(
        f"SELECT {COLUMNS} FROM bookmarks b WHERE b.owner_id = $1 AND b.id = ANY($2) ORDER BY b.id",
        owner_id,
        list(keys),
    )
    return [BookmarkRow(*row) for row in found]


async def by_url_key(rows: Rows, owner_id: UUID, url_key: bytes) -> BookmarkRow | None:
    """Return the owner's bookmark of an address, in the trash or not."""
    row = await rows.fetchrow(
        f"SELECT {COLUMNS} FROM bookmarks b WHERE b.owner_id = $1 AND b.url_key = $2", owner_id, url_key
    )
    return BookmarkRow(*row) if row else None


async def lock(unit: Unit, owner_id: UUID, keys: Sequence[UUID]) -> list[BookmarkRow]:
    """Return the owner's bookmarks among `keys` and keep others from changing them until the transaction ends.

    Locked in the order of their ids, as everywhere, so that two such calls never wait for each other in a circle.
    """
    found = await unit.fetch(
        f"SELECT {COLUMNS} FROM bookmarks b WHERE b.owner_id = $1 AND b.id = ANY($2) ORDER BY b.id FOR UPDATE",
        owner_id,
        list(keys),
    )
    return [BookmarkRow(*row) for row in found]


async def lock_by_url_key(unit: Unit, owner_id: UUID, url_key: bytes) -> BookmarkRow | None:
    """Return the owner's bookmark of an address and keep others from changing it until the transaction ends."""
    row = await unit.fetchrow(
        f"SELECT {COLUMNS} FROM bookmarks b WHERE b.owner_id = $1 AND b.url_key = $2 FOR UPDATE", owner_id, url_key
    )
    return BookmarkRow(*row) if row else None


async def holds_at_least(rows: Rows, owner_id: UUID, number: int) -> bool:
    """Tell whether the owner has `number` bookmarks or more, the trash included."""
    return bool(
        await rows.fetchval(
            "SELECT count(*) >= $2 FROM (SELECT FROM bookmarks WHERE owner_id = $1 LIMIT $2) AS held", owner_id, number
        )
    )


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


async def set_trashed(unit: Unit, owner_id: UUID, keys: Sequence[UUID], *, trashed: bool) -> list[BookmarkRow]:
    """Move bookmarks into the trash or out of it; return those that were not there yet, as they are now."""
    moment, state = ("now()", "NULL") if trashed else ("NULL", "NOT NULL")
    found = await unit.fetch(
        f"""
        UPDATE bookmarks b SET deleted_at = {moment}, version = b.version + 1, updated_at = now()
        WHERE b.owner_id = $1 AND b.id = ANY($2) AND b.deleted_at IS {state} RETURNING {COLUMNS}
        """,
        owner_id,
        list(keys),
    )
    return sorted((BookmarkRow(*row) for row in found), key=lambda row: row.id)


async def purge(unit: Unit, owner_id: UUID, keys: Sequence[UUID]) -> int:
    """Remove bookmarks for ever, with their tags and places; return how many went."""
    return await unit.execute("DELETE FROM bookmarks WHERE owner_id = $1 AND id = ANY($2)", owner_id, list(keys))


async def purge_trash(unit: Unit, *, older_than_days: int, limit: int) -> int:
    """Remove for ever at most `limit` bookmarks, of all owners, that have lain in the trash for so many days."""
    return await unit.execute(
        """
        DELETE FROM bookmarks WHERE id IN (
            SELECT id FROM bookmarks WHERE deleted_at < now() - $1 * interval '1 day'
            ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED
        )
        """,
        older_than_days,
        limit,
    )


async def trashed_ids(unit: Unit, owner_id: UUID, *, limit: int) -> list[UUID]:
    """Return the ids of at most `limit` bookmarks in the trash, locked in their order."""
    found = await unit.fetch(
        """
        SELECT id FROM bookmarks WHERE owner_id = $1 AND deleted_at IS NOT NULL ORDER BY id LIMIT $2 FOR UPDATE
        """,
        owner_id,
        limit,
    )
    return [row["id"] for row in found]


class _Query:
    """Collects the arguments of a statement; `bind` returns the placeholder of a value."""

    def __init__(self, owner_id: UUID) -> None:
        self.arguments: list[Any] = []
        self.owner = self.bind(owner_id)

    def bind(self, value: Any) -> str:
        self.arguments.append(value)
        return f"${len(self.arguments)}"


def _select(query: _Query, conditions: list[str], cut: Slice) -> str:
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


def _linked(home: Home, key: str) -> str:
    return (
        f"EXISTS (SELECT FROM bookmark_{home.value}s link "
        f"WHERE link.bookmark_id = b.id AND link.{home.value}_id = {key})"
    )


def _conditions(query: _Query, wanted: BookmarkFilter) -> list[str]:
    """Return the conditions of `wanted`, the owner's first."""
    owner = query.owner
    found = [f"b.owner_id = {owner}", f"b.deleted_at IS {'NOT NULL' if wanted.in_trash else 'NULL'}"]
    if wanted.collection_id is not None:
        root = query.bind(wanted.collection_id)
        below = _BELOW_COLLECTION.format(root=root, owner=owner)
        found.append(below if wanted.include_descendants else _linked(Home.COLLECTION, root))
    groups = [*wanted.all_tag_ids, *([] if wanted.any_tag_ids is None else [wanted.any_tag_ids])]
    found += [_linked(Home.TAG, f"ANY({query.bind(list(group))}::uuid[])") for group in groups]
    return found + _own_conditions(query, wanted)


def _own_conditions(query: _Query, wanted: BookmarkFilter) -> list[str]:
    """Return the conditions that need nothing but the bookmark and whether it has tags."""
    found = [
        f"b.{name} = {query.bind(value)}"
        for name in ("domain", "source", "is_favorite", "is_archived", "is_unread")
        if (value := getattr(wanted, name)) is not None
    ]
    if wanted.is_tagged is not None:
        negation = "" if wanted.is_tagged else "NOT "
        found.append(f"{negation}EXISTS (SELECT FROM bookmark_tags link WHERE link.bookmark_id = b.id)")
    if wanted.added_after is not None:
        found.append(f"b.added_at >= {query.bind(wanted.added_after)}")
    if wanted.added_before is not None:
        found.append(f"b.added_at < {query.bind(wanted.added_before)}")
    for column, text in (("url", wanted.url_contains), ("title", wanted.title_contains)):
        if text is not None:
            found.append(f"strpos(lower(b.{column}), lower({query.bind(text)})) > 0")
    return found
