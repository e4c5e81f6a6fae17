"""The provider that needs no network, no key and no money, and always gives the same answer."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from kit.ai.extracts import describe
from kit.ai.provider import MAX_TEXTS, Answer, Choices, Description, PageText, Question, Usage, Vocabulary
from kit.ai.sorting import Sorter
from kit.ai.vectors import Vectors, open_vectors

T = TypeVar("T")


class LocalProvider:
    """Static word vectors and the page's own words, on one thread of its own, so that the event loop stays free.

    The model is loaded with the first question: 1 s and 110 MB. One core reads some 10,000 pages a minute. Questions
    wait for each other. Where wordllama has no wheel, hashed words stand in and `detail` says so; their vectors are in
    a space of their own. Raises `ProviderDown` when the model is broken; the rest always succeeds.
    """

    name = "local"
    is_local = True

    def __init__(self, vectors: Vectors | None = None) -> None:
        self._vectors = open_vectors() if vectors is None else vectors
        self._sorter = Sorter(self._vectors)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="local-model")
        self.space = self._vectors.space
        self.version = f"{self._vectors.version}, rules 1"
        self.detail = self._vectors.detail

    async def describe(self, page: PageText) -> Answer[Description]:
        """Take description, summary and keywords from the page's own sentences and words."""
        return self._free(await self._run(lambda: describe(page, self._vectors)))

    async def choose(self, page: PageText, vocabulary: Vocabulary) -> Answer[Choices]:
        """Propose names whose words stand in the page or are near to it; a new tag may be one of its keywords."""
        return self._free(await self._run(lambda: self._sorter.choose(page, vocabulary)))

    async def embed(self, texts: Sequence[str]) -> Answer[list[list[float]]]:
        """Return the vectors of at most 256 texts, of which the first 8,000 characters are read."""
        if len(texts) > MAX_TEXTS:
            raise ValueError(f"at most {MAX_TEXTS} texts are embedded at once")
        return self._free(await self._run(lambda: self._vectors.embed(texts).tolist()))

    def most(self, _question: Question, _chars: int) -> Usage:
        """Return nothing: it is free."""
        return Usage(self.space.name)

    async def aclose(self) -> None:
        """End the thread after the question it is at."""
        await asyncio.to_thread(self._thread.shutdown, wait=True, cancel_futures=True)

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _free(self, value: T) -> Answer[T]:
        return Answer(value, (Usage(self.space.name),))
