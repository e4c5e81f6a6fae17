"""Full-text search against the SQL that it comes down to, against ILIKE, and against ranking everything."""

from dataclasses import dataclass
from functools import partial
from typing import Final

from app.samples import vocabulary
from benchmarks.harness import Findings, Goal, Options, Samples, Work, take_turns
from benchmarks.lab import Lab, Library
from db.bookmarks import COLUMNS
from db.search.queries import CAP
from kit.paging import PageRequest
from services.search import find
from services.search.find import SearchMode

PAGE: Final = 20
RARE, MID, COMMON = "rare", "mid", "common"
QUERIES: Final = {
    MID: ("sourdough", "passkeys -beginners", "Руководство"),
    COMMON: ("guide", "notes OR guide", "docs"),
}
_RARE_MATCHES: Final = 20  # bookmarks that a rare word is in, at most
_RARE_CHARS: Final = 8  # so long that it is no part of many other words

# The page that search returns as one plain statement, capped like search, the way of collecting left to the planner.
_PAGE_SQL: Final = f"""
WITH hits AS MATERIALIZED (
    SELECT id, added_at, search FROM bookmarks
    WHERE owner_id = $1 AND deleted_at IS NULL AND search @@ ({{tsquery}}) {{cap}}
), ranked AS (
    SELECT id, added_at,
        ts_rank_cd('{{{{0.1, 0.3, 0.8, 1.0}}}}', search, ({{wanted}}), 33)::float8 AS score FROM hits
) SELECT score, (SELECT count(*) FROM hits), {COLUMNS} FROM (
    SELECT * FROM ranked ORDER BY score DESC, added_at DESC, id DESC LIMIT {PAGE + 1}
) AS page JOIN bookmarks b USING (id) ORDER BY score DESC, b.added_at DESC, b.id DESC
"""
_CAPPED: Final = f"ORDER BY added_at DESC, id DESC LIMIT {CAP}"
# As much as search finds, neither ranked nor told apart by fields.
_ILIKE: Final = f"""
SELECT {COLUMNS}, count(*) OVER () FROM (
    SELECT * FROM bookmarks WHERE owner_id = $1 AND deleted_at IS NULL
        AND (title ILIKE $2 OR description ILIKE $2 OR notes ILIKE $2 OR url ILIKE $2 OR tag_words ILIKE $2) {_CAPPED}
) AS b ORDER BY added_at DESC, id DESC LIMIT {PAGE + 1}
"""


def _either(number: int) -> str:
    return f"(to_tsquery('simple', ${number}) || to_tsquery('english', ${number}))"


@dataclass(frozen=True, slots=True)
class _Sql:
    """A query written by hand: the tsquery, the part of it to rank by, its words."""

    tsquery: str
    words: tuple[str, ...]
    wanted: str = ""


_BY_HAND: Final = {
    "sourdough": _Sql(_either(2), ("sourdough",)),
    "passkeys -beginners": _Sql(f"{_either(2)} && !! {_either(3)}", ("passkeys", "beginners"), _either(2)),
    "Руководство": _Sql(_either(2), ("руководство",)),
    "guide": _Sql(_either(2), ("guide",)),
    "notes OR guide": _Sql(f"{_either(2)} || {_either(3)}", ("notes", "guide")),
    "docs": _Sql(_either(2), ("docs",)),
}


async def run(lab: Lab, options: Options) -> Findings:
    """Measure search on an ordinary and on a huge account."""
    findings = Findings("search")
    library = await lab.library(options.library)
    ours: list[float] = []
    ilike: list[float] = []
    for kind, queries in {RARE: await _rare(library, options), **QUERIES}.items():
        for query in queries:
            measured = await _against_sql(library, query, options)
            name = f"{kind} words, {library.size:,} rows: {query}"
            findings.against(name, measured["ours"], "capped SQL", measured["sql"], Goal(1.3))
            ours += measured["ours"].values
            ilike += measured["ilike"].values
    _report_p95(findings, library, ours, ilike)
    await _huge(findings, await lab.library(options.huge), options)
    return findings


