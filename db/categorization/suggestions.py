"""Proposals: one for each bookmark, kind and key, so that what was decided once is known for ever."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from typing_extensions import TypeVar

from db.categorization.categories import OF_BOOKMARK
from db.collections import MAX_COLLECTIONS_OF_BOOKMARK
from db.collections import SOURCE as COLLECTIONS
from db.query import Query
from db.shapes import Keyset, Kind, One, Several, Shape, Source, Value, Whole
from db.tables.categorization import Suggestion
from db.tags import MAX_TAGS_OF_BOOKMARK
from db.tags import SOURCE as TAGS
from db.unit import Rows, Unit

SHOWN_OF_BOOKMARK = 20


class ProposalKind(StrEnum):
    """What is proposed for a bookmark."""

    TAG = "TAG"
    COLLECTION = "COLLECTION"
    CATEGORY = "CATEGORY"


class ProposalSource(StrEnum):
    """Where a proposal comes from."""

    RULE = "RULE"
    NEIGHBOURS = "NEIGHBOURS"
    PROVIDER = "PROVIDER"
    TAXONOMY = "TAXONOMY"


class ProposalStatus(StrEnum):
    """What became of a proposal."""

    PENDING = "PENDING"
    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    APPLIED = "APPLIED"
    SUPERSEDED = "SUPERSEDED"


@dataclass(frozen=True, slots=True)
class SuggestionRow:
    """A proposal. `confidence` is 0 to 1; of the three ids that of its kind is set, for a tag only if it exists."""

    id: UUID
    owner_id: UUID
    bookmark_id: UUID
    kind: str
    key: str
    name: str
    tag_id: UUID | None
    collection_id: UUID | None
    category_id: UUID | None
    rule_id: UUID | None
    confidence: float
    reason: str
    source: str
    status: str
    created_at: datetime
    updated_at: datetime
    decided_at: datetime | None

    @property
    def tag_name(self) -> str | None:
        """The path of the tag, for a proposal of one."""
        return self.name if self.kind == ProposalKind.TAG else None


@dataclass(frozen=True, slots=True, kw_only=True)
class SuggestionDraft:
    """A proposal before it is stored."""

    id: UUID
    bookmark_id: UUID
    kind: ProposalKind
    key: str
    name: str
    confidence: float
    reason: str
    source: ProposalSource
    tag_id: UUID | None = None
    collection_id: UUID | None = None
    category_id: UUID | None = None
    rule_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SuggestionFilter:
    """Which proposals; None means no condition. Those for bookmarks in the trash are never among them."""

    status: ProposalStatus | None = None
    kind: ProposalKind | None = None
    source: ProposalSource | None = None
    bookmark_id: UUID | None = None
    min_confidence: float | None = None


R = TypeVar("R", default=SuggestionRow)
Placed = tuple[R, float, UUID]
"""A row, its confidence, and its key."""
SOURCE = Source(
    table=Suggestion,
    computed={"tag_name": Value("CASE WHEN {row}.kind = 'TAG' THEN {row}.name END", Kind.TEXT, is_nullable=True)},
)
WHOLE = Whole(SuggestionRow)
OF_A_BOOKMARK = Several(
    SOURCE,
    needs=("id",),
    key="bookmark_id",
    order="({row}.status <> 'PENDING'), {row}.confidence DESC, {row}.id",
    limit=SHOWN_OF_BOOKMARK,
)
"""What is proposed for a bookmark: what waits first, then by confidence."""
TAG = One(TAGS, needs=("tag_id",), key="tag_id")
COLLECTION = One(COLLECTIONS, needs=("collection_id",), key="collection_id")
CATEGORY = One(OF_BOOKMARK.source, needs=("category_id",), key="category_id")

_COLUMNS = ", ".join(f"s.{item.name}" for item in fields(SuggestionRow))
_DRAFT = [item.name for item in fields(SuggestionDraft)]
_TYPES = {"confidence": "float8", "kind": "text", "key": "text", "name": "text", "reason": "text", "source": "text"}
_OPEN = "('PENDING', 'SUPERSEDED')"
_UPSERT = f"""
INSERT INTO suggestions AS s (owner_id, status, decided_at, {", ".join(_DRAFT)})
SELECT $1, $2, CASE WHEN $2 <> 'PENDING' THEN now() END, new.* FROM unnest(
    {", ".join(f"${number}::{_TYPES.get(name, 'uuid')}[]" for number, name in enumerate(_DRAFT, start=3))}
) AS new ({", ".join(_DRAFT)}) WHERE EXISTS (SELECT FROM bookmarks b WHERE b.id = new.bookmark_id AND b.owner_id = $1)
ON CONFLICT (bookmark_id, kind, key) DO UPDATE SET confidence = excluded.confidence, reason = excluded.reason,
    source = excluded.source, name = excluded.name, tag_id = excluded.tag_id, collection_id = excluded.collection_id,
    category_id = excluded.category_id, rule_id = excluded.rule_id, status = excluded.status, updated_at = now(),
    decided_at = excluded.decided_at
