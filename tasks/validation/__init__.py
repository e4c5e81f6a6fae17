"""The agent that checks links."""

from tasks.validation.checking import AGENT

__all__ = ["AGENT"]
