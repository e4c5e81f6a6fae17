"""What begins with what somebody has typed so far. Each kind is found by an index or among a bounded number of rows."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from db.search.conditions import Compiled, Words
from db.unit import Rows

LOOKED_AT: Final = 2_000
"""So many of the newest bookmarks are looked through for titles."""


class SuggestionKind(StrEnum):
    """What a suggestion is."""

    TAG = "TAG"
    COLLECTION = "COLLECTION"
    DOMAIN = "DOMAIN"
    TITLE = "TITLE"


@dataclass(frozen=True, slots=True)
class SuggestionRow:
    """A tag's path, a collection's name, a domain or a title. `id` is that of the tag, collection or bookmark."""

    kind: SuggestionKind
    text: str
    id: UUID | None


_TAGS: Final = """
SELECT path AS text, id FROM tags WHERE owner_id = $1 AND starts_with(path_key, $2)
ORDER BY char_length(path_key), path_key LIMIT $3
"""
_COLLECTIONS: Final = """
SELECT name AS text, id FROM collections WHERE owner_id = $1 AND starts_with(lower(name), $2)
ORDER BY char_length(name), name, id LIMIT $3
"""
# From one domain to the next by the index, instead of through all bookmarks of each.
_DOMAINS: Final = """
WITH RECURSIVE steps AS (
    SELECT typed.start, 1 AS step, (
        SELECT min(b.domain) FROM bookmarks b WHERE b.owner_id = $1 AND b.domain >= typed.start
    ) AS domain FROM unnest(ARRAY[$2::text, 'www.' || $2::text]) AS typed (start)
    UNION ALL SELECT steps.start, steps.step + 1, (
        SELECT min(b.domain) FROM bookmarks b WHERE b.owner_id = $1 AND b.domain > steps.domain
    ) FROM steps WHERE starts_with(steps.domain, steps.start) AND steps.step < $3
)
SELECT DISTINCT domain AS text, NULL::uuid AS id FROM steps WHERE starts_with(domain, start) AND EXISTS (
    SELECT FROM bookmarks b WHERE b.owner_id = $1 AND b.domain = steps.domain AND b.deleted_at IS NULL
) ORDER BY 1 LIMIT $3
"""


async def beginning_with(
    rows: Rows, owner_id: UUID, folded: str, title: Words | None, *, limit: int
) -> list[list[SuggestionRow]]:
    """Return at most `limit` tags, collections, domains and titles, a list of each in this order.

    `folded` is the prefix in its folded form (kit.text), `title` the same as words of a title or None without words.
    """
    found = [
        [SuggestionRow(kind, row["text"], row["id"]) for row in await rows.fetch(sql, owner_id, folded, limit)]
        for kind, sql in (
            (SuggestionKind.TAG, _TAGS),
            (SuggestionKind.COLLECTION, _COLLECTIONS),
            (SuggestionKind.DOMAIN, _DOMAINS),
        )
    ]
    return [*found, [] if title is None else await _titles(rows, owner_id, title, limit)]


async def _titles(rows: Rows, owner_id: UUID, title: Words, limit: int) -> list[SuggestionRow]:
    compiled = Compiled(owner_id, title, ranked=False)
    found = await rows.fetch(
        f"""
        WITH {compiled.text_relation()}
        SELECT b.title AS text, b.id FROM (
            SELECT id, title, search FROM bookmarks b WHERE b.owner_id = $1 AND b.deleted_at IS NULL
            ORDER BY b.added_at DESC, b.id DESC LIMIT {LOOKED_AT}
        ) AS b WHERE {compiled.where(indexed=False)} LIMIT {compiled.bind(limit)}
        """,
        *compiled.arguments,
    )
    return [SuggestionRow(SuggestionKind.TITLE, row["text"], row["id"]) for row in found]
