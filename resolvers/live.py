"""Subscriptions whose events are the same for everybody who follows them as one account.

Such an event is executed and encoded once, however many follow it. For that a source must tell how far it has looked,
so that one who resumes from a cursor can join those who follow already, without gap or repetition.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

Row = TypeVar("Row")

# Given a sequence number, behind which everything there was has been yielded; true ends the source.
Quiet = Callable[[int], Awaitable[bool]]

SHARED: Final = "shared"
"""Under this name the metadata of a subscription field holds its `Shared`."""
PER_SESSION: Final = "per_session"
"""Under this name the metadata of a field says that its answer differs between the sessions of one account."""


@dataclass(frozen=True, slots=True)
class Shared:
    """Says that a field's source is a `Following`, and that who follows it makes no difference within one account.

    Each row has its number as `seq`. `missed(seq)` makes the row that tells of events lost up to there. `resume` names
    the argument that takes a cursor; without it the source begins now.
    """

    missed: Callable[[int], Any]
    resume: str = "after"


class Following(AsyncIterator[Row], Generic[Row]):
    """A source that tells `on_quiet`, once somebody has set it, whenever there is nothing more to yield for now."""

    __slots__ = ("_rows", "on_quiet")

    def __init__(self, source: Callable[[Quiet], AsyncGenerator[Row, None]]) -> None:
        self.on_quiet: Quiet | None = None
        self._rows = source(self._quiet)

    async def __anext__(self) -> Row:
        """Return the next row."""
        return await anext(self._rows)

    async def aclose(self) -> None:
        """End the source."""
        await self._rows.aclose()

    async def _quiet(self, seq: int) -> bool:
        return self.on_quiet is not None and await self.on_quiet(seq)
