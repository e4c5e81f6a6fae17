"""Writing the fates of a group of items, together with what their agent wants to change."""

from collections import Counter
from collections.abc import Sequence

from db import agents as tasks
from db.agents import GONE, Fate, TaskRow
from db.unit import Unit
from services.agents import ItemStatus, MessageKind, units
from services.events import EventDraft
from tasks.agent import Deferred, Done, Failed, Skipped
from tasks.agents.batches import Again, Finished
from tasks.job import Step


class Group:
    """Items to settle, and positions to begin, in one transaction. `begun` and `open_items` hold once it stands."""

    def __init__(
        self, part: TaskRow, finished: Sequence[Finished], positions: Sequence[int], open_items: int, *, recount: bool
    ) -> None:
        self._part = part
        self._finished = finished
        self._positions = positions
        self._open_before = open_items
        self._recount = recount
        self._counts: Counter[str] = Counter()
        self.begun: set[int] = set()

    @property
    def open_items(self) -> int:
        """How many items of the unit have no fate yet."""
        return self._open_before - self._counts.total()

    async def write(self, unit: Unit) -> Step:
        """Do it. May run more than once."""
        part, self._counts = self._part, Counter()
        fates, events = await self._fates(unit)
        if fates:
            await tasks.settle(unit, part, fates)
        self._counts.update(fate.status for fate in fates if fate.status != ItemStatus.PENDING)
        if self._positions:
            self.begun = await tasks.begin(unit, part, self._positions, recount=self._recount)
            self._counts[ItemStatus.SKIPPED] += len(self._positions) - len(self.begun)
        whole = (part.last_item or 0) - (part.first_item or 0) + 1
        return Step(
            min(1.0, max(0.0, 1 - self.open_items / whole)),
            events=events,
            open_items=self.open_items,
            shared=lambda unit: self._count(unit, fates),
        )

    async def _fates(self, unit: Unit) -> tuple[list[Fate], list[EventDraft]]:
        """Let the agent write, bookmark by bookmark in the order of their ids; return the fates and the events."""
        finished = sorted(self._finished, key=lambda one: one.item.bookmark_id)
        if not finished:
            return [], []
        there = await tasks.hold(unit, self._part.owner_id, [one.item.bookmark_id for one in finished])
        fates: list[Fate] = []
        events: list[EventDraft] = []
        for one in finished:
            if one.item.bookmark_id not in there:
                fates.append(Fate(one.item.position, ItemStatus.SKIPPED, GONE))
                continue
            outcome = one.outcome
            if isinstance(outcome, Done | Failed | Deferred) and outcome.write is not None:
                events.extend(await outcome.write(unit))
            fates.append(_fate(one))
        return fates, events

    async def _count(self, unit: Unit, fates: Sequence[Fate]) -> Sequence[EventDraft]:
        part, counts = self._part, self._counts
        failed = [fate for fate in fates if fate.status == ItemStatus.FAILED]
        again = [fate for fate in fates if fate.status == ItemStatus.PENDING and not fate.uncount]
        for kind, some, verb in ((MessageKind.ERROR, failed, "failed"), (MessageKind.WARNING, again, "is tried again")):
            if some:
                await tasks.say(unit, units.parent_of(part), kind, part.kind, _told(some, verb))
        return await units.tally(
            unit,
            part,
            done=counts[ItemStatus.DONE],
            failed=counts[ItemStatus.FAILED],
            skipped=counts[ItemStatus.SKIPPED],
        )


def _fate(one: Finished) -> Fate:
    position = one.item.position
    match one.outcome:
        case Done(data):
            return Fate(position, ItemStatus.DONE, None, data)
        case Failed(reason, data):
            return Fate(position, ItemStatus.FAILED, reason, data)
        case Skipped(reason, data):
            return Fate(position, ItemStatus.SKIPPED, reason, data)
        case Deferred(seconds, reason, is_counted):
            return Fate(position, ItemStatus.PENDING, reason, None, seconds, uncount=not is_counted)
        case Again(seconds, reason):
            return Fate(position, ItemStatus.PENDING, reason, None, seconds)


def _told(fates: Sequence[Fate], verb: str) -> str:
    if len(fates) == 1:
        return f"A bookmark {verb}. {fates[0].reason}"
    return f"{len(fates):,} bookmarks: {verb}. For example: {fates[0].reason}"
