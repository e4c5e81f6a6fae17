"""Categorization: how bookmarks may be sorted, and what their owner decides about it."""

from services.categorization import categories, lists, settings
from services.categorization.deciding import Decided, accept, accept_above, reject
from services.categorization.settings import AgentSettingsChanges

__all__ = [
    "AgentSettingsChanges",
    "Decided",
    "accept",
    "accept_above",
    "categories",
    "lists",
    "reject",
    "settings",
]
