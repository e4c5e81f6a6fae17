"""Filling an account with made-up bookmarks by COPY, as fast as the database takes them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final, NamedTuple
from uuid import UUID

from app.samples import Sample, samples
from db.tags import labels
from db.unit import Database, Unit
from kit.ids import new_id
from kit.text import slug_of, tag_path
from kit.urls import identify, url_words

CHUNK: Final = 2_000
"""Bookmarks of one transaction."""

_BOOKMARK_COLUMNS: Final = (
    *(
        "id",
        "owner_id",
        "url",
        "canonical_url",
        "url_key",
        "url_key_version",
        "domain",
        "title",
        "description",
        "notes",
    ),
    *("is_favorite", "is_archived", "is_unread", "source", "added_at", "created_at", "updated_at", "url_words"),
    *("tag_words", "tag_list"),
)
_COLLECTION_COLUMNS: Final = ("id", "owner_id", "parent_id", "name", "slug")
_TAG_COLUMNS: Final = ("id", "owner_id", "parent_id", "name", "path", "path_key")
Row = tuple[Any, ...]


class _Tag(NamedTuple):
    """A tag that is there or comes with the chunk."""

    id: UUID
    name: str
    path: str
    path_key: str


@dataclass
class _Known:
    """Tags and collections that the account has, by key and by path."""

    tags: dict[str, _Tag] = field(default_factory=dict)
    collections: dict[tuple[str, ...], UUID] = field(default_factory=dict)


@dataclass
class _Chunk:
    """Rows to be written together."""

    bookmarks: list[Row] = field(default_factory=list)
    collections: list[Row] = field(default_factory=list)
    tags: list[Row] = field(default_factory=list)
    bookmark_tags: list[Row] = field(default_factory=list)
    bookmark_collections: list[Row] = field(default_factory=list)


async def fill(
    database: Database, owner_id: UUID, count: int, *, seed: int = 1, progress: Callable[[int], None] = lambda _: None
) -> int:
    """Add `count` made-up bookmarks with their tags and collections, and return how many are new.

    Those that the account has already are left as they are, so the same seed twice adds nothing. `progress` is told
    how many bookmarks have been looked at. Each chunk of `CHUNK` is a transaction of its own.
    """
    known = await _known(database, owner_id)
    found = iter(samples(count, seed=seed))
    added = done = 0
    while batch := list(islice(found, CHUNK)):
        async with database.unit() as unit:
            added += await _write(unit, owner_id, batch, known)
        done += len(batch)
        progress(done)
    return added


async def _known(database: Database, owner_id: UUID) -> _Known:
    tags = await database.fetch("SELECT id, name, path, path_key FROM tags WHERE owner_id = $1", owner_id)
    collections = await database.fetch(
        """
        WITH RECURSIVE placed AS (
            SELECT id, ARRAY[name] AS path FROM collections WHERE owner_id = $1 AND parent_id IS NULL
            UNION ALL SELECT c.id, placed.path || c.name FROM collections c JOIN placed ON c.parent_id = placed.id
        ) SELECT path, id FROM placed
        """,
        owner_id,
    )
    return _Known({row["path_key"]: _Tag(*row) for row in tags}, {tuple(row["path"]): row["id"] for row in collections})


async def _write(unit: Unit, owner_id: UUID, batch: Sequence[Sample], known: _Known) -> int:
    identities = [identify(sample.url) for sample in batch]
    present = await unit.fetch(
        "SELECT url_key FROM bookmarks WHERE owner_id = $1 AND url_key = ANY($2)",
        owner_id,
        [identity.key for identity in identities],
    )
    taken = {row["url_key"] for row in present}
    chunk = _Chunk()
    for sample, identity in zip(batch, identities, strict=True):
        if identity.key in taken:
            continue
        key = new_id()
        borne = [_tag(chunk, owner_id, path, known) for path in sample.tags]
        chunk.bookmarks.append(
            (
                *(key, owner_id, identity.original, identity.canonical, identity.key, identity.key_version),
                *(identity.domain, sample.title, sample.description, sample.notes),
                *(sample.is_favorite, sample.is_archived, sample.is_unread, "IMPORT"),
                *(sample.added_at, sample.added_at, sample.added_at, url_words(identity.canonical), *labels(borne)),
            )
        )
        chunk.bookmark_tags += [(tag.id, key, owner_id) for tag in borne]
        chunk.bookmark_collections.append((_collection(chunk, owner_id, sample.folder, known), key, owner_id))
    await _copy(unit, "collections", _COLLECTION_COLUMNS, chunk.collections)
    await _copy(unit, "tags", _TAG_COLUMNS, chunk.tags)
    await _copy(unit, "bookmarks", _BOOKMARK_COLUMNS, chunk.bookmarks)
    await _copy(unit, "bookmark_tags", ("tag_id", "bookmark_id", "owner_id"), chunk.bookmark_tags)
    await _copy(unit, "bookmark_collections", ("collection_id", "bookmark_id", "owner_id"), chunk.bookmark_collections)
    return len(chunk.bookmarks)


def _tag(chunk: _Chunk, owner_id: UUID, path: str, known: _Known) -> _Tag:
    """Return a tag; it and those above it are added where the account lacks them."""
    parent: _Tag | None = None
    for step in tag_path(path).lineage():
        tag = known.tags.get(step.key)
        if tag is None:
            tag = known.tags[step.key] = _Tag(new_id(), step.name, step.path, step.key)
            chunk.tags.append((tag.id, owner_id, parent and parent.id, step.name, step.path, step.key))
        parent = tag
    assert parent is not None  # noqa: S101  a tag path has at least one step
    return parent


def _collection(chunk: _Chunk, owner_id: UUID, folder: tuple[str, ...], known: _Known) -> UUID:
    """Return the id of a collection; it and those above it are added where the account lacks them."""
    parent: UUID | None = None
    for depth in range(1, len(folder) + 1):
        path = folder[:depth]
        key = known.collections.get(path)
        if key is None:
            key = known.collections[path] = new_id()
            chunk.collections.append((key, owner_id, parent, path[-1], slug_of(path[-1])))
        parent = key
    assert parent is not None  # noqa: S101  samples lie in a folder
    return parent


async def _copy(unit: Unit, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
    await unit.connection.copy_records_to_table(table, records=rows, columns=columns)
