"""What one chunk of an import writes: by COPY where the rows are new, in sets where they are not."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from db.query import Query
from db.tags import labels_of
from db.unit import Rows, Unit

_OWNER_LOCK = 0x696D_706F
BOOKMARK_COLUMNS = (
    *("id", "owner_id", "url", "canonical_url", "url_key", "url_key_version", "domain", "title", "description"),
    *("notes", "is_favorite", "is_unread", "is_private", "favicon_url", "source", "added_at", "url_words"),
    *("tag_words", "tag_list"),
)
_TEXTS = ("title", "description", "notes", "favicon_url")
FATE_COLUMNS = ("import_id", "row", "url", "title", "outcome", "reason", "bookmark_id", "undo")


class Raced(Exception):  # noqa: N818  a condition, not a mistake
    """Somebody else took an address, or removed a tag or collection, between the look and the write: look again."""


async def lock_owner(unit: Unit, owner_id: UUID) -> None:
    """Be the only import that writes for this owner until the transaction ends. Call it first."""
    await unit.execute("SELECT pg_advisory_xact_lock(hashtextextended($1::text, $2))", str(owner_id), _OWNER_LOCK)


async def existing(unit: Unit, owner_id: UUID, url_keys: Sequence[bytes]) -> list[asyncpg.Record]:
    """Return the owner's bookmarks among these keys, each with the ids of its tags and collections."""
    return await unit.fetch(
        """
        SELECT b.url_key, b.id, b.title, b.description, b.notes, b.favicon_url, b.is_favorite, b.is_archived,
            b.deleted_at, b.version,
            ARRAY(SELECT tag_id FROM bookmark_tags WHERE bookmark_id = b.id) AS tag_ids,
            ARRAY(SELECT collection_id FROM bookmark_collections WHERE bookmark_id = b.id) AS collection_ids
        FROM bookmarks b WHERE b.owner_id = $1 AND b.url_key = ANY($2)
        """,
        owner_id,
        list(url_keys),
    )


async def count_existing(rows: Rows, owner_id: UUID, url_keys: Sequence[bytes]) -> int:
    """Return how many of these keys the owner has bookmarks for, the trash included."""
    return int(
        await rows.fetchval(
            "SELECT count(*) FROM bookmarks WHERE owner_id = $1 AND url_key = ANY($2)", owner_id, list(url_keys)
        )
    )


async def states(rows: Rows, owner_id: UUID, url_keys: Sequence[bytes]) -> dict[bytes, str]:
    """Return `ACTIVE`, `ARCHIVED` or `TRASHED` for those of these keys that the owner has."""
    found = await rows.fetch(
        """
        SELECT url_key,
            CASE WHEN deleted_at IS NOT NULL THEN 'TRASHED' WHEN is_archived THEN 'ARCHIVED' ELSE 'ACTIVE' END AS state
        FROM bookmarks WHERE owner_id = $1 AND url_key = ANY($2)
        """,
        owner_id,
        list(url_keys),
    )
    return {row["url_key"]: row["state"] for row in found}


async def count_held(rows: Rows, owner_id: UUID) -> int:
    """Return how many bookmarks the owner has, the trash included."""
    return int(await rows.fetchval("SELECT count(*) FROM bookmarks WHERE owner_id = $1", owner_id))


async def lock_unchanged(unit: Unit, versions: dict[UUID, int]) -> None:
    """Lock bookmarks that are to be changed, in the order of their ids. Raises `Raced` when one is not as it was."""
    found = await unit.fetch(
        "SELECT id, version FROM bookmarks WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE", list(versions)
    )
    if {row["id"]: row["version"] for row in found} != versions:
        raise Raced


async def copy(unit: Unit, table: str, columns: Sequence[str], records: Sequence[tuple[Any, ...]]) -> None:
    """Write new rows by COPY. Raises `Raced` when a key is taken or what a row refers to is gone."""
    if not records:
        return
    try:
        await unit.connection.copy_records_to_table(table, records=records, columns=columns)
    except (asyncpg.UniqueViolationError, asyncpg.ForeignKeyViolationError) as error:
        raise Raced from error


