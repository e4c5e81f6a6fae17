"""Finding the best bookmarks for a condition, in time that does not grow with how common a word is.

At most `CAP` bookmarks are ranked. If more match, they are the newest `CAP` of them, and the answer says so.

How they are collected depends on the words. The index (GIN) gives all bookmarks that match, so a word that half of
the library has costs hundreds of thousands of visits; walking the newest bookmarks and looking for the word in each
finds enough of a common word at once, and not enough of a rare one. The planner's statistics decide which is tried
first; a walk is bounded by `WALK_ROWS` and gives way to the index when it did not find `CAP`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from db.bookmarks import COLUMNS, BookmarkRow
from db.search.conditions import Bearing, Compiled, Condition, Tagged, tags_in, with_tags
from db.search.words import WORD_BREAKS
from db.unit import Rows

CAP: Final = 1_000
"""Most bookmarks that are ranked, counted and paged through."""

WALK_ROWS: Final = 30_000
"""Most bookmarks looked at one by one, newest first, in the hope of a common word."""

COMMON_SHARE: Final = 1.5 * CAP / WALK_ROWS
"""Share of the owner's bookmarks from which on a walk is expected to find enough, with some safety."""

MAX_FACETS: Final = 20
SNIPPET_SOURCE_CHARS: Final = 20_000
"""So much of a description or of notes is looked through for a snippet."""

_SCORE: Final = "ts_rank_cd('{0.1, 0.3, 0.8, 1.0}', hits.search, (SELECT rank FROM q), 33)::float8"
"""Weights of address, description and notes, tags, title; 33 = tempered by length (1) and brought below 1 (32)."""

_WIDTH: Final = len(BookmarkRow.__slots__)


@dataclass(frozen=True, slots=True)
class SearchHitRow:
    """A bookmark that matches. `score` lies from 0 to below 1; 0 for all where no word was looked for."""

    bookmark: BookmarkRow
    score: float


@dataclass(frozen=True, slots=True)
class FoundRows:
    """A page of hits, best first, one more than asked for when the list goes on.

    `matches` counts at most `CAP`; `is_capped` says that there are more.
    """

    hits: list[SearchHitRow]
    matches: int
    is_capped: bool


@dataclass(frozen=True, slots=True)
class SearchFacetRow:
    """How many of the ranked bookmarks have `value`."""

    value: str
    count: int


@dataclass(frozen=True, slots=True)
class HeadlineRow:
    """The fields of one bookmark in which words were found, marked by U+0002 and U+0003; None where none was."""

    id: UUID
    title: str | None
    description: str | None
    notes: str | None


Position = tuple[float, datetime, UUID]
"""Score, time of adding, id: the order of results, each descending."""


async def page(
    rows: Rows, owner_id: UUID, condition: Condition, *, position: Position | None, backward: bool, limit: int
) -> FoundRows:
    """Return at most `limit` hits beyond `position`, in the direction of reading."""
    if await _is_common(rows, owner_id, condition):
        found = await _page(rows, owner_id, condition, position, backward=backward, limit=limit, walk=True)
        if found.is_capped:
            return found
    return await _page(rows, owner_id, condition, position, backward=backward, limit=limit, walk=False)


async def facets(
    rows: Rows, owner_id: UUID, condition: Condition, *, limit: int
) -> tuple[list[SearchFacetRow], list[SearchFacetRow]]:
    """Return the most frequent domains and tag paths among the ranked bookmarks, at most `limit` of each."""
    walk = await _is_common(rows, owner_id, condition)
    compiled = Compiled(owner_id, condition, ranked=False)
    count = compiled.bind(limit)
    sql = f"""
    WITH {compiled.text_relation()}, hits AS MATERIALIZED ({_hits(compiled, walk=walk)}),
    best AS (SELECT b.id, b.domain FROM (SELECT id FROM hits LIMIT {CAP}) AS ranked JOIN bookmarks b USING (id)),
    domains AS (
        SELECT 'd' AS kind, domain AS value, count(*) FROM best GROUP BY domain ORDER BY 3 DESC, 2 LIMIT {count}
    ), tagged AS (
        SELECT 't' AS kind, t.path AS value, count(*)
        FROM best JOIN bookmark_tags link ON link.bookmark_id = best.id JOIN tags t ON t.id = link.tag_id
        GROUP BY t.id ORDER BY 3 DESC, 2 LIMIT {count}
    ) SELECT * FROM domains UNION ALL SELECT * FROM tagged ORDER BY kind, count DESC, value
    """
    found = await rows.fetch(sql, *compiled.arguments)
    kinds: dict[str, list[SearchFacetRow]] = {"d": [], "t": []}
    for row in found:
        kinds[row["kind"]].append(SearchFacetRow(row["value"], row["count"]))
    return kinds["d"], kinds["t"]


async def headlines(rows: Rows, owner_id: UUID, condition: Condition, keys: Sequence[UUID]) -> list[HeadlineRow]:
    """Return where the words of `condition` stand in the bookmarks `keys`; nothing when it looks for no word."""
    compiled = Compiled(owner_id, condition, filtered=False)
    if compiled.rank is None:
        return []
    wanted = compiled.bind(list(keys))
    source = {name: f"left(b.{name}, {SNIPPET_SOURCE_CHARS})" for name in ("title", "description", "notes")}
    columns = ", ".join(f"{_headline(text, whole=name == 'title')} AS {name}" for name, text in source.items())
    sql = f"""
    WITH {compiled.text_relation()}
    SELECT b.id, {columns} FROM bookmarks b WHERE b.owner_id = $1 AND b.id = ANY ({wanted}::uuid[])
    """
    return [HeadlineRow(**row) for row in await rows.fetch(sql, *compiled.arguments)]


