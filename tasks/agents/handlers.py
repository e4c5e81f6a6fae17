"""Everything that a worker can do."""

from collections.abc import Mapping

from services.agents import AgentName
from tasks import imports, transfers
from tasks.agent import Agent, Tools
from tasks.agents.conductor import conductor
from tasks.agents.registry import AGENTS
from tasks.agents.units import unit_runners
from tasks.envelope import Handler


def make_handlers(tools: Tools, agents: Mapping[AgentName, Agent] = AGENTS) -> dict[str, Handler]:
    """Return what runs every kind of task: imports, transfers, workflows, and the units of agents."""
    every = (*imports.HANDLERS.values(), transfers.HANDLER, conductor(agents), *unit_runners(agents, tools))
    return {handler.kind: handler for handler in every}
