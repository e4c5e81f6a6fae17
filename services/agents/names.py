"""The words of tasks: agents, workflows, where things stand."""

from collections.abc import Mapping
from enum import IntEnum, StrEnum
from types import MappingProxyType


class AgentName(StrEnum):
    """Who works on bookmarks. The value is also the kind of the tasks that the agent takes."""

    IMPORT = "IMPORT"
    VALIDATION = "VALIDATION"
    ENRICHMENT = "ENRICHMENT"
    CATEGORIZATION = "CATEGORIZATION"
    EMBEDDING = "EMBEDDING"
    SCREENSHOT = "SCREENSHOT"


class TaskStatus(StrEnum):
    """Where a task stands."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


FINAL = frozenset({TaskStatus.COMPLETED, TaskStatus.FAILED, TaskStatus.CANCELLED})
"""Nothing happens to a task by itself any more."""


class StepStatus(StrEnum):
    """Where a step of a workflow stands."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"
    CANCELLED = "CANCELLED"


class ItemStatus(StrEnum):
    """What became of one bookmark in one step."""

    PENDING = "PENDING"
    DONE = "DONE"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"


class MessageKind(StrEnum):
    """What a message of a task is about."""

    PROGRESS = "PROGRESS"
    STATUS = "STATUS"
    ERROR = "ERROR"
    WARNING = "WARNING"
    INFO = "INFO"
    COMPLETION = "COMPLETION"


class Priority(IntEnum):
    """Who goes first. Among equals owners take turns."""

    BACKGROUND = -10
    """Nobody waits: what follows an import, what the clock starts."""
    NORMAL = 0
    WAITING = 10
    """Somebody looks at a few bookmarks and waits."""


class Workflow(StrEnum):
    """Which agents work, one after the other."""

    FULL_IMPORT = "FULL_IMPORT"
    QUICK_IMPORT = "QUICK_IMPORT"
    VALIDATION_ONLY = "VALIDATION_ONLY"
    ENRICHMENT_ONLY = "ENRICHMENT_ONLY"
    EMBEDDING_ONLY = "EMBEDDING_ONLY"
    REPROCESS = "REPROCESS"
    STANDARD = "STANDARD"
    QUICK = "QUICK"
    FULL = "FULL"


_STANDARD = (AgentName.VALIDATION, AgentName.ENRICHMENT, AgentName.CATEGORIZATION, AgentName.EMBEDDING)

WORKFLOWS: Mapping[Workflow, tuple[AgentName, ...]] = MappingProxyType(
    {
        Workflow.FULL_IMPORT: (AgentName.IMPORT, *_STANDARD),
        Workflow.QUICK_IMPORT: (AgentName.IMPORT, AgentName.VALIDATION),
        Workflow.VALIDATION_ONLY: (AgentName.VALIDATION,),
        Workflow.ENRICHMENT_ONLY: (AgentName.ENRICHMENT,),
        Workflow.EMBEDDING_ONLY: (AgentName.EMBEDDING,),
        Workflow.REPROCESS: _STANDARD,
        Workflow.STANDARD: _STANDARD,
        Workflow.QUICK: (AgentName.VALIDATION, AgentName.CATEGORIZATION),
        Workflow.FULL: (*_STANDARD, AgentName.SCREENSHOT),
    }
)


def steps_on_bookmarks(workflow: Workflow) -> tuple[AgentName, ...]:
    """Return the agents of a workflow that is started on bookmarks: they need no import any more."""
    return tuple(agent for agent in WORKFLOWS[workflow] if agent is not AgentName.IMPORT)
