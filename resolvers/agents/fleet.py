"""Agents and workflows in the graph."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated
from uuid import UUID

import strawberry

from db import agents as rows
from db.agents import AgentRow
from db.unit import Unit
from resolvers.context import Info, viewer_of
from resolvers.inputs.agents import AgentInput, AgentName, Workflow
from resolvers.loaders import load_row
from resolvers.mutation import Payload, change
from resolvers.shaped import shape_of
from services.agents import WORKFLOWS, fleet

AGENT_TYPE = "Agent"
AGENT_SOURCE = rows.AGENT_SOURCE
Name = Annotated[AgentName, strawberry.argument(description="The agent's name.")]
Steer = Annotated[AgentInput, strawberry.argument(description="Which agent.")]


@dataclass(frozen=True, slots=True)
class WorkflowRow:
    """A workflow and its agents, in the order in which they work."""

    name: Workflow
    agents: tuple[AgentName, ...]


async def find_agent(info: Info, key: UUID) -> AgentRow | None:
    """Return one agent."""
    return await load_row(info, AGENT_SOURCE, key, shape_of(info, AGENT_TYPE, rows.AGENT_WHOLE))


async def list_agents(info: Info) -> list[AgentRow]:
    """Return every agent that some worker ever had."""
    viewer_of(info)
    return await rows.all_agents(info.context.database)


async def agent(info: Info, name: Name) -> AgentRow | None:
    """Return one agent."""
    viewer_of(info)
    return await fleet.find(info.context.database, name)


def average_duration(row: strawberry.Parent[AgentRow]) -> timedelta | None:
    """Return how long one bookmark took on average."""
    return None if row.average_seconds is None else timedelta(seconds=row.average_seconds)


def list_workflows() -> list[WorkflowRow]:
    """Return every workflow."""
    return [WorkflowRow(name, agents) for name, agents in WORKFLOWS.items()]


async def pause_agent(info: Info, input: Steer) -> Payload:  # noqa: A002  the name of the API
    """Pause an agent."""
    viewer = viewer_of(info)

    async def work(unit: Unit) -> Payload:
        return Payload(agent=await fleet.pause_agent(unit, viewer, input.name))

    return await change(info, work, database=info.context.unwalled)


async def resume_agent(info: Info, input: Steer) -> Payload:  # noqa: A002  the name of the API
    """Resume an agent."""
    viewer = viewer_of(info)

    async def work(unit: Unit) -> Payload:
        return Payload(agent=await fleet.resume_agent(unit, viewer, input.name))

    return await change(info, work, database=info.context.unwalled)