async def change_bookmarks(
    unit: Unit, owner_id: UUID, changes: Sequence[tuple[UUID, dict[str, Any]]], *, count_up: bool
) -> None:
    """Set texts of locked bookmarks and take restored ones out of the trash; None leaves a column as it is.

    What they repeat of their tags is brought in step with those that they bear now, in the same version of the row.
    """
    query = Query(owner_id)
    keys = query.bind([key for key, _ in changes])
    texts = [query.bind([values.get(name) for _, values in changes]) for name in _TEXTS]
    restored = query.bind([bool(values.get("restored")) for _, values in changes])
    new = ", ".join([f"{keys}::uuid[]", *(f"{text}::text[]" for text in texts), f"{restored}::bool[]"])
    words, listed = labels_of(query, "b")
    await unit.execute(
        f"""
        UPDATE bookmarks b SET
            title = coalesce(new.title, b.title), description = coalesce(new.description, b.description),
            notes = coalesce(new.notes, b.notes), favicon_url = coalesce(new.favicon_url, b.favicon_url),
            deleted_at = CASE WHEN new.restored THEN NULL ELSE b.deleted_at END,
            version = b.version + {int(count_up)}, updated_at = now(), tag_words = {words}, tag_list = {listed}
        FROM unnest({new}) AS new (id, {", ".join(_TEXTS)}, restored)
        WHERE b.owner_id = {query.owner} AND b.id = new.id
        """,
        *query.arguments,
    )


async def add_links(
    unit: Unit, owner_id: UUID, *, tags: Sequence[tuple[UUID, UUID]], collections: Sequence[tuple[UUID, UUID]]
) -> None:
    """Add `(bookmark, tag)` and `(bookmark, collection)` pairs to bookmarks that are there, all the owner's."""
    if tags:
        await unit.execute(
            """
            INSERT INTO bookmark_tags (bookmark_id, tag_id, owner_id)
            SELECT pair.*, $1 FROM unnest($2::uuid[], $3::uuid[]) AS pair ON CONFLICT DO NOTHING
            """,
            owner_id,
            *zip(*sorted(tags), strict=True),
        )
    if collections:
        await unit.execute(
            """
            INSERT INTO bookmark_collections (bookmark_id, collection_id, owner_id)
            SELECT pair.*, $1 FROM unnest($2::uuid[], $3::uuid[]) AS pair ON CONFLICT DO NOTHING
            """,
            owner_id,
            *zip(*sorted(collections), strict=True),
        )


async def remember_objects(unit: Unit, import_id: UUID, kind: str, keys: Sequence[UUID]) -> None:
    """Remember collections or tags that an import made."""
    if keys:
        await unit.execute(
            """
            INSERT INTO import_objects (import_id, kind, object_id) SELECT $1, $2, unnest($3::uuid[])
            ON CONFLICT DO NOTHING
            """,
            import_id,
            kind,
            list(keys),
        )


async def tags_made_now(unit: Unit, owner_id: UUID) -> list[UUID]:
    """Return the tags that this transaction added."""
    found = await unit.fetch("SELECT id FROM tags WHERE owner_id = $1 AND created_at = now()", owner_id)
    return [row["id"] for row in found]


async def moment(unit: Unit) -> datetime:
    """Return when this transaction began, which is what `now()` says in it."""
    started: datetime = await unit.fetchval("SELECT now()")
    return started


async def namesakes(
    unit: Unit, owner_id: UUID, parents: Sequence[UUID | None], names: Sequence[str]
) -> list[tuple[UUID, UUID | None, str]]:
    """Return `(id, parent, name)` of plain collections with these names below these parents, in their order."""
    found = await unit.fetch(
        """
        SELECT id, parent_id, name, position FROM collections
        WHERE owner_id = $1 AND NOT is_smart AND name = ANY($3) AND parent_id = ANY($2)
        UNION ALL
        SELECT id, parent_id, name, position FROM collections
        WHERE $4 AND owner_id = $1 AND NOT is_smart AND name = ANY($3) AND parent_id IS NULL
        ORDER BY parent_id, position, id
        """,
        owner_id,
        [parent for parent in parents if parent is not None],
        list(names),
        None in parents,
    )
    return [(row["id"], row["parent_id"], row["name"]) for row in found]


async def add_collections(
    unit: Unit, owner_id: UUID, drafts: Sequence[tuple[UUID, UUID | None, str, str, str | None]]
) -> None:
    """Add collections, each `(id, parent, name, slug, description)`, behind their siblings, in the order given."""
    await unit.execute(
        """
        INSERT INTO collections (owner_id, id, parent_id, name, slug, description, position)
        SELECT $1, new.id, new.parent_id, new.name, new.slug, new.description,
            coalesce(CASE WHEN new.parent_id IS NULL
                THEN (SELECT max(position) FROM collections WHERE owner_id = $1 AND parent_id IS NULL)
                ELSE (SELECT max(position) FROM collections WHERE owner_id = $1 AND parent_id = new.parent_id)
            END, -1) + row_number() OVER (PARTITION BY new.parent_id ORDER BY new.place)
        FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[]) WITH ORDINALITY
            AS new (id, parent_id, name, slug, description, place)
        """,
        owner_id,
        *([draft[column] for draft in drafts] for column in range(5)),
    )
