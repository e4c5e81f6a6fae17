"""Which bookmarks bear a tag, and what a bookmark repeats of its tags: words to search, a list to show."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Protocol
from uuid import UUID

import orjson

from db.query import Query
from db.shapes import Identity, Kept, Link, Member, Printed, Several
from db.tags.rows import SOURCE
from db.unit import Unit
from kit.ids import encode_global_id

TYPE_NAME = "Tag"
MAX_TAGS_OF_BOOKMARK = 100
OF_BOOKMARK = Several(
    SOURCE,
    needs=("id",),
    link=Link("bookmark_tags", "bookmark_id", "tag_id"),
    order='{row}.path_key COLLATE "C"',
    limit=MAX_TAGS_OF_BOOKMARK,
    kept=Kept("tag_list", (("id", Identity(TYPE_NAME)), ("name", SOURCE.values["name"]))),
)
"""The tags of a bookmark in the order of their paths. Their ids and names are kept in the bookmark's own row."""
_LISTED = Printed((Member("id", Identity(TYPE_NAME)), Member("name", SOURCE.values["name"])))
_WORDS = """(
    SELECT coalesce(string_agg(replace(t.path, '/', ' '), ' ' ORDER BY t.path_key COLLATE "C"), '')
    FROM bookmark_tags link JOIN tags t ON t.id = link.tag_id WHERE link.bookmark_id = {row}.id
)"""
_REMEMBERED = 10_000
_REFRESH_CHUNK = 1_000  # each statement stays far below the statement timeout


def labels_of(query: Query, row: str) -> tuple[str, str]:
    """Return the SQL of `tag_words`, which full-text search reads, and of `tag_list`, which lists show, of a bookmark.

    `tag_list` is what a list that selects `tags { id name }` prints without it: the same expression makes both.
    """
    return _WORDS.format(row=row), OF_BOOKMARK.sql(query, row, "t", _LISTED.json(query, "t"))


class Borne(Protocol):
    """What of a tag its bookmarks repeat."""

    @property
    def id(self) -> UUID:
        """Its key."""
        ...

    @property
    def name(self) -> str:
        """Its own name."""
        ...

    @property
    def path(self) -> str:
        """The names that lead to it, and its own."""
        ...

    @property
    def path_key(self) -> str:
        """What it is ordered by."""
        ...


def labels(borne: Iterable[Borne]) -> tuple[str, Any]:
    """Return `tag_words` and `tag_list` of bookmarks with these tags, as COPY takes them: what `labels_of` prints."""
    ordered = sorted(borne, key=lambda tag: tag.path_key)  # by code points, which is the order of UTF-8 bytes
    listed = b",".join([_listed(tag.id, tag.name) for tag in ordered[:MAX_TAGS_OF_BOOKMARK]])
    words = " ".join([tag.path for tag in ordered]).replace("/", " ")
    return words, orjson.Fragment(b"[" + listed + b"]")


@lru_cache(maxsize=_REMEMBERED)
def _listed(key: UUID, name: str) -> bytes:
    return orjson.dumps({"id": encode_global_id(TYPE_NAME, key), "name": name})


async def replace_links(unit: Unit, bookmark_id: UUID, tag_ids: Sequence[UUID]) -> bool:
    """Let a bookmark bear exactly these tags; tell whether that changed anything. Whoever calls has locked it."""
    gone = await unit.execute(
        "DELETE FROM bookmark_tags WHERE bookmark_id = $1 AND tag_id <> ALL($2)", bookmark_id, list(tag_ids)
    )
    come = await unit.execute(
        """
        INSERT INTO bookmark_tags (bookmark_id, tag_id, owner_id)
        SELECT b.id, tag, b.owner_id FROM bookmarks b, unnest($2::uuid[]) AS tag WHERE b.id = $1 ON CONFLICT DO NOTHING
        """,
        bookmark_id,
        list(tag_ids),
    )
    return gone + come > 0


async def lock_bookmarks(unit: Unit, owner_id: UUID, tag_ids: Sequence[UUID]) -> list[UUID]:
    """Return the ids of all bookmarks that bear one of these tags, the trash included, locked in their order.

    Without the lock a bookmark could be purged between looking at its links and writing others.
    """
    found = await unit.fetch(
        """
        SELECT id FROM bookmarks WHERE owner_id = $1
            AND id IN (SELECT bookmark_id FROM bookmark_tags WHERE tag_id = ANY($2))
        ORDER BY id FOR NO KEY UPDATE
        """,
        owner_id,
        list(tag_ids),
    )
    return [row["id"] for row in found]


async def refresh_labels(unit: Unit, owner_id: UUID, bookmark_ids: Sequence[UUID]) -> None:
    """Bring `bookmarks.tag_words` and `bookmarks.tag_list` in step with the tags that they bear now.

    Whoever calls has locked the bookmarks. Rows that are in step are not written.
    """
    ordered = sorted(bookmark_ids)
    for start in range(0, len(ordered), _REFRESH_CHUNK):
        query = Query(owner_id)
        wanted = query.bind(ordered[start : start + _REFRESH_CHUNK])
        words, listed = labels_of(query, "bearer")
        # json has no equality; as text it has, and text is what must be the same.
        await unit.execute(
            f"""
            UPDATE bookmarks b SET tag_words = fresh.words, tag_list = fresh.list FROM (
                SELECT bearer.id, {words} AS words, {listed} AS list FROM unnest({wanted}::uuid[]) AS bearer (id)
            ) AS fresh
            WHERE b.owner_id = {query.owner} AND b.id = fresh.id
                AND (b.tag_words <> fresh.words OR b.tag_list::text <> fresh.list::text)
            """,
            *query.arguments,
        )
