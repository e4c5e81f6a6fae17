"""Retrieval sanity: how often the local model finds what people ask for in other words, and sorts by neighbours.

`make retrieval` prints the figures. The floors lie a little below what was measured: a fall is a regression, not noise,
because model, texts and ranking give the same answer each time.
"""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest

from db import embedding
from db.unit import Database
from kit.ai import LocalProvider
from kit.paging import PageRequest
from services.embedding.meaning import Meaning
from services.permissions import Viewer
from services.search import find
from services.search.find import SearchMode
from tests.make import Maker
from tests.meaning import embed_all

LIBRARY = Path(__file__).parents[1] / "data" / "retrieval" / "library.txt"
FIRST = PageRequest(limit=10, backward=False, position=None)
NEIGHBOURS = 5


@dataclass(frozen=True)
class Shelf:
    """Titles by topic, questions with the title that each asks for in other words."""

    topics: dict[str, str]
    questions: list[tuple[str, str]]


@dataclass(frozen=True)
class Scores:
    """Of all questions: the share answered within 10, the share answered first, the mean of 1 / place."""

    within_10: float
    first: float
    mean_reciprocal: float


@pytest.fixture(scope="module")
def labelled() -> Shelf:
    """The labelled library of tests/data/retrieval."""
    topics: dict[str, str] = {}
    questions: list[tuple[str, str]] = []
    topic = ""
    for line in LIBRARY.read_text().splitlines():
        if line.startswith("topic: "):
            topic = line.removeprefix("topic: ")
        elif line and not line.startswith("#"):
            title, _, asked = line.partition(" | ")
            topics[title] = topic
            questions += [(question, title) for question in asked.split(" ; ") if question]
    return Shelf(topics, questions)


@pytest.fixture
async def provider() -> AsyncIterator[LocalProvider]:
    """The local model, where it is more than hashed words."""
    provider = LocalProvider()
    yield provider
    await provider.aclose()


async def placed(database: Database, viewer: Viewer, meaning: Meaning, question: str, mode: SearchMode) -> list[str]:
    query = await find.understand(database, viewer, question, mode, meaning)
    return [hit.bookmark.title for hit in (await find.page(database, viewer, query, FIRST)).hits[:10]]


def scored(answers: list[tuple[list[str], str]]) -> Scores:
    places = [found.index(wanted) + 1 if wanted in found else None for found, wanted in answers]
    reached = [place for place in places if place is not None]
    return Scores(
        len(reached) / len(places), reached.count(1) / len(places), sum(1 / place for place in reached) / len(places)
    )


def needs_words(provider: LocalProvider) -> None:
    if "hash" in provider.space.name:
        pytest.skip("this platform has no wheel of wordllama; hashed words know no meaning")


def test_the_labelled_library_is_what_it_says(labelled: Shelf) -> None:
    assert len(labelled.topics) == 300
    assert set(Counter(labelled.topics.values()).values()) == {10}
    assert len(labelled.questions) == len(dict(labelled.questions)) == 148
    assert not {question for question, title in labelled.questions if question.lower() == title.lower()}


async def test_paraphrased_questions(
    database: Database, make: Maker, labelled: Shelf, provider: LocalProvider, capsys: pytest.CaptureFixture[str]
) -> None:
    needs_words(provider)
    viewer = await make.viewer()
    for title in labelled.topics:
        await make.bookmark(viewer, {"title": title})
    await embed_all(database, viewer, provider)
    meaning = Meaning(lambda: [provider], timeout_seconds=60)
    table: dict[SearchMode, Scores] = {}
    for mode in SearchMode:
        answers = [
            (await placed(database, viewer, meaning, question, mode), title) for question, title in labelled.questions
        ]
        table[mode] = scored(answers)
    with capsys.disabled():
        print(f"\n{len(labelled.questions)} paraphrased questions, 300 bookmarks")  # noqa: T201  the point of it
        for mode, scores in table.items():
            print(  # noqa: T201  one line of the table for each mode
                f"  {mode:<10} recall@10 {scores.within_10:.3f}   first {scores.first:.3f}"
                f"   mean reciprocal place {scores.mean_reciprocal:.3f}"
            )
    assert table[SearchMode.VECTOR].within_10 >= 0.70
    assert table[SearchMode.HYBRID].within_10 >= 0.70
    assert table[SearchMode.HYBRID].first >= 0.31
    assert table[SearchMode.FULL_TEXT].within_10 <= 0.20  # else the questions are no paraphrases


async def test_topics_by_neighbours(
    database: Database, make: Maker, labelled: Shelf, provider: LocalProvider, capsys: pytest.CaptureFixture[str]
) -> None:
    """A bookmark without its tag is put where most of its nearest neighbours, which have theirs, lie."""
    needs_words(provider)
    viewer = await make.viewer()
    keys: dict[UUID, str] = {}
    for title, topic in labelled.topics.items():
        keys[(await make.bookmark(viewer, {"title": title, "tags": [topic]})).id] = topic
    await embed_all(database, viewer, provider)
    bare = [(await provider.embed([f"{title}\nexample.org"])).value[0] for title in labelled.topics]
    right = 0
    for (key, topic), vector in zip(keys.items(), bare, strict=True):
        found = await embedding.neighbours(database, viewer.id, vector, NEIGHBOURS + 1)
        weights: dict[str, float] = {}
        for one in [one for one in found if one.bookmark_id != key][:NEIGHBOURS]:
            weights[keys[one.bookmark_id]] = weights.get(keys[one.bookmark_id], 0.0) + one.similarity
        right += max(weights, key=weights.__getitem__) == topic
    share = right / len(keys)
    with capsys.disabled():
        told = f"{share:.3f} sorted rightly by {NEIGHBOURS} neighbours"
        print(f"\n{len(keys)} bookmarks, 30 topics: {told}")  # noqa: T201  the point of it
    assert share >= 0.52
