"""What the words of a query mean: vectors made by a provider in this process, remembered, and never waited for long.

A search must not depend on a model. When the provider is slow, busy or away, when it answers nonsense, when nothing is
embedded yet: the search goes on by full text and tells why.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import structlog

from db import embedding
from db.embedding import SpaceRow, Way
from db.unit import Rows
from db.vectors import fitted
from kit.ai import Provider
from kit.errors import BadInput, GraphmarkError
from services.permissions import Viewer

log = structlog.get_logger(__name__)

MAX_REMEMBERED: Final = 1_000
"""Most query texts whose vectors are remembered: some 10 MB when full."""

MAX_UNDER_WAY: Final = 32
"""Most query texts that wait for the provider at once; a search beyond that does without it."""

MAX_OWNERS: Final = 10_000
_WAY_SECONDS: Final = 60.0  # how long it is remembered whether an account is large

Key = tuple[str, str]
AskFor = Callable[[Provider, UUID, str], Awaitable[list[float]]]
"""Embeds a text with a provider on the account of an owner."""


@dataclass(frozen=True, slots=True)
class Meant:
    """Where to look, and near what: a vector of the space."""

    space: SpaceRow
    way: Way
    vector: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Unclear:
    """There is nothing to look for by meaning, and why, in words that finish “Nothing was searched by meaning: …”."""

    reason: str


NOTHING_YET: Final = Unclear("none of your bookmarks is embedded yet.")


async def unmetered(provider: Provider, _owner_id: UUID, text: str) -> list[float]:
    """Ask at nobody's expense."""
    answer = await provider.embed([text])
    return answer.value[0]


class Meaning:
    """Gives query texts their vectors. One in a process; `open_providers` is called when the first text comes.

    The first provider is the one that bookmarks are embedded with now; others may still know an older space. `ask` asks
    one of them on somebody's account: whoever looks for a text first pays for it.
    """

    def __init__(
        self, open_providers: Callable[[], Sequence[Provider]], *, timeout_seconds: float, ask: AskFor = unmetered
    ) -> None:
        self._open = open_providers
        self._ask_for = ask
        self._providers: Sequence[Provider] | None = None
        self._timeout_seconds = timeout_seconds
        self._known: OrderedDict[Key, tuple[float, ...]] = OrderedDict()
        self._under_way: dict[Key, asyncio.Task[tuple[float, ...]]] = {}
        self._ways: OrderedDict[tuple[UUID, int], tuple[float, Way]] = OrderedDict()

    @property
    def detail(self) -> str:
        """What answers here, in a sentence."""
        return self._opened()[0].detail

    async def aclose(self) -> None:
        """Give up what is under way and close the providers."""
        for task in list(self._under_way.values()):
            task.cancel()
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)
        for provider in self._providers or ():
            await provider.aclose()

    async def of(self, rows: Rows, viewer: Viewer, text: str) -> Meant | Unclear:
        """Return where a query text points among the viewer's bookmarks, or why that cannot be said."""
        spaces = await embedding.all_spaces(rows)
        if not spaces:
            return NOTHING_YET
        serving = self._serving(spaces)
        if serving is None:
            return Unclear("the model that your bookmarks were embedded with is not set up here any more.")
        space, provider = serving
        way = await self.way(rows, viewer, space)
        if way is None:
            return NOTHING_YET
        vector = await self._vector(provider, viewer, space, text)
        return vector if isinstance(vector, Unclear) else Meant(space, way, vector)

    async def way(self, rows: Rows, viewer: Viewer, space: SpaceRow) -> Way | None:
        """Return how the viewer's vectors are best searched; None when there are none. Remembered for a minute."""
        now, key = time.monotonic(), (viewer.id, space.id)
        known = self._ways.get(key)
        if known is not None and known[0] > now:
            return known[1]
        way = await embedding.way_for(rows, viewer.id, space)
        if way is not None:
            self._ways[key] = (now + _WAY_SECONDS, way)
            if len(self._ways) > MAX_OWNERS:
                self._ways.popitem(last=False)
        return way

    def _opened(self) -> Sequence[Provider]:
        if self._providers is None:
            self._providers = self._open()
        return self._providers

    def _serving(self, spaces: Sequence[SpaceRow]) -> tuple[SpaceRow, Provider] | None:
        """Return the space to search and who makes vectors of it: the active one, or else one that is known here."""
        providers = {(one.space.name, one.space.dimensions): one for one in self._opened()}
        for space in sorted(spaces, key=lambda one: not one.is_active):
            provider = providers.get((space.name, space.dimensions))
            if provider is not None:
                return space, provider
        return None

    async def _vector(
        self, provider: Provider, viewer: Viewer, space: SpaceRow, text: str
    ) -> tuple[float, ...] | Unclear:
        key = (space.name, text)
        known = self._known.get(key)
        if known is not None:
            self._known.move_to_end(key)
            return known
        task = self._under_way.get(key)
        if task is None:
            if len(self._under_way) >= MAX_UNDER_WAY:
                return Unclear("too many searches wait for the model just now.")
            asking = self._ask(provider, viewer, space, key)
            task = self._under_way[key] = asyncio.create_task(asking, name="query-embedding")
            task.add_done_callback(lambda done: self._ended(key, done))
        return await self._waited(task)

    async def _waited(self, task: "asyncio.Task[tuple[float, ...]]") -> tuple[float, ...] | Unclear:
        try:
            # Shielded: who waits may leave, but the answer is worth having for the next who asks.
            return await asyncio.wait_for(asyncio.shield(task), self._timeout_seconds)
        except TimeoutError:
            return Unclear("the model did not answer in time.")
        except BadInput:
            return Unclear("the model knows none of these words.")
        except GraphmarkError as error:
            return Unclear(error.message)
        except Exception:  # noqa: BLE001  logged by `_ended`; whatever breaks in a model, a search goes on without it
            return Unclear("the model failed.")

    async def _ask(self, provider: Provider, viewer: Viewer, space: SpaceRow, key: Key) -> tuple[float, ...]:
        vector = tuple(fitted(await self._ask_for(provider, viewer.id, key[1]), space.dimensions))
        self._known[key] = vector
        if len(self._known) > MAX_REMEMBERED:
            self._known.popitem(last=False)
        return vector

    def _ended(self, key: Key, task: "asyncio.Task[tuple[float, ...]]") -> None:
        self._under_way.pop(key, None)
        if not task.cancelled() and task.exception() is not None:
            log.warning("query not embedded", error=str(task.exception()))
