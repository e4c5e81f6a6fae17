"""Running one unit: an agent's function on the items of a chunk, some in hand at a time, each with one fate.

Items are taken into hand, processed, and settled in groups. One transaction settles what has finished and takes what
comes next, so an attempt is counted before an item can do harm, and its fate is written with the agent's own changes.
Found in hand by another worker, an item was with one that died: such suspects are run alone, before the others. So
what kills its worker costs itself its attempts and the rest nothing.
"""

import asyncio
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from db import agents as tasks
from db.agents import ItemRow
from db.unit import LOST_CONNECTION, Unit
from services.agents import AgentName
from tasks.agent import Agent, Item, Tools
from tasks.agents.batches import Finished, Processing, given_up
from tasks.agents.settling import Group
from tasks.envelope import Handler
from tasks.job import HandBack, Job, LeaseLost, Step

_VERSION = 1
_GROUP_SECONDS: Final = 0.1
"""Finished items wait so long for others to be settled with."""
_LOOK_SECONDS: Final = 1.0
"""So often a unit that waits for its items asks whether it is to give way."""
_WIND_DOWN_SECONDS: Final = 3.0
"""A unit that gives way waits so long for what it has begun."""
_AHEAD: Final = 2
"""So many times `parallel` batches are in hand: a free slot does not wait for a transaction."""


def unit_runner(agent: Agent, tools: Tools) -> Handler:
    """Return what runs the units of an agent."""

    async def run(job: Job) -> None:
        await _Chunk(agent, tools, job).run()

    return Handler(agent.name.value, _VERSION, run)


def unit_runners(agents: Mapping[AgentName, Agent], tools: Tools) -> list[Handler]:
    """Return what runs the units of every agent."""
    return [unit_runner(agent, tools) for agent in agents.values()]