async def _huge(findings: Findings, library: Library, options: Options) -> None:
    """Measure where ranking everything, or looking at everything, hurts."""
    rounds = options.rounds // 5
    for query in QUERIES[COMMON]:
        works: dict[str, Work] = {
            "ours": partial(_search, library, query),
            "all": partial(_by_hand, library, query, ""),
        }
        measured = await take_turns(works, rounds=rounds, seed=options.seed)
        name = f"common words, {library.size:,} rows: {query}"
        findings.against(name, measured["ours"], "ranking all", measured["all"], Goal(1 / 8))
    ours: list[float] = []
    ilike: list[float] = []
    for query in (*await _rare(library, options), QUERIES[MID][0], QUERIES[COMMON][0]):
        works = {"ours": partial(_search, library, query), "ilike": partial(_ilike, library, query)}
        measured = await take_turns(works, rounds=rounds, seed=options.seed)
        ours += measured["ours"].values
        ilike += measured["ilike"].values
    _report_p95(findings, library, ours, ilike)
    works = {"first": partial(_search, library, "guide"), "last": await _last_page(library, "guide")}
    measured = await take_turns(works, rounds=options.rounds, seed=options.seed)
    name = f"last page of “guide”, {library.size:,} rows"
    findings.against(name, measured["last"], "its first", measured["first"], Goal(2))


def _report_p95(findings: Findings, library: Library, ours: list[float], ilike: list[float]) -> None:
    """Compare the slow end of a mix of rare, mid and common words."""
    name = f"95 % of rare, mid and common words, {library.size:,} rows"
    findings.against(name, Samples(ours), "ILIKE", Samples(ilike), Goal(1 / 50), p95=True)


async def _rare(library: Library, options: Options) -> list[str]:
    """Return three words that a few bookmarks of the library have."""
    found: list[str] = []
    for name in reversed(vocabulary(options.seed)):
        matches = await library.database.fetchval(
            "SELECT count(*) FROM bookmarks WHERE search @@ to_tsquery('simple', $1)", name
        )
        if len(name) >= _RARE_CHARS and 1 <= matches <= _RARE_MATCHES:
            found.append(name)
        if len(found) == 3:  # noqa: PLR2004  as many as there are of the other kinds
            break
    return found


def _sql_of(query: str) -> _Sql:
    return _BY_HAND.get(query) or _Sql(_either(2), (query.lower(),))


async def _against_sql(library: Library, query: str, options: Options) -> dict[str, Samples]:
    works: dict[str, Work] = {
        "ours": partial(_search, library, query),
        "sql": partial(_by_hand, library, query, _CAPPED),
        "ilike": partial(_ilike, library, query),
    }
    found, written = await _search(library, query), await _by_hand(library, query, _CAPPED)
    assert [row["id"] for row in written] == found, f"{query!r} finds something else than the SQL by hand"
    return await take_turns(works, rounds=options.rounds, seed=options.seed)


async def _search(library: Library, query: str, position: tuple[object, ...] | None = None) -> list[object]:
    understood = await find.understand(library.database, library.viewer, query, SearchMode.FULL_TEXT)
    request = PageRequest(limit=PAGE, backward=False, position=position)  # type: ignore[arg-type]  # of position_of
    page = await find.page(library.database, library.viewer, understood, request)
    return [hit.bookmark.id for hit in page.hits]


async def _last_page(library: Library, query: str) -> Work:
    """Page through to the end and return the work of asking for the last full page again."""
    understood = await find.understand(library.database, library.viewer, query, SearchMode.FULL_TEXT)
    position = None
    for _ in range(CAP // PAGE - 1):
        request = PageRequest(limit=PAGE, backward=False, position=position)
        page = await find.page(library.database, library.viewer, understood, request)
        position = find.position_of(page.hits[PAGE - 1])
    return partial(_search, library, query, position)


async def _ilike(library: Library, query: str) -> list[object]:
    pattern = f"%{_sql_of(query).words[-1]}%"
    return [row["id"] for row in await library.database.fetch(_ILIKE, library.viewer.id, pattern)]


async def _by_hand(library: Library, query: str, cap: str) -> list[dict[str, object]]:
    sql = _sql_of(query)
    text = _PAGE_SQL.format(tsquery=sql.tsquery, wanted=sql.wanted or sql.tsquery, cap=cap)
    return [dict(row) for row in await library.database.fetch(text, library.viewer.id, *sql.words)]
