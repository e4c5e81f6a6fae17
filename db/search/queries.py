"""Finding the best bookmarks for a condition, in time that hardly grows with how common a word is.

At most `CAP` bookmarks are ranked. If more match, they are the newest `CAP` of them, and the answer says so. They are
collected in one of two ways:

index  the full-text index gives all that match, and the newest of them are kept: `matches` visits of the table
walk   the newest bookmarks are looked at one by one until `CAP` were found: `CAP / share of matches` visits

Which is cheaper is decided inside the statement, by how many of the newest `PROBE` bookmarks match: the two meet where
the share is the root of `CAP` by the size of the table. A walk ends after `WALK_ROWS`; when it found too few until
then, the index is asked after all.

Of the ways that were tried this was the best. Measured on accounts of 100,000 and 1,000,000: ranking all that match is
as fast for rare words and 10 to 200 times slower for common ones; any `CAP` matches instead of the newest still wait
for the index to list all, and favour old bookmarks; asking the planner for its estimate first (EXPLAIN) decides as
well, costs 0.3 ms more, and knows nothing of one owner's words. `python -m benchmarks --only search` has the figures.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import asyncpg

from db.bookmarks import COLUMNS, BookmarkRow
from db.search.conditions import Bearing, Compiled, Condition, Tagged, replaced, tags_in
from db.search.fusion import FUSED, NEAREST, Aim, nearest
from db.search.words import WORD_BREAKS
from db.unit import Rows
from db.wall import INDEXED

CAP: Final = 1_000
"""Most bookmarks that are ranked, counted and paged through."""

PROBE: Final = 100
"""So many of the newest bookmarks are looked at to guess how common the match is."""

WALK_ROWS: Final = 30_000
"""Most bookmarks looked at one by one."""

SNIPPET_SOURCE_CHARS: Final = 20_000
"""So much of a description or of notes is looked through for a snippet."""

_SCORE: Final = "ts_rank_cd('{0.1, 0.3, 0.8, 1.0}', hits.search, (SELECT rank FROM q), 33)::float8"
"""Weights of address, description and notes, tags, title; 33 = tempered by length (1) and brought below 1 (32)."""

_MINE: Final = "b.owner_id = $1 AND b.deleted_at IS NULL"
_NEWEST: Final = "ORDER BY b.added_at DESC, b.id DESC"
_EXTRA: Final = 4  # columns in front of a bookmark's in the statement of `page`


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
    return replaced(condition, found)


async def page(
    rows: Rows,
    owner_id: UUID,
    condition: Condition,
    aim: Aim | None = None,
    *,
    position: Position | None,
    backward: bool,
    limit: int,
) -> FoundRows:
    """Return at most `limit` hits beyond `position`, in the direction of reading. With an `aim` also by meaning."""

    def statement(compiled: Compiled, ranking: str) -> str:
        # The limit is part of the text, because PostgreSQL plans a statement of unknown limit anew each time.
        beyond = ""
        if position is not None:
            score, added_at, key = (compiled.bind(value) for value in position)
            compare = ">" if backward else "<"
            beyond = f"WHERE (score, added_at, id) {compare} ({score}::float8, {added_at}::timestamptz, {key}::uuid)"
        way = "ASC" if backward else "DESC"
        return f"""
        WITH {ranking}, page AS (
            SELECT * FROM ranked {beyond}
            ORDER BY score {way}, added_at {way}, id {way} LIMIT {limit:d}
        )
        SELECT outcome.is_partial, outcome.is_short, outcome.matches, page.score, {COLUMNS} FROM outcome
        LEFT JOIN page ON true LEFT JOIN bookmarks b ON b.id = page.id
        ORDER BY page.score {way}, page.added_at {way}, page.id {way}
        """

    found = await _ask(rows, owner_id, condition, aim, statement)
    matches = found[0]["matches"]
    hits = [SearchHitRow(BookmarkRow(*row[_EXTRA:]), row["score"]) for row in found if row["score"] is not None]
    return FoundRows(hits, min(matches, CAP), is_capped=matches > CAP)


async def facets(
    rows: Rows, owner_id: UUID, condition: Condition, aim: Aim | None = None, *, limit: int
) -> tuple[list[SearchFacetRow], list[SearchFacetRow]]:
    """Return the most frequent domains and tag paths among the ranked bookmarks, at most `limit` of each."""

    def statement(_compiled: Compiled, ranking: str) -> str:
        most = f"ORDER BY 3 DESC, 2 LIMIT {limit:d}"
        return f"""
        WITH {ranking}, best AS (
            SELECT b.id, b.domain FROM ranked JOIN bookmarks b USING (id)
        ), counted AS (
            (SELECT 'domain' AS kind, domain AS value, count(*) AS count FROM best GROUP BY domain {most})
            UNION ALL
            (SELECT 'tag', t.path, count(*) FROM best JOIN bookmark_tags link ON link.bookmark_id = best.id
            JOIN tags t ON t.id = link.tag_id GROUP BY t.id {most})
        )
        SELECT outcome.is_partial, outcome.is_short, counted.* FROM outcome LEFT JOIN counted ON true
        ORDER BY kind, count DESC, value
        """

    kinds: dict[str | None, list[SearchFacetRow]] = {"domain": [], "tag": [], None: []}
    for row in await _ask(rows, owner_id, condition, aim, statement, ranked=aim is not None):
        kinds[row["kind"]].append(SearchFacetRow(row["value"], row["count"]))
    return kinds["domain"], kinds["tag"]


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


async def _ask(
    rows: Rows,
    owner_id: UUID,
    condition: Condition,
    aim: Aim | None,
    statement: Callable[[Compiled, str], str],
    *,
    ranked: bool = True,
) -> list[asyncpg.Record]:
    """Run `statement` on a ranking, and again where a shorter way to it was taken that turned out to find too few.

    Its rows begin with `is_partial`: a walk through the newest bookmarks ended too soon; and `is_short`: the index of a
    space gave too few.
    """

    async def run(aim: Aim | None, *, may_walk: bool) -> list[asyncpg.Record]:
        by_words = aim is None or not aim.is_alone
        compiled = Compiled(owner_id, condition, filtered=by_words, ranked=ranked and by_words)
        return await rows.fetch(statement(compiled, _ranking(compiled, aim, may_walk=may_walk)), *compiled.arguments)

    found = await run(aim, may_walk=True)
    surer = aim.surer() if aim is not None and found[0]["is_short"] else None
    if found[0]["is_partial"] or surer is not None:
        found = await run(surer or aim, may_walk=not found[0]["is_partial"])
    return found


def _ranking(compiled: Compiled, aim: Aim | None, *, may_walk: bool) -> str:
    """Return common table expressions that end in two.

    ranked   at most CAP bookmarks: id, time of adding, score
    outcome  `matches`, CAP and one when there are more than were ranked; `is_partial`, `is_short` (see `_ask`)
    """
    by_meaning = "" if aim is None else nearest(compiled, aim)
    is_short = "false" if aim is None else f"(SELECT count(*) FROM compared) < {NEAREST}"
    if aim is not None and aim.is_alone:
        return f"""{compiled.text_relation()}, {by_meaning}, ranked AS MATERIALIZED (
            SELECT id, added_at, similarity AS score FROM near
        ), outcome AS (
            SELECT (SELECT count(*) FROM ranked) AS matches, false AS is_partial, {is_short} AS is_short
        )"""
    by_words = f"""{_collected(compiled, may_walk=may_walk)}, scored AS MATERIALIZED (
        SELECT id, added_at, {"0::float8" if compiled.rank is None else _SCORE} AS score
        FROM (SELECT * FROM hits LIMIT {CAP}) AS hits
    )"""
    if aim is None:
        return f"""{by_words}, ranked AS (SELECT * FROM scored), outcome AS (
            SELECT matches, is_partial, {is_short} AS is_short FROM total
        )"""
    best = "ORDER BY score DESC, added_at DESC, id DESC"
    return f"""{by_words}, {by_meaning}, by_words AS (
        SELECT id, added_at, row_number() OVER ({best}) AS place FROM scored
    ), fused AS MATERIALIZED ({FUSED}), ranked AS MATERIALIZED (
        SELECT * FROM fused {best} LIMIT {CAP}
    ), outcome AS (
        SELECT greatest((SELECT count(*) FROM fused), matches) AS matches, is_partial, {is_short} AS is_short FROM total
    )"""


def _collected(compiled: Compiled, *, may_walk: bool = True) -> str:
    """Return the common table expressions `hits`, the newest CAP and one that match, and `total`, what they come to.

    Without words and tags there is nothing that an index would find, and the planner walks of itself.
    """
    columns = "b.id, b.added_at" + ("" if compiled.rank is None else ", b.search")
    if not (may_walk and (compiled.texts or compiled.has_tags)):
        return f"""{compiled.text_relation()}, hits AS MATERIALIZED (
            SELECT {columns} FROM {INDEXED} b WHERE {_MINE} AND {compiled.where()} {_NEWEST} LIMIT {CAP + 1}
        ), total AS (SELECT count(*) AS matches, false AS is_partial FROM hits)"""
    one_by_one = compiled.where(indexed=False)
    return f"""{compiled.text_relation()}, probe AS MATERIALIZED (
        SELECT count(*) >= {PROBE} * sqrt({CAP} / greatest(
            1, (SELECT reltuples FROM pg_class WHERE oid = 'bookmarks'::regclass)
        )) AS is_common FROM {_newest(PROBE)} WHERE {one_by_one}
    ), hits AS MATERIALIZED (
        (SELECT {columns} FROM {INDEXED} b
        WHERE NOT (SELECT is_common FROM probe) AND {_MINE} AND {compiled.where()} {_NEWEST} LIMIT {CAP + 1})
        UNION ALL
        (SELECT {columns} FROM {_newest(WALK_ROWS)}
        WHERE (SELECT is_common FROM probe) AND {one_by_one} LIMIT {CAP + 1})
    ), total AS (
        SELECT count(*) AS matches, CASE WHEN (SELECT is_common FROM probe) AND count(*) <= {CAP} THEN EXISTS (
            SELECT FROM bookmarks b WHERE {_MINE} {_NEWEST} OFFSET {WALK_ROWS}
        ) ELSE false END AS is_partial FROM hits
    )"""


def _newest(number: int) -> str:
    return f"(SELECT b.* FROM bookmarks b WHERE {_MINE} {_NEWEST} LIMIT {number}) AS b"


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
