"""A model as categorization asks it."""

from collections.abc import Sequence
from typing import Protocol

from kit.ai import Choices, PageText, Space, Vocabulary


class Model(Protocol):
    """Answers, without their bills: who pays, and when, is the business of whoever made it (tasks.spending).

    Every method raises what that of `kit.ai.Provider` raises, and when there is no money left.
    """

    @property
    def space(self) -> Space:
        """Where its vectors can be compared."""
        ...

    async def choose(self, page: PageText, vocabulary: Vocabulary) -> Choices:
        """Propose how to sort a page."""
        ...

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return a vector for each text; at most 256 texts at once."""
        ...
