"""What is told of a task whenever it changes."""

from datetime import datetime
from typing import Any

from db.agents import TaskRow
from services.events import EventDraft, Topic


def draft(task: TaskRow) -> EventDraft:
    """Return the event that tells of a task as it is now."""
    return EventDraft(Topic.TASK, task.id, state_of(task))


def state_of(task: TaskRow) -> dict[str, Any]:
    """Return what an event tells of a task: whatever changes while it runs."""
    return {
        "status": task.status,
        "progress": task.progress,
        "attempt": task.attempt,
        "step": task.current_step,
        "agent": task.current_agent,
        "error": task.error,
        "startedAt": _text(task.started_at),
        "finishedAt": _text(task.finished_at),
    }


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
