"""A model for tests that knows a few words, and the way from bookmarks to their vectors."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from db import embedding
from db.embedding import NewEmbedding, SpaceRow
from db.unit import Database
from kit.ai import MAX_TEXTS, Answer, Choices, Description, PageText, Provider, Question, Space, Usage, Vocabulary
from kit.settings import Settings
from services.embedding.spaces import space_for
from services.embedding.texts import digest_of, text_of
from services.permissions import Viewer
from tasks.agent import Batch, Done, Item, Outcome, Tools
from tasks.embedding import process

CONCEPTS: Mapping[str, int] = {
    **dict.fromkeys(("bread", "loaf", "baking", "sourdough"), 0),
    **dict.fromkeys(("bicycle", "bike", "cycling"), 1),
    **dict.fromkeys(("star", "planet", "astronomy"), 2),
    **dict.fromkeys(("money", "saving", "budget"), 3),
    **dict.fromkeys(("garden", "rose"), 4),
}
"""What a word is about. Other words are about nothing."""


@dataclass
class Concepts:
    """A provider whose vectors count what the words of a text are about. `asked` keeps the texts of each call.

    It meets the test at `met`, does not answer while `gate` is not set, and raises `failure` where there is one.
    """

    space: Space = field(default_factory=lambda: Space("test/concepts", 8))
    name: str = "test"
    version: str = "concepts 1"
    detail: str = "A few words, for tests."
    is_local: bool = True
    failure: Exception | None = None
    gate: asyncio.Event | None = None
    met: asyncio.Barrier | None = None
    asked: list[list[str]] = field(default_factory=list)

    async def describe(self, page: PageText) -> Answer[Description]:
        """Fail: no test of meaning asks."""
        raise NotImplementedError("search by meaning asks for vectors only")

    async def choose(self, page: PageText, vocabulary: Vocabulary) -> Answer[Choices]:
        """Fail: no test of meaning asks."""
        raise NotImplementedError("search by meaning asks for vectors only")

    async def embed(self, texts: Sequence[str]) -> Answer[list[list[float]]]:
        """Count concepts."""
        self.asked.append(list(texts))
        if self.met is not None:
            await self.met.wait()
        if self.gate is not None:
            await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        return Answer([self.vector(text) for text in texts], (Usage("concepts"),))

    def most(self, question: Question, chars: int) -> Usage:
        """Cost nothing."""
        return Usage(f"{question} {chars}")

    def vector(self, text: str) -> list[float]:
        """Return how often each concept is met, and a little of something that every text has."""
        counts = [0.0] * self.space.dimensions
        for word in text.lower().split():
            if word in CONCEPTS:
                counts[CONCEPTS[word] % self.space.dimensions] += 1.0
        return counts

    async def aclose(self) -> None:
        """Hold nothing."""


def batch_of(database: Database, owner: Viewer, keys: Sequence[UUID], provider: Provider) -> Batch:
    """Return a batch of the embedding agent."""
    items = [Item(position, key, 1) for position, key in enumerate(keys)]
    nothing: Any = None  # this agent reads no pages
    tools = Tools(
        settings=Settings(), database=database, fetcher=nothing, pages=nothing, provider=provider, browser=None
    )
    return Batch(task_id=UUID(int=1), owner_id=owner.id, tools=tools, items=items)


async def run_agent(database: Database, owner: Viewer, keys: Sequence[UUID], provider: Provider) -> list[Outcome]:
    """Let the agent embed bookmarks and write what came out."""
    outcomes = list(await process(batch_of(database, owner, keys, provider)))
    for outcome in outcomes:
        if isinstance(outcome, Done) and outcome.write is not None:
            async with database.unit() as unit:
                assert list(await outcome.write(unit)) == []
    return outcomes


async def embed_all(database: Database, owner: Viewer, provider: Provider) -> SpaceRow:
    """Embed everything that somebody has outside the trash, past the agent, in one transaction."""
    space = await space_for(database, provider)
    keys = await database.fetch("SELECT id FROM bookmarks WHERE owner_id = $1 AND deleted_at IS NULL", owner.id)
    found = await embedding.embeddable(database, owner.id, space, [row["id"] for row in keys])
    texts = {key: text_of(row, with_notes=provider.is_local) for key, row in found.items()}
    asked, vectors = list(texts.values()), []
    for start in range(0, len(asked), MAX_TEXTS):
        vectors += (await provider.embed(asked[start : start + MAX_TEXTS])).value
    async with database.unit() as unit:
        for (key, text), vector in zip(texts.items(), vectors, strict=True):
            if any(vector):
                new = NewEmbedding(key, vector, digest_of(text), found[key].read_at)
                assert await embedding.put(unit, owner.id, space, new)
    return space
