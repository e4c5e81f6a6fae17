"""The conductor of a workflow: plans one step, lets go until the last unit of it has ended, and plans the next.

While workers of two versions run, a step may be of an agent that only the other ones have. Such a workflow is left to
them: put back for as long as the rows are looked through anyway, without counting the attempt.
"""

from collections.abc import Mapping
from typing import Final

from db import agents as tasks
from db.agents import TaskRow
from db.unit import Unit
from services.agents import WORKFLOW_KIND, AgentName, fleet, planning
from services.agents.planning import Planned
from tasks.agent import Agent
from tasks.envelope import Handler
from tasks.job import HandBack, Job, Step, Work

_VERSION = 1
_NAMES: Final = frozenset(name.value for name in AgentName)


def conductor(agents: Mapping[AgentName, Agent]) -> Handler:
    """Return what conducts workflows whose steps these agents do. A step whose agent no worker has is passed over."""

    async def run(job: Job) -> None:
        await _conduct(job, agents)

    return Handler(WORKFLOW_KIND, _VERSION, run)


async def _conduct(job: Job, agents: Mapping[AgentName, Agent]) -> None:
    """Plan piece by piece, each one transaction: killed at any moment, it goes on where it stood."""
    task = job.task
    while True:
        agent = _agent_of(task, agents)
        if agent is None and await _is_of_others(job, task):
            raise HandBack(delay_seconds=job.settings.task_sweep_seconds)
        if not await _plan_step(job, task, agent):
            return
        if task.step == (task.total_steps or 0) - 1:
            break
        task = await _next_step(job, task, is_passed_over=agent is None)
    await _finish(job, task, is_passed_over=agent is None)


def _agent_of(task: TaskRow, agents: Mapping[AgentName, Agent]) -> Agent | None:
    """Return who does the step that a workflow is at, None when we have no such agent."""
    return next((agent for name, agent in agents.items() if name == task.current_agent), None)


async def _is_of_others(job: Job, task: TaskRow) -> bool:
    """Tell whether the agent of the step belongs to a version that we do not know, or to a worker that is there."""
    if task.current_agent not in _NAMES:
        return True
    seconds = fleet.MISSED_HEARTBEATS * job.settings.agent_heartbeat_seconds
    return await tasks.is_present(job.database, task.current_agent, within_seconds=seconds)


async def _plan_step(job: Job, task: TaskRow, agent: Agent | None) -> bool:
    """Plan all of a step; tell whether it has ended already. If not, the workflow is parked."""
    reached, name = Planned.PARTLY, planning.agent_title(task.current_agent or "")

    async def piece(unit: Unit) -> Step:
        nonlocal reached
        reached = await planning.plan(unit, task, chunk_items=None if agent is None else agent.chunk_items)
        return Step(0, name)

    while reached is Planned.PARTLY:
        await job.step(piece)
    if reached is Planned.WAITING:
        try:
            await job.park(_waiting(task, name))
        except _NothingOpenError:
            return True
    return reached is Planned.DONE


class _NothingOpenError(Exception):
    """The last unit ended in the meantime."""


def _waiting(task: TaskRow, name: str) -> Work:
    async def work(unit: Unit) -> Step:
        step = await tasks.lock_step(unit, task.id, task.step or 0)
        if step is None or step.open_units <= 0:
            raise _NothingOpenError
        return Step(0, name)

    return work


async def _next_step(job: Job, task: TaskRow, *, is_passed_over: bool) -> TaskRow:
    moved: TaskRow | None = None

    async def work(unit: Unit) -> Step:
        nonlocal moved
        await planning.end_step(unit, task, is_passed_over=is_passed_over)
        moved = await tasks.by_id(unit, task.owner_id, task.id)
        return Step(await tasks.share(unit, task.id))

    await job.step(work)
    return moved or task


async def _finish(job: Job, task: TaskRow, *, is_passed_over: bool) -> None:
    error = await planning.verdict(job.database, task)

    async def work(unit: Unit) -> Step:
        await planning.end_step(unit, task, is_passed_over=is_passed_over)
        return Step(1)

    await job.complete(work, error=error, is_brief=True)
