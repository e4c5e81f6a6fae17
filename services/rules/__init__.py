"""Rules: what the owner wants done with bookmarks that a query finds, when they come in or on demand."""

from services.rules.actions import RuleActions, RuleEvent
from services.rules.changing import NewRule, RuleChanges, create, delete, update
from services.rules.demand import Run, run_step
from services.rules.lists import KINDS, ORDER, count, get, page
from services.rules.running import Ready, prepare, run

__all__ = [
    "KINDS",
    "ORDER",
    "NewRule",
    "Ready",
    "RuleActions",
    "RuleChanges",
    "RuleEvent",
    "Run",
    "count",
    "create",
    "delete",
    "get",
    "page",
    "prepare",
    "run",
    "run_step",
    "update",
]
