"""Workflows and the work of agents: planning the steps, running the units, settling the fates."""

from tasks.agents.handlers import make_handlers
from tasks.agents.presence import present
from tasks.agents.registry import AGENTS, cards

__all__ = ["AGENTS", "cards", "make_handlers", "present"]
