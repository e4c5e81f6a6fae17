"""What is embedded of a bookmark, and the vectors that were made of it."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Final
from uuid import UUID

from db.embedding.spaces import SpaceRow
from db.unit import Rows, Unit
from db.vectors import fitted

MAX_PAGE_CHARS: Final = 2_000
"""So much of what the page of a bookmark says is read, from its beginning: the rest says little more of its meaning."""


@dataclass(frozen=True, slots=True)
class EmbeddableRow:
    """The words of a bookmark, the beginning of its page, when they were read, and the digest of what is embedded."""

    id: UUID
    title: str
    description: str | None
    summary: str | None
    notes: str | None
    keywords: list[str]
    tag_words: str
    domain: str
    page_text: str | None
    read_at: datetime
    digest: bytes | None


@dataclass(frozen=True, slots=True)
class NewEmbedding:
    """A vector to be kept: of which bookmark, of which text, and when that text was read."""

    bookmark_id: UUID
    vector: Sequence[float]
    digest: bytes
    read_at: datetime


_WORDS: Final = ", ".join(f"b.{item.name}" for item in fields(EmbeddableRow)[:-3])


async def embeddable(rows: Rows, owner_id: UUID, space: SpaceRow, keys: Sequence[UUID]) -> dict[UUID, EmbeddableRow]:
    """Return the words of the owner's bookmarks among `keys` that are not in the trash, by id."""
    found = await rows.fetch(
        f"""
        SELECT {_WORDS}, left(p.text, {MAX_PAGE_CHARS}) AS page_text, now() AS read_at, e.digest FROM bookmarks b
        LEFT JOIN pages p ON p.bookmark_id = b.id
        LEFT JOIN embeddings e ON e.bookmark_id = b.id AND e.space_id = $3
        WHERE b.owner_id = $1 AND b.id = ANY($2::uuid[]) AND b.deleted_at IS NULL
        """,
        owner_id,
        list(keys),
        space.id,
    )
    return {row["id"]: EmbeddableRow(**row) for row in found}


async def put(unit: Unit, owner_id: UUID, space: SpaceRow, new: NewEmbedding) -> bool:
    """Keep a vector, in the place of an older one; tell whether it was kept.

    It is not when the bookmark or the space has gone meanwhile, or when a text that was read later was embedded sooner.
    Raises `BadInput` for a vector that does not fit into the space.
    """
    vector = fitted(new.vector, space.dimensions)
    return bool(
        await unit.execute(
            """
            WITH home AS (SELECT id FROM embedding_spaces WHERE id = $3 AND name = $4 FOR KEY SHARE),
            bookmark AS (SELECT id, owner_id FROM bookmarks WHERE id = $2 AND owner_id = $1 FOR KEY SHARE)
            INSERT INTO embeddings AS e (bookmark_id, space_id, owner_id, vector, digest, embedded_at)
            SELECT bookmark.id, home.id, bookmark.owner_id, $5::real[]::halfvec, $6, $7 FROM bookmark, home
            ON CONFLICT (bookmark_id, space_id) DO UPDATE
            SET vector = excluded.vector, digest = excluded.digest, embedded_at = excluded.embedded_at
            WHERE e.embedded_at <= excluded.embedded_at
            """,
            owner_id,
            new.bookmark_id,
            space.id,
            space.name,
            vector,
            new.digest,
            new.read_at,
        )
    )


async def confirm(unit: Unit, owner_id: UUID, space: SpaceRow, key: UUID, *, digest: bytes, read_at: datetime) -> bool:
    """Keep in mind that the text of a bookmark, read at `read_at`, was still the one that is embedded."""
    return bool(
        await unit.execute(
            """
            UPDATE embeddings SET embedded_at = greatest(embedded_at, $5)
            WHERE bookmark_id = $2 AND space_id = $3 AND owner_id = $1 AND digest = $4
            """,
            owner_id,
            key,
            space.id,
            digest,
            read_at,
        )
    )


async def lacking(rows: Rows, space: SpaceRow | None, workflow: str, *, limit: int) -> dict[UUID, list[UUID]]:
    """Return at most `limit` bookmarks whose owner uses embeddings but that lack one of their present words, by owner.

    Without a space, which is not made yet, all of them lack one. An owner uses them who has an embedding in any space.
    Bookmarks in the trash are left out, and owners for whom a workflow `workflow` is under way.
    """
    found = await rows.fetch(
        """
        SELECT b.owner_id, b.id FROM users u
        CROSS JOIN LATERAL (
            SELECT b.owner_id, b.id FROM bookmarks b
            LEFT JOIN embeddings e ON e.bookmark_id = b.id AND e.space_id = $1
            WHERE b.owner_id = u.id AND b.deleted_at IS NULL AND (e.bookmark_id IS NULL OR e.embedded_at < b.updated_at)
            LIMIT $2
        ) AS b
        WHERE EXISTS (SELECT FROM embeddings e WHERE e.owner_id = u.id) AND NOT EXISTS (
            SELECT FROM a2a_tasks t
            WHERE t.owner_id = u.id AND t.workflow = $3 AND t.status IN ('PENDING', 'RUNNING', 'PAUSED')
        )
        LIMIT $2
        """,
        0 if space is None else space.id,
        limit,
        workflow,
    )
    owners: dict[UUID, list[UUID]] = {}
    for row in found:
        owners.setdefault(row["owner_id"], []).append(row["id"])
    return owners


async def covers(rows: Rows, space: SpaceRow, other: SpaceRow) -> bool:
    """Tell whether every bookmark outside the trash that is embedded in `other` is embedded in `space` too."""
    return not await rows.fetchval(
        """
        SELECT EXISTS (
            SELECT FROM embeddings o JOIN bookmarks b ON b.id = o.bookmark_id AND b.deleted_at IS NULL
            WHERE o.space_id = $2 AND NOT EXISTS (
                SELECT FROM embeddings n WHERE n.bookmark_id = o.bookmark_id AND n.space_id = $1
            )
        )
        """,
        space.id,
        other.id,
    )
