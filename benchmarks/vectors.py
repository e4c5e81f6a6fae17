"""Search by meaning and by both on vectors of the local model, against exact comparison and against the legs."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from statistics import fmean
from time import perf_counter
from typing import Final
from uuid import UUID

from app.samples import TOPICS
from app.seeding import fill
from benchmarks.harness import Findings, Goal, Options, Samples, Work, take_turns
from benchmarks.lab import Lab, Library, account
from db import embedding
from db.embedding import Neighbour, NewEmbedding, SpaceRow, Way
from db.embedding.spaces import index_of, make_index
from db.query import Query
from kit.ai import LocalProvider
from kit.paging import PageRequest
from services.embedding.meaning import Meaning
from services.embedding.spaces import space_for
from services.embedding.texts import digest_of, text_of
from services.permissions import Viewer
from services.search import find
from services.search.find import SearchMode

PAGE: Final = 20
NEAREST: Final = 10
WIDE: Final = 100
_CHUNK: Final = 1_000
_ASKED: Final = 256
_SMALL_SHARE: Final = 20  # the small account has a twentieth of the large one
_SAME: Final = 1e-3  # distances that 16 bits cannot tell apart
_TIMEOUT_SECONDS: Final = 60.0
_SCAN: Final = """
SELECT bookmark_id FROM embeddings WHERE owner_id = $1 AND space_id = {space.id}
ORDER BY (vector::halfvec({space.dimensions}) <=> (SELECT $2::real[]::halfvec({space.dimensions}))) + 0 LIMIT {limit}
"""
HYBRID_QUERIES: Final = (
    "sourdough",
    "guide to compound interest",
    "passkeys -beginners",
    "docs",
    "notes on dark matter",
)


@dataclass(frozen=True, slots=True)
class Shelf:
    """A library with its vectors, and questions as vectors."""

    library: Library
    space: SpaceRow
    questions: list[list[float]]
    meaning: Meaning


async def run(lab: Lab, options: Options) -> Findings:
    """Measure a large account by the index, a small one exactly, and what fusing costs."""
    findings = Findings("vectors")
    library = await lab.library(options.library)
    provider = LocalProvider()
    try:
        space = await space_for(library.database, provider)
        small = await account(library.database, "small@graphmark.example")
        await fill(library.database, small.id, options.library // _SMALL_SHARE, seed=options.seed + 7)
        # The index is built when the large account is there, which is ten times as fast as one vector after the other.
        await library.database.execute(f"DROP INDEX {index_of(space.id)}")
        await embed(library, library.viewer, space, provider)
        async with library.database.unit() as unit:
            await make_index(unit, space)
        taken = await embed(library, small, space, provider) * 1_000 / (options.library / _SMALL_SHARE)
        told = f"read, embedded, put into the index of {options.library:,}; one after the other"
        findings.plain("writing a vector", Samples([taken]), told)
        await library.database.execute("VACUUM ANALYZE")
        words = [f"{thing} in {topic}" for topic, things in TOPICS.items() for thing in things]
        questions = (await provider.embed(words)).value
        meaning = Meaning(lambda: [provider], timeout_seconds=_TIMEOUT_SECONDS)
        shelf = Shelf(library, space, questions, meaning)
        await _index_against_exact(findings, shelf, options)
        await _small_account(findings, shelf, small, options)
        await _fusion(findings, shelf, options)
    finally:
        await provider.aclose()
    return findings


async def embed(library: Library, viewer: Viewer, space: SpaceRow, provider: LocalProvider) -> float:
    """Embed everything of an account, a thousand in a transaction; return how many seconds that took."""
    database, began = library.database, perf_counter()
    keys = iter([row["id"] for row in await database.fetch("SELECT id FROM bookmarks WHERE owner_id = $1", viewer.id)])
    while chunk := list(islice(keys, _CHUNK)):
        rows = await embedding.embeddable(database, viewer.id, space, chunk)
        texts = {key: text_of(row, with_notes=True) for key, row in rows.items()}
        named = list(texts)
        vectors = [
            vector
            for start in range(0, len(named), _ASKED)
            for vector in (await provider.embed([texts[key] for key in named[start : start + _ASKED]])).value
        ]
        async with database.unit() as unit:
            for key, vector in zip(named, vectors, strict=True):
                new = NewEmbedding(key, vector, digest_of(texts[key]), rows[key].read_at)
                await embedding.put(unit, viewer.id, space, new)
    return perf_counter() - began


async def nearest(shelf: Shelf, owner_id: UUID, vector: Sequence[float], way: Way, limit: int) -> list[Neighbour]:
    """Ask for the nearest in one way, whatever the size of the account."""
    query = Query(owner_id)
    given = embedding.vector_given(shelf.space, query.bind(list(vector)))
    sql = f"""SELECT id, 1 - distance AS similarity FROM (
        {embedding.near(shelf.space, given, way, limit=limit)}) AS found ORDER BY distance, id"""
    return [
        Neighbour(row["id"], row["similarity"]) for row in await shelf.library.database.fetch(sql, *query.arguments)
    ]


async def _index_against_exact(findings: Findings, shelf: Shelf, options: Options) -> None:
    owner, size = shelf.library.viewer.id, shelf.library.size
    shares: list[float] = []
    for question in shelf.questions:
        exact, found = [await nearest(shelf, owner, question, way, NEAREST) for way in (Way.EXACT, Way.INDEX)]
        least = exact[-1].similarity - _SAME
        shares.append(sum(one.similarity >= least for one in found) / NEAREST)
    name = f"recall of the {NEAREST} nearest of {size:,}, {len(shares)} questions"
    findings.ratio(name, fmean(shares), "exact", Goal(0.98, is_upper=False), "as near as the tenth, by 0.001")
    for limit, goal in ((NEAREST, Goal(1 / 10)), (WIDE, None)):
        works = {way.name: _in_turn(shelf, owner, way, limit) for way in (Way.INDEX, Way.EXACT)}
        works["scan"] = _in_turn(shelf, owner, None, limit)
        measured = await take_turns(works, rounds=options.rounds, seed=options.seed)
        name = f"the {limit} nearest of {size:,}"
        findings.against(name, measured["INDEX"], "exact scan", measured["scan"], goal)
        findings.plain(f"{name}: along the index", measured["INDEX"])
        findings.plain(f"{name}: all compared, trash left out", measured["EXACT"])
        findings.plain(f"{name}: all compared, ids only", measured["scan"])


async def _small_account(findings: Findings, shelf: Shelf, small: Viewer, options: Options) -> None:
    size = shelf.library.size // _SMALL_SHARE
    for owner, expected in ((shelf.library.viewer.id, Way.INDEX), (small.id, Way.EXACT)):
        way = await embedding.way_for(shelf.library.database, owner, shelf.space)
        assert options.quick or way is expected, f"an account is searched by {way}"
    works = {way.name: _in_turn(shelf, small.id, way, WIDE) for way in (Way.INDEX, Way.EXACT)}
    measured = await take_turns(works, rounds=options.rounds, seed=options.seed)
    name = f"the {WIDE} nearest of {size:,} among {shelf.library.size + size:,}, compared exactly"
    findings.against(name, measured["EXACT"], "by the index", measured["INDEX"], Goal(1.0))


async def _fusion(findings: Findings, shelf: Shelf, options: Options) -> None:
    for query in HYBRID_QUERIES:
        works: dict[str, Work] = {mode.value: partial(_search, shelf, query, mode) for mode in SearchMode}
        measured = await take_turns(works, rounds=options.rounds, seed=options.seed)
        legs = [measured[mode.value] for mode in (SearchMode.FULL_TEXT, SearchMode.VECTOR)]
        both = Samples([sum(taken) for taken in zip(*(leg.values for leg in legs), strict=True)])
        name = f"hybrid search, {shelf.library.size:,} rows: {query}"
        findings.against(name, measured["HYBRID"], "the sum of its legs", both, Goal(1.5))
        for mode, leg in zip(("by words", "by meaning"), legs, strict=True):
            findings.plain(f"{mode} alone: {query}", leg)


def _in_turn(shelf: Shelf, owner_id: UUID, way: Way | None, limit: int) -> Work:
    """Return the work of asking the next question, so that no answer is asked for twice in a row.

    Without a way it is the least that an exact search can be: ids by distance, whether in the trash or not.
    """
    turn = 0

    async def ask() -> object:
        nonlocal turn
        turn += 1
        question = shelf.questions[turn % len(shelf.questions)]
        if way is not None:
            return await nearest(shelf, owner_id, question, way, limit)
        return await shelf.library.database.fetch(_SCAN.format(space=shelf.space, limit=limit), owner_id, question)

    return ask


async def _search(shelf: Shelf, text: str, mode: SearchMode) -> object:
    database, viewer = shelf.library.database, shelf.library.viewer
    query = await find.understand(database, viewer, text, mode, shelf.meaning)
    assert (query.aim is None) is (mode is SearchMode.FULL_TEXT)
    request = PageRequest(limit=PAGE, backward=False, position=None)
    return await find.page(database, viewer, query, request)
