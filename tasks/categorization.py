"""The categorization agent: the owner's rules, then proposals from the owner's library, a model and the taxonomy."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from db import bookmarks
from db.bookmarks import BookmarkRow
from db.categorization import AgentSettingsRow, CategoryRow
from db.embedding import Neighbour
from db.unit import Rows, Unit
from kit.ai import Choices, PageText, ProviderBusy, Vocabulary
from kit.errors import GraphmarkError
from services import rules
from services.agents import AgentName
from services.categorization import categories, proposing, storing
from services.categorization import settings as agent_settings
from services.categorization.choosing import chosen
from services.categorization.neighbours import near
from services.categorization.proposing import Found
from services.events import BookmarkChange, EventDraft, Topic
from services.permissions import Viewer
from services.rules import RuleEvent
from tasks.agent import Agent, Batch, Deferred, Done, Outcome, Skipped
from tasks.spending import metered

BATCH_ITEMS: Final = 16


async def process(batch: Batch) -> list[Outcome]:
    """Look at the bookmarks of a batch; what comes of it is written when their outcomes are."""
    tools, viewer = batch.tools, Viewer(id=batch.owner_id)
    database = tools.database
    found = {
        row.id: row for row in await bookmarks.by_ids(database, viewer.id, [one.bookmark_id for one in batch.items])
    }
    there = [row for row in found.values() if row.deleted_at is None]
    async with database.unit() as unit:
        kinds = list((await categories.ensure(unit, viewer.id)).values())
    account = _Account(batch)
    try:
        alike = await near(database, account, viewer.id, there)
    except ProviderBusy as busy:
        return [Deferred(busy.retry_after_seconds, busy.message) for _ in batch.items]
    except GraphmarkError:
        alike = {}  # the model is away; the taxonomy is not
    owner = _Owner(viewer, kinds, await agent_settings.get(database, viewer), account.bills)
    return [
        await _look(batch, owner, found.get(item.bookmark_id), alike.get(item.bookmark_id, [])) for item in batch.items
    ]


AGENT: Final = Agent(
    name=AgentName.CATEGORIZATION,
    version="1",
    description="Sorts bookmarks: your rules first, then proposals of tags, a collection and a category.",
    process=process,
    chunk_items=200,
    batch_items=BATCH_ITEMS,
    parallel=2,
    deadline_seconds=300.0,
    concurrency=8,
)


Bill = Callable[[Unit], Awaitable[None]]


class _Account:
    """The model on the owner's account. `bills` are to be settled in the unit that writes what was made of it."""

    def __init__(self, batch: Batch) -> None:
        self.space = batch.tools.provider.space
        self.bills: list[Bill] = []
        self._model = metered(batch, AgentName.CATEGORIZATION)

    async def choose(self, page: PageText, vocabulary: Vocabulary) -> Choices:
        """Propose how to sort a page."""
        paid = await self._model.choose(page, vocabulary)
        self.bills.append(paid.settle)
        return paid.value

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return a vector for each text."""
        paid = await self._model.embed(texts)
        self.bills.append(paid.settle)
        return paid.value


@dataclass(frozen=True, slots=True)
class _Owner:
    """Whose bookmarks are sorted, their categories, what they let the agents do, what the batch costs as a whole."""

    viewer: Viewer
    kinds: Sequence[CategoryRow]
    settings: AgentSettingsRow
    bills: Sequence[Bill]


async def _look(batch: Batch, owner: _Owner, row: BookmarkRow | None, alike: Sequence[Neighbour]) -> Outcome:
    if row is None or row.deleted_at is not None:
        return Skipped("The bookmark is in the trash or gone.")
    viewer, settings, account = owner.viewer, owner.settings, _Account(batch)
    database = batch.tools.database
    try:
        found = await proposing.look(database, account, row, alike, owner.kinds, settings)
    except ProviderBusy as busy:
        return Deferred(busy.retry_after_seconds, busy.message)

    async def write(unit: Unit) -> Sequence[EventDraft]:
        for settle in (*owner.bills, *account.bills):
            await settle(unit)
        ready = await rules.prepare(unit, viewer, RuleEvent.ENRICHED)
        made = await storing.make_tags(unit, viewer.id, found.candidates, settings)
        ruled = await rules.run(unit, viewer, ready, [row.id])
        _, is_changed = await storing.store(unit, viewer.id, row.id, found.candidates, settings, made)
        if not (ruled or is_changed):
            return ()
        payload = {"change": BookmarkChange.UPDATED.value, "ids": [str(row.id)]}
        return [EventDraft(Topic.BOOKMARK, row.id, payload)]

    return Done(await _told(database, viewer, row, found), write)


async def _told(rows: Rows, viewer: Viewer, row: BookmarkRow, found: Found) -> dict[str, Any]:
    """Return what later agents and people are told: what would be proposed before the owner's decisions are weighed."""
    has = await storing.has_now(rows, viewer.id, row.id)
    told: dict[str, Any] = {
        "proposals": [
            {
                "kind": one.kind.value,
                "name": one.name,
                "confidence": round(one.confidence, 3),
                "source": one.source.value,
                "reason": one.reason,
            }
            for one in chosen(found.candidates, has)
        ]
    }
    return told if found.left_out is None else told | {"modelLeftOut": found.left_out}
