"""Tasks and workflows: recording work with the change that needs it, planning it, steering it."""

from services.agents.names import (
    FINAL,
    WORKFLOWS,
    AgentName,
    ItemStatus,
    MessageKind,
    Priority,
    StepStatus,
    TaskStatus,
    Workflow,
    steps_on_bookmarks,
)
from services.agents.starting import MAX_OPEN, WORKFLOW_KIND, start_on_new, start_workflow
from services.agents.steering import cancel, pause, resume, retry
from services.agents.units import BELL
from services.agents.work import announce, announce_all, enqueue, follow, get

__all__ = [
    "BELL",
    "FINAL",
    "MAX_OPEN",
    "WORKFLOWS",
    "WORKFLOW_KIND",
    "AgentName",
    "ItemStatus",
    "MessageKind",
    "Priority",
    "StepStatus",
    "TaskStatus",
    "Workflow",
    "announce",
    "announce_all",
    "cancel",
    "enqueue",
    "follow",
    "get",
    "pause",
    "resume",
    "retry",
    "start_on_new",
    "start_workflow",
    "steps_on_bookmarks",
]
