"""Tasks: recording work with the change that needs it, and steering it.

A service records a task in its own transaction and asks for the bell; the worker that hears it is in `tasks`. Steering
is changing the row: pausing or cancelling takes the lease away, and the running worker finds out at its next write.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any
from uuid import UUID

from db import agents as tasks
from db.agents import TaskRow
from db.unit import Rows, Unit
from kit.errors import Conflict
from kit.ids import new_id
from services import events
from services.events import EventDraft, Topic
from services.permissions import Owned, Viewer, own

BELL = "work"
"""What to ring after the commit: there is work."""


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

Follower = Callable[[Unit, TaskRow], Awaitable[Sequence[EventDraft]]]
_followers: dict[str, Follower] = {}


def follow(kind: str, follower: Follower) -> None:
    """Let a domain follow its tasks: `follower` runs in every transaction that changes the status of one of `kind`.

    It brings the domain's own rows along and returns the events that tell of them.
    """
    _followers[kind] = follower


async def enqueue(
    unit: Unit,
    viewer: Viewer,
    *,
    workflow: str,
    kind: str,
    payload: Mapping[str, Any],
    max_attempts: int,
    payload_version: int = 1,
    priority: int = 0,
) -> TaskRow:
    """Record work for a worker, due at once, and ask for the bell.

    `payload` is JSON and small: ids, not data. Call `announce` with the result when all rows of the change stand.
    """
    task = await tasks.insert(
        unit,
        key=new_id(),
        owner_id=viewer.id,
        workflow=workflow,
        kind=kind,
        payload=payload,
        payload_version=payload_version,
        max_attempts=max_attempts,
        priority=priority,
    )
    unit.ring(BELL)
    return task


async def announce(unit: Unit, task: TaskRow, also: Sequence[EventDraft] = ()) -> None:
    """Tell whoever follows that `task` changed. Writes the events of the transaction, so it comes last in it."""
    follower = _followers.get(task.kind)
    drafts = [_draft(task), *(await follower(unit, task) if follower else ()), *also]
    await events.record(unit, task.owner_id, drafts)


async def get(rows: Rows, viewer: Viewer, key: UUID) -> Owned[TaskRow]:
    """Return one of the viewer's tasks; `NotFound` otherwise."""
    return own(viewer, await tasks.by_id(rows, viewer.id, key), "task")


async def pause(unit: Unit, task: Owned[TaskRow]) -> TaskRow:
    """Stop a task where it stands, to go on later. Paused already: nothing changes. `Conflict` once it has ended."""
    return await _redirect(unit, task, TaskStatus.PAUSED, TaskStatus.PENDING, TaskStatus.RUNNING)


async def resume(unit: Unit, task: Owned[TaskRow]) -> TaskRow:
    """Let a paused task go on. Waiting or running already: nothing changes. `Conflict` once it has ended."""
    if task.row.status == TaskStatus.RUNNING:
        return task.row
    return await _redirect(unit, task, TaskStatus.PENDING, TaskStatus.PAUSED)


async def cancel(unit: Unit, task: Owned[TaskRow]) -> TaskRow:
    """Stop a task for good. Cancelled already: nothing changes. `Conflict` when it has ended otherwise."""
    return await _redirect(unit, task, TaskStatus.CANCELLED, TaskStatus.PENDING, TaskStatus.RUNNING, TaskStatus.PAUSED)


async def retry(unit: Unit, task: Owned[TaskRow]) -> TaskRow:
    """Start a failed task again where it stopped. `Conflict` when it has not failed."""
    return await _redirect(unit, task, TaskStatus.PENDING, TaskStatus.FAILED)


async def _redirect(unit: Unit, task: Owned[TaskRow], target: TaskStatus, *allowed: TaskStatus) -> TaskRow:
    changed = await tasks.redirect(
        unit, task.row.owner_id, task.row.id, status=target.value, allowed=tuple(one.value for one in allowed)
    )
    if changed is None:
        now = await tasks.by_id(unit, task.row.owner_id, task.row.id)
        if now is not None and now.status == target:
            return now
        state = now.status.lower() if now else "gone"
        raise Conflict(f"This task is {state}; it cannot become {target.value.lower()}.", field=("input", "id"))
    if target is TaskStatus.PENDING:
        unit.ring(BELL)
    await announce(unit, changed)
    return changed


def _draft(task: TaskRow) -> EventDraft:
    payload = {"status": task.status, "progress": task.progress, "attempt": task.attempt, "step": task.current_step}
    return EventDraft(Topic.TASK, task.id, payload)
