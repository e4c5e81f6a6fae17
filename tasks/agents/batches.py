"""Putting a batch before its agent, and saying what an answer, an error or silence means for each item."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final
from uuid import UUID

import orjson
import structlog

from db import agents as tasks
from kit.errors import GraphmarkError, RateLimited
from services.agents import AgentName, planning
from tasks.agent import Agent, Batch, Deferred, Done, Failed, Item, Outcome, Skipped, Tools
from tasks.envelope import TRANSIENT, reason_of, retry_delay
from tasks.job import Job

log = structlog.get_logger(__name__)

MAX_DATA_BYTES: Final = 32_768
"""Most JSON that an outcome may carry."""

MAX_REASON_CHARS: Final = 500
_SHORTEST_DEFERRAL_SECONDS: Final = 0.05
_NAMES: Final = frozenset(name.value for name in AgentName)


@dataclass(frozen=True, slots=True)
class Again:
    """It went wrong and is to be tried once more after `seconds`. The attempt counts."""

    seconds: float
    reason: str


@dataclass(frozen=True, slots=True)
class Finished:
    """An item and what became of it."""

    item: Item
    outcome: Outcome | Again


@dataclass(slots=True)
class Processing:
    """An agent at work on the items of one unit."""

    agent: Agent
    tools: Tools
    job: Job
    options: Mapping[str, Any] = field(default_factory=dict)
    earlier: dict[tuple[AgentName, UUID], Mapping[str, Any]] = field(default_factory=dict)

    async def prepare(self, positions: Sequence[int]) -> None:
        """Read the options of the workflow, and what earlier agents said of these items."""
        part, database = self.job.task, self.job.database
        workflow = None if part.parent_id is None else await tasks.by_id(database, part.owner_id, part.parent_id)
        if workflow is not None:
            self.options = planning.options_of(workflow)
        if part.step and positions:
            for agent, results in await tasks.earlier(database, part, positions):
                if agent not in _NAMES:  # of a newer version; nobody here reads what it said
                    continue
                for result in results:
                    self.earlier[(AgentName(agent), UUID(result["bookmarkId"]))] = result["data"]

    async def run(self, items: Sequence[Item]) -> list[Finished]:
        """Return what became of a batch. Raises nothing but cancellation."""
        part = self.job.task
        batch = Batch(part.parent_id or part.id, part.owner_id, self.tools, items, self.options, self.earlier)
        deadline = asyncio.timeout(self.agent.deadline_seconds)
        try:
            async with deadline:
                outcomes = await self.agent.process(batch)
            if len(outcomes) != len(items):
                raise RuntimeError(f"{self.agent.name} gave {len(outcomes)} outcomes for {len(items)} items")
            return [Finished(item, _checked(outcome)) for item, outcome in zip(items, outcomes, strict=True)]
        except Exception as error:
            late = TimedOut(f"It took longer than {self.agent.deadline_seconds:g} s.")
            told = late if deadline.expired() else error
            log.warning("agent.failed", agent=self.agent.name, task_id=str(batch.task_id), exc_info=told)
            return [self.refused(item, told) for item in items]

    def refused(self, item: Item, error: Exception) -> Finished:
        """Say what an error means for one item: it fails, or is tried again while it has attempts left."""
        settings = self.job.settings
        reason = reason_of(error)[:MAX_REASON_CHARS]
        if isinstance(error, GraphmarkError) and not isinstance(error, (*TRANSIENT, TimedOut)):
            return Finished(item, Failed(reason))
        if item.attempt >= settings.task_max_attempts:
            return Finished(item, given_up(item.attempt, reason))
        wait = retry_delay(item.attempt, settings)
        if isinstance(error, RateLimited):
            wait = max(wait, error.retry_after_seconds or 0)
        return Finished(item, Again(wait, reason))


class TimedOut(GraphmarkError):  # noqa: N818  named like its siblings in kit.errors
    """A batch took too long. Transient: the next attempt may be quicker."""


def given_up(attempts: int, reason: str) -> Failed:
    """Return the end of an item whose attempts are used up: a dead letter."""
    return Failed(f"Given up after {attempts} attempts: {reason}")


def _checked(outcome: Outcome) -> Outcome:
    """Return an outcome that can be stored. Raises `RuntimeError` for one that says too much."""
    if isinstance(outcome, Deferred):
        seconds = max(_SHORTEST_DEFERRAL_SECONDS, outcome.seconds)
        return replace(outcome, seconds=seconds, reason=outcome.reason[:MAX_REASON_CHARS])
    if len(orjson.dumps(dict(outcome.data))) > MAX_DATA_BYTES:
        raise RuntimeError(f"an outcome carries more than {MAX_DATA_BYTES:,} bytes")
    if isinstance(outcome, Failed):
        return Failed(outcome.reason[:MAX_REASON_CHARS], outcome.data, outcome.write)
    if isinstance(outcome, Skipped):
        return Skipped(outcome.reason[:MAX_REASON_CHARS], outcome.data)
    return Done(outcome.data, outcome.write)