WHERE s.status IN {_OPEN} RETURNING {_COLUMNS}
"""


async def page(
    rows: Rows,
    owner_id: UUID,
    wanted: SuggestionFilter,
    *,
    descending: bool,
    position: tuple[float, UUID] | None,
    limit: int,
    shape: Shape[R] = WHOLE.by_default,
) -> list[Placed[R]]:
    """Return at most `limit` proposals beyond `position` by confidence, in the direction of reading."""
    query = Query(owner_id)
    keyset = Keyset("suggestions", "s", "s.confidence", descending, position, limit, "float8")
    return await keyset.page(rows, query, _conditions(query, wanted), shape)


async def count(rows: Rows, owner_id: UUID, wanted: SuggestionFilter) -> int:
    """Return how many proposals meet `wanted`."""
    query = Query(owner_id)
    where = " AND ".join(_conditions(query, wanted))
    return int(await rows.fetchval(f"SELECT count(*) FROM suggestions s WHERE {where}", *query.arguments))


async def to_accept(rows: Rows, owner_id: UUID, wanted: SuggestionFilter, *, limit: int) -> list[SuggestionRow]:
    """Return the surest of those that meet `wanted` and that their bookmark has room for."""
    query = Query(owner_id)
    conditions = [*_conditions(query, wanted), *_roomy()]
    found = await rows.fetch(
        f"SELECT {_COLUMNS} FROM suggestions s WHERE {' AND '.join(conditions)} "
        f"ORDER BY s.confidence DESC, s.id DESC LIMIT {int(limit)}",
        *query.arguments,
    )
    return [SuggestionRow(*row) for row in found]


async def count_to_accept(rows: Rows, owner_id: UUID, wanted: SuggestionFilter) -> int:
    """Return how many `to_accept` would return without its limit."""
    query = Query(owner_id)
    where = " AND ".join([*_conditions(query, wanted), *_roomy()])
    return int(await rows.fetchval(f"SELECT count(*) FROM suggestions s WHERE {where}", *query.arguments))


async def by_ids(rows: Rows, owner_id: UUID, keys: Sequence[UUID]) -> list[SuggestionRow]:
    """Return the owner's proposals among `keys`, in the order of their ids."""
    found = await rows.fetch(
        f"SELECT {_COLUMNS} FROM suggestions s WHERE s.owner_id = $1 AND s.id = ANY($2) ORDER BY s.id",
        owner_id,
        list(keys),
    )
    return [SuggestionRow(*row) for row in found]


async def lock(unit: Unit, owner_id: UUID, keys: Sequence[UUID]) -> list[SuggestionRow]:
    """Return the same and keep others from deciding about them. Lock their bookmarks before."""
    found = await unit.fetch(
        f"SELECT {_COLUMNS} FROM suggestions s WHERE s.owner_id = $1 AND s.id = ANY($2) ORDER BY s.id FOR UPDATE",
        owner_id,
        list(keys),
    )
    return [SuggestionRow(*row) for row in found]


async def propose(
    unit: Unit, owner_id: UUID, drafts: Sequence[SuggestionDraft], *, status: ProposalStatus = ProposalStatus.PENDING
) -> list[SuggestionRow]:
    """Store proposals; one that waits or was superseded is brought up to date, one that was decided stays as it is.

    Returns those that were stored. No two drafts may have bookmark, kind and key in common.
    """
    if not drafts:
        return []
    columns: list[list[Any]] = [[getattr(draft, name) for draft in drafts] for name in _DRAFT]
    return [SuggestionRow(*row) for row in await unit.fetch(_UPSERT, owner_id, status.value, *columns)]


async def supersede(unit: Unit, owner_id: UUID, bookmark_ids: Sequence[UUID], kept: Sequence[UUID]) -> int:
    """Put away what waits for these bookmarks and is not among `kept`; return how many."""
    return await unit.execute(
        """
        UPDATE suggestions SET status = 'SUPERSEDED', updated_at = now()
        WHERE owner_id = $1 AND bookmark_id = ANY($2) AND status = 'PENDING' AND id <> ALL($3)
        """,
        owner_id,
        list(bookmark_ids),
        list(kept),
    )


