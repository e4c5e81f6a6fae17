"""The agents of this server: the one place where they are registered."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from services.agents import AgentName
from services.imports.jobs import KIND as IMPORT_KIND
from tasks import categorization, embedding, enrichment, screenshots, validation
from tasks.agent import Agent

_REGISTERED: Final[tuple[Agent, ...]] = (
    validation.AGENT,
    enrichment.AGENT,
    categorization.AGENT,
    embedding.AGENT,
    screenshots.AGENT,
)
AGENTS: Final[Mapping[AgentName, Agent]] = MappingProxyType({agent.name: agent for agent in _REGISTERED})
"""Who works on bookmarks, by name."""


@dataclass(frozen=True, slots=True)
class Card:
    """What the world is told of an agent: its name, the kind of its tasks, and its limits."""

    name: AgentName
    kind: str
    version: str
    description: str
    concurrency: int
    rate_per_minute: int | None = None


IMPORT_CARD: Final = Card(
    AgentName.IMPORT,
    IMPORT_KIND,
    "1.0.0",
    "Reads a bookmark file and makes bookmarks, tags and collections of it, once each.",
    concurrency=64,
)
"""Imports are tasks of their own (tasks.imports); they are paused and counted like the work of any agent."""


def cards(agents: Mapping[AgentName, Agent]) -> list[Card]:
    """Return the card of every agent, that of the import first."""
    return [
        IMPORT_CARD,
        *(
            Card(
                agent.name, agent.name.value, agent.version, agent.description, agent.concurrency, agent.rate_per_minute
            )
            for agent in agents.values()
        ),
    ]
