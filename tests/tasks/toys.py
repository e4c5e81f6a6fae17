"""Agents that tests give orders to, and looks at what became of the items."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from db import agents as rows
from db.agents import StepRow, TaskRow
from db.unit import Database
from kit.settings import Settings
from services.agents import AgentName, Workflow, start_workflow
from services.permissions import Viewer
from tasks.agent import Agent, Batch, Done, Outcome, Tools
from tasks.agents.conductor import conductor
from tasks.agents.units import unit_runners
from tasks.envelope import Handler
from tests.working import TestWorker, worker_on

Process = Callable[[Batch], Awaitable[Sequence[Outcome]]]


def tools_on(database: Database, settings: Settings) -> Tools:
    """Tools without anything of the outside."""
    nothing: Any = None
    return Tools(settings, database, nothing, nothing, nothing, None)


async def all_done(batch: Batch) -> list[Outcome]:
    """Everything works."""
    return [Done({"seen": str(item.bookmark_id)}) for item in batch.items]


def toy(name: AgentName = AgentName.VALIDATION, process: Process = all_done, **limits: Any) -> Agent:
    """Make an agent that takes ten bookmarks at a time unless told otherwise."""
    return Agent(name, "1.2.3", "A toy.", process, **{"chunk_items": 10, **limits})


def handlers_of(database: Database, settings: Settings, *agents: Agent) -> dict[str, Handler]:
    """Return what a worker with these agents can do."""
    known = {agent.name: agent for agent in agents}
    every = [conductor(known), *unit_runners(known, tools_on(database, settings))]
    return {handler.kind: handler for handler in every}


@asynccontextmanager
async def toys_at_work(database: Database, settings: Settings, *agents: Agent) -> AsyncIterator[TestWorker]:
    """Run a worker with these agents as long as the block lasts."""
    async with worker_on(database, settings, handlers_of(database, settings, *agents)) as worker:
        yield worker


async def start(
    database: Database,
    viewer: Viewer,
    ids: Sequence[UUID] | None = None,
    workflow: Workflow = Workflow.VALIDATION_ONLY,
    **more: Any,
) -> TaskRow:
    """Start a workflow."""
    async with database.unit() as unit:
        return await start_workflow(unit, viewer, workflow=workflow, bookmark_ids=ids, **more)


async def state(database: Database, task: TaskRow) -> TaskRow:
    """Return a task as it is."""
    row = await rows.by_id(database, task.owner_id, task.id)
    assert row is not None
    return row


async def steps(database: Database, task: TaskRow) -> list[StepRow]:
    """Return the steps of a workflow."""
    return await rows.steps_of(database, [task.id])


async def counts(database: Database, task: TaskRow) -> list[tuple[str, str, int, int, int, int]]:
    """Return agent, status, total, done, failed and skipped of each step."""
    return [
        (one.agent, one.status, one.total, one.done, one.failed, one.skipped) for one in await steps(database, task)
    ]


async def fates(database: Database, task: TaskRow, step: int = 0) -> dict[UUID, tuple[str, str | None, int]]:
    """Return status, reason and attempts of the items of a step, by bookmark."""
    found = await database.fetch(
        "SELECT bookmark_id, status, reason, attempt FROM a2a_task_items WHERE task_id = $1 AND step = $2",
        task.id,
        step,
    )
    return {row["bookmark_id"]: (row["status"], row["reason"], row["attempt"]) for row in found}
