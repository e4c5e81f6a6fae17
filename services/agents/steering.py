"""Steering tasks: pausing, cancelling and trying again.

Steering is changing rows: pausing or cancelling takes the lease away, and the running worker finds out at its next
write. Of a workflow its units are steered with it.
"""

from db import agents as tasks
from db.agents import TaskRow
from db.unit import Unit
from kit.errors import Conflict
from services.agents.names import TaskStatus
from services.agents.starting import WORKFLOW_KIND
from services.agents.units import BELL
from services.agents.work import announce
from services.permissions import Owned

_FIELD = ("input", "id")


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
    """Start a failed task again where it stopped. `Conflict` when it has not failed.

    Of a workflow that has ended, also completed, only the bookmarks that failed are done again, and what follows for
    them; `Conflict` when none failed.
    """
    if task.row.kind != WORKFLOW_KIND:
        return await _redirect(unit, task, TaskStatus.PENDING, TaskStatus.FAILED)
    changed = await tasks.reopen(unit, task.row.owner_id, task.row.id)
    if changed is None:
        now = await tasks.by_id(unit, task.row.owner_id, task.row.id)
        if now is not None and now.status == TaskStatus.PENDING:
            return now
        raise _conflict(now, "be tried again: nothing of it failed")
    unit.ring(BELL)
    await announce(unit, changed)
    return changed


async def _redirect(unit: Unit, task: Owned[TaskRow], target: TaskStatus, *allowed: TaskStatus) -> TaskRow:
    is_workflow = task.row.kind == WORKFLOW_KIND
    if is_workflow:
        await _steer_units(unit, task.row, target)
    changed = await tasks.redirect(
        unit, task.row.owner_id, task.row.id, status=target.value, allowed=tuple(one.value for one in allowed)
    )
    if changed is None:
        now = await tasks.by_id(unit, task.row.owner_id, task.row.id)
        if now is not None and now.status == target:
            return now
        raise _conflict(now, f"become {target.value.lower()}")
    if is_workflow:
        await _steer_units(unit, task.row, target)  # those that were planned until the workflow's row was ours
        if target is TaskStatus.CANCELLED:
            await tasks.cancel_steps(unit, task.row.id)
    if target is TaskStatus.PENDING:
        unit.ring(BELL)
    await announce(unit, changed)
    return changed


async def _steer_units(unit: Unit, task: TaskRow, target: TaskStatus) -> None:
    if target is TaskStatus.PAUSED:
        await tasks.pause_units(unit, task.id)
    elif target is TaskStatus.CANCELLED:
        await tasks.cancel_units(unit, task.id)
    else:
        await tasks.resume_units(unit, task.id)


def _conflict(now: TaskRow | None, verb: str) -> Conflict:
    state = now.status.lower() if now else "gone"
    return Conflict(f"This task is {state}; it cannot {verb}.", field=_FIELD)