async def decide(
    unit: Unit, owner_id: UUID, keys: Iterable[UUID], status: ProposalStatus, *, tag_ids: Iterable[UUID | None] = ()
) -> list[SuggestionRow]:
    """Write down what became of proposals; `tag_ids` are the tags that they stand for now, in the order of `keys`."""
    ids = list(keys)
    found = await unit.fetch(
        f"""
        UPDATE suggestions s SET status = $2, decided_at = now(), updated_at = now(),
            tag_id = coalesce(decided.tag_id, s.tag_id)
        FROM unnest($3::uuid[], $4::uuid[]) AS decided (id, tag_id)
        WHERE s.owner_id = $1 AND s.id = decided.id RETURNING {_COLUMNS}
        """,
        owner_id,
        status.value,
        ids,
        list(tag_ids) or [None] * len(ids),
    )
    return [SuggestionRow(*row) for row in found]


async def rejected(rows: Rows, owner_id: UUID, bookmark_ids: Sequence[UUID]) -> set[tuple[UUID, str, str]]:
    """Return `(bookmark, kind, key)` of what the owner has rejected for these bookmarks."""
    found = await rows.fetch(
        """
        SELECT bookmark_id, kind, key FROM suggestions
        WHERE owner_id = $1 AND bookmark_id = ANY($2) AND status = 'REJECTED'
        """,
        owner_id,
        list(bookmark_ids),
    )
    return {(row["bookmark_id"], row["kind"], row["key"]) for row in found}


async def standing(rows: Rows, owner_id: UUID, pairs: Sequence[tuple[UUID, UUID]]) -> list[tuple[UUID, UUID]]:
    """Return which of these pairs of a bookmark and a tag or collection are links of the owner's."""
    found = await rows.fetch(
        """
        SELECT pair.bookmark_id, pair.target_id FROM unnest($2::uuid[], $3::uuid[]) AS pair (bookmark_id, target_id)
        JOIN bookmarks b ON b.id = pair.bookmark_id AND b.owner_id = $1 WHERE EXISTS (
            SELECT FROM bookmark_tags link WHERE link.bookmark_id = pair.bookmark_id AND link.tag_id = pair.target_id
        ) OR EXISTS (
            SELECT FROM bookmark_collections link
            WHERE link.bookmark_id = pair.bookmark_id AND link.collection_id = pair.target_id
        )
        """,
        owner_id,
        [one for one, _ in pairs],
        [other for _, other in pairs],
    )
    return [(row["bookmark_id"], row["target_id"]) for row in found]


async def verdicts(rows: Rows, owner_id: UUID, keys: Iterable[str]) -> dict[tuple[str, str], tuple[int, int]]:
    """Return for `(kind, key)` how often the owner accepted and rejected it on any bookmark, for those of `keys`."""
    found = await rows.fetch(
        """
        SELECT kind, key, count(*) FILTER (WHERE status = 'ACCEPTED') AS accepted,
            count(*) FILTER (WHERE status = 'REJECTED') AS rejected
        FROM suggestions WHERE owner_id = $1 AND kind = ANY($3) AND key = ANY($2)
            AND status IN ('ACCEPTED', 'REJECTED') GROUP BY kind, key
        """,
        owner_id,
        list(keys),
        [kind.value for kind in ProposalKind],
    )
    return {(row["kind"], row["key"]): (row["accepted"], row["rejected"]) for row in found}


def _conditions(query: Query, wanted: SuggestionFilter) -> list[str]:
    conditions = [
        f"s.owner_id = {query.owner}",
        "EXISTS (SELECT FROM bookmarks b WHERE b.id = s.bookmark_id AND b.deleted_at IS NULL)",
    ]
    if wanted.status is not None:
        # As text: only a constant lets the partial index of what waits be used. It is a value of our own enum.
        conditions.append(f"s.status = '{ProposalStatus(wanted.status).value}'")
    for column in ("kind", "source", "bookmark_id"):
        value = getattr(wanted, column)
        if value is not None:
            conditions.append(f"s.{column} = {query.bind(value)}")
    if wanted.min_confidence is not None:
        conditions.append(f"s.confidence >= {query.bind(wanted.min_confidence)}::float8")
    return conditions


def _roomy() -> list[str]:
    """Return the conditions that a bookmark has room for one more of the kind."""
    limits = {
        "TAG": ("bookmark_tags", MAX_TAGS_OF_BOOKMARK),
        "COLLECTION": ("bookmark_collections", MAX_COLLECTIONS_OF_BOOKMARK),
    }
    return [
        f"(s.kind <> '{kind}' OR (SELECT count(*) FROM {table} link WHERE link.bookmark_id = s.bookmark_id) < {limit})"
        for kind, (table, limit) in limits.items()
    ]