class _Chunk:
    """The items of one unit while it is run."""

    def __init__(self, agent: Agent, tools: Tools, job: Job) -> None:
        self._agent = agent
        self._job = job
        self._processing = Processing(agent, tools, job)
        self._slots = asyncio.Semaphore(agent.parallel)
        self._suspects: deque[ItemRow] = deque()
        self._waiting: deque[ItemRow] = deque()
        self._running: set[asyncio.Task[list[Finished]]] = set()
        self._finished: list[Finished] = []
        self._open = 0
        # A unit whose holder wrote something, or gave it back, begins with its first attempt.
        self._is_clean = job.task.attempt <= 1

    async def run(self) -> None:
        """Run the unit to its end, or to where it is given back."""
        started = time.monotonic()
        await self._load()
        try:
            while self._suspects or self._waiting or self._running or self._finished:
                await self._turn()
                await self._some_finished()
        except HandBack:
            await self._wind_down()
            raise
        finally:
            await self._end_running()
        await self._end(time.monotonic() - started)

    async def _load(self) -> None:
        """Read what has no fate yet. Whose attempts are used up fails; what still has to wait is left out."""
        job, rows = self._job, await tasks.pending_of(self._job.database, self._job.task)
        self._open = len(rows)
        for row in map(self._recounted, rows):
            if row.attempt >= job.settings.task_max_attempts:
                reason = row.reason or "its worker ended each time"
                self._finished.append(Finished(_item(row), given_up(row.attempt, reason)))
            elif row.in_hand:
                self._suspects.append(row)
            elif not row.wait_seconds:
                self._waiting.append(row)
        await self._processing.prepare([row.position for row in (*self._suspects, *self._waiting)])

    def _recounted(self, row: ItemRow) -> ItemRow:
        """Return an item without the attempt that its last worker neither ended nor died of."""
        return replace(row, attempt=row.attempt - 1, in_hand=False) if row.in_hand and self._is_clean else row

    async def _turn(self) -> None:
        """Settle what has finished and begin what comes next, in one transaction."""
        finished, batches = self._finished, self._next()
        if finished or batches:
            begun = await self._write(finished, [row.position for batch in batches for row in batch])
            self._finished = []
            self._launch(batches, begun)
            await self._job.checkpoint()

    def _next(self) -> list[list[ItemRow]]:
        """Take the next batches: suspects one by one, with nothing else in hand; what failed before, each alone."""
        if self._suspects:
            return [] if self._running else [[self._suspects.popleft()]]
        batches: list[list[ItemRow]] = []
        while self._waiting and len(self._running) + len(batches) < _AHEAD * self._agent.parallel:
            batch = [self._waiting.popleft()]
            while (
                len(batch) < self._agent.batch_items
                and self._waiting
                and not batch[0].attempt
                and not self._waiting[0].attempt
            ):
                batch.append(self._waiting.popleft())
            batches.append(batch)
        return batches

    def _launch(self, batches: Sequence[Sequence[ItemRow]], begun: set[int]) -> None:
        for batch in batches:
            items = [Item(row.position, row.bookmark_id, row.attempt + 1) for row in batch if row.position in begun]
            if items:
                self._running.add(asyncio.create_task(self._process(items)))

    async def _process(self, items: Sequence[Item]) -> list[Finished]:
        async with self._slots:
            return await self._processing.run(items)

    async def _some_finished(self) -> None:
        """Wait until something has finished, and a moment for what finishes with it."""
        if not self._running:
            return
        done, left = await asyncio.wait(self._running, timeout=_LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if done and left:
            more, _ = await asyncio.wait(left, timeout=_GROUP_SECONDS)
            done |= more
        self._collect(done)
        self._job.alive()  # whatever runs has a deadline of its own
        if not done:
            await self._job.checkpoint()

    def _collect(self, done: set[asyncio.Task[list[Finished]]]) -> None:
        self._running -= done
        for one in done:
            self._finished.extend(one.result())

    async def _write(self, finished: Sequence[Finished], positions: Sequence[int]) -> set[int]:
        """Write fates and begin the items at `positions`; return which were begun.

        When something that an agent wants to write cannot be written, each is tried alone, to find out which.
        """
        group = Group(self._job.task, finished, positions, self._open, recount=self._is_clean)
        try:
            await self._job.step(group.write, gives_way=False)
        except (LeaseLost, *LOST_CONNECTION):
            raise
        except Exception as error:
            if not finished:
                raise
            return await self._write_apart(finished, positions, error)
        self._open = group.open_items
        return group.begun

    async def _write_apart(self, finished: Sequence[Finished], positions: Sequence[int], error: Exception) -> set[int]:
        if len(finished) == 1:
            return await self._write([self._processing.refused(finished[0].item, error)], positions)
        for one in finished:
            await self._write([one], [])
        return await self._write([], positions)

    async def _wind_down(self) -> None:
        """Before the unit is given back: settle what finishes soon. The rest does not count as begun."""
        if self._running:
            done, _ = await asyncio.wait(self._running, timeout=_WIND_DOWN_SECONDS)
            self._collect(done)
        await self._end_running()
        if self._finished:
            await self._write(self._finished, [])

    async def _end_running(self) -> None:
        for one in self._running:
            one.cancel()
        if self._running:
            await asyncio.wait(self._running)
        self._running.clear()

    async def _end(self, seconds: float) -> None:
        """Make the artifact of the unit and end it; or give it back, when items are to be tried later."""
        job, agent = self._job, self._agent
        left = await tasks.pending_of(job.database, job.task) if self._open else []
        if left:
            raise HandBack(delay_seconds=max(0.01, min(row.wait_seconds for row in left)))

        async def work(unit: Unit) -> Step:
            kind = f"bookmark_{agent.name.value.lower()}_result"
            await tasks.collect(unit, job.task, agent_version=agent.version, kind=kind, seconds=seconds)
            return Step(1)

        await job.complete(work)


def _item(row: ItemRow) -> Item:
    return Item(row.position, row.bookmark_id, row.attempt)