async def resolved(rows: Rows, owner_id: UUID, condition: Condition) -> Condition:
    """Return the condition with its tags looked up, which is what the other functions take."""
    wanted = list(dict.fromkeys(tags_in(condition)))
    if not wanted:
        return condition
    found: dict[Tagged, Condition] = {}
    for row in await rows.fetch(
        """
        SELECT wanted.number, array_agg(t.id) FILTER (WHERE t.id IS NOT NULL) AS ids
        FROM unnest($2::text[], $3::boolean[]) WITH ORDINALITY AS wanted (key, prefix, number)
        LEFT JOIN tags t ON t.owner_id = $1 AND starts_with(t.path_key, wanted.key)
            AND (wanted.prefix OR t.path_key = wanted.key OR starts_with(t.path_key, wanted.key || '/'))
        GROUP BY wanted.number
        """,
        owner_id,
        [tag.key for tag in wanted],
        [tag.prefix for tag in wanted],
    ):
        found[wanted[row["number"] - 1]] = Bearing(tuple(row["ids"] or ()))
    return with_tags(condition, found)


async def _page(
    rows: Rows,
    owner_id: UUID,
    condition: Condition,
    position: Position | None,
    *,
    backward: bool,
    limit: int,
    walk: bool,
) -> FoundRows:
    compiled = Compiled(owner_id, condition)
    beyond = ""
    if position is not None:
        score, added_at, key = (compiled.bind(value) for value in position)
        compare = ">" if backward else "<"
        beyond = f"WHERE (score, added_at, id) {compare} ({score}::float8, {added_at}::timestamptz, {key}::uuid)"
    order = ", ".join(f"{name} {'ASC' if backward else 'DESC'}" for name in ("score", "added_at", "id"))
    score_sql = "0::float8" if compiled.rank is None else _SCORE
    sql = f"""
    WITH {compiled.text_relation()}, hits AS MATERIALIZED ({_hits(compiled, walk=walk)}),
    ranked AS MATERIALIZED (
        SELECT id, added_at, {score_sql} AS score FROM (SELECT * FROM hits LIMIT {CAP}) AS hits
    ), page AS (
        SELECT id, added_at, score FROM ranked {beyond} ORDER BY {order} LIMIT {compiled.bind(limit)}
    )
    SELECT total.matches, page.score, {COLUMNS} FROM (SELECT count(*) AS matches FROM hits) AS total
    LEFT JOIN page ON true LEFT JOIN bookmarks b ON b.id = page.id
    ORDER BY {order.replace("score", "page.score").replace("added_at", "page.added_at").replace("id ", "page.id ")}
    """
    found = await rows.fetch(sql, *compiled.arguments)
    matches = found[0]["matches"]
    hits = [SearchHitRow(BookmarkRow(*row[2:]), row[1]) for row in found if row[1] is not None]
    return FoundRows(hits, min(matches, CAP), is_capped=matches > CAP)


def _hits(compiled: Compiled, *, walk: bool) -> str:
    """Return the statement for the newest CAP and one bookmarks that match."""
    vector = "" if compiled.rank is None else ", b.search"
    newest = "ORDER BY b.added_at DESC, b.id DESC"
    if walk:
        scope = f"""(
            SELECT b.* FROM bookmarks b WHERE b.owner_id = $1 AND b.deleted_at IS NULL {newest} LIMIT {WALK_ROWS}
        ) AS b"""
        return f"SELECT b.id, b.added_at{vector} FROM {scope} WHERE {compiled.where(indexed=False)} LIMIT {CAP + 1}"
    return f"""
    SELECT b.id, b.added_at{vector} FROM bookmarks b
    WHERE b.owner_id = $1 AND b.deleted_at IS NULL AND {compiled.where()} {newest} LIMIT {CAP + 1}
    """


async def _is_common(rows: Rows, owner_id: UUID, condition: Condition) -> bool:
    """Tell whether, by the planner's statistics, so many of the owner's bookmarks match that a walk finds CAP."""
    compiled = Compiled(owner_id, condition, ranked=False)
    if not (compiled.texts or compiled.has_tags):
        return False  # nothing in it that some index would find: the planner walks of itself
    mine = "SELECT FROM bookmarks b WHERE b.owner_id = $1 AND b.deleted_at IS NULL"
    explained = await rows.fetchval(
        f"EXPLAIN (FORMAT JSON) {mine} AND {compiled.where(inline=True)} UNION ALL {mine}", *compiled.arguments
    )
    matching, all_mine = _estimates(explained)
    return matching > CAP and matching >= COMMON_SHARE * all_mine


def _estimates(explained: Any) -> tuple[float, float]:
    first, second = explained[0]["Plan"]["Plans"]
    return float(first["Plan Rows"]), float(second["Plan Rows"])


def _headline(text: str, *, whole: bool) -> str:
    """Return SQL for `text` with the found words marked, or NULL when none was.

    Punctuation is set apart by U+0001 first, because the parser of PostgreSQL would take `node.js` for one word.
    English forms of words are tried first, then exactly the words, for phrases of words that English leaves out.
    """
    apart = f"regexp_replace(translate({text}, '\x01\x02\x03', ''), '([{WORD_BREAKS}])', '\x01\\1\x01', 'g')"
    extent = "HighlightAll=true" if whole else "MaxFragments=1, MaxWords=35, MinWords=15, ShortWord=0"
    options = f'{extent}, StartSel="\x02", StopSel="\x03"'
    tried = ", ".join(
        f"(ts_headline('{language}'::regconfig, {apart}, (SELECT rank FROM q), '{options}'))"
        for language in ("english", "simple")
    )
    return f"(SELECT marked FROM (VALUES {tried}) AS tries (marked) WHERE strpos(marked, '\x02') > 0 LIMIT 1)"
