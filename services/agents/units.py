"""Units of a workflow: what their progress and their end mean for the step and the workflow."""

from collections.abc import Sequence
from uuid import UUID

from db import agents as tasks
from db.agents import TaskRow
from db.unit import Unit
from services.agents.names import FINAL, MessageKind, TaskStatus
from services.agents.told import draft
from services.events import EventDraft

TELL_SECONDS = 0.25
"""A workflow tells of its progress at most so often, however many units get on."""

BELL = "work"
"""What to ring after the commit: there is work."""


async def tally(unit: Unit, part: TaskRow, *, done: int, failed: int, skipped: int) -> Sequence[EventDraft]:
    """Count fates of a unit's items; return the event that tells of the workflow, when one is due."""
    if done or failed or skipped:
        await tasks.count_fates(unit, parent_of(part), step_of(part), done=done, failed=failed, skipped=skipped)
    told = await tasks.tell(unit, parent_of(part), at_once=False, pause_seconds=TELL_SECONDS)
    return [] if told is None else [draft(told)]


async def closed(unit: Unit, part: TaskRow) -> Sequence[EventDraft]:
    """Bring step and workflow along when a unit has ended, whatever way. What it left undone has failed."""
    if part.status not in FINAL:
        return []
    if part.status == TaskStatus.FAILED:
        reason = part.error or "Its unit was given up."
        failed = await tasks.give_up(unit, part, reason=reason)
        await tasks.count_fates(unit, parent_of(part), step_of(part), failed=failed)
        if failed:
            await tasks.say(unit, parent_of(part), MessageKind.ERROR, part.kind, f"{failed:,} failed. {reason}")
    is_last = await tasks.close_unit(unit, parent_of(part), step_of(part))
    if is_last:
        await tasks.wake(unit, parent_of(part))
        unit.ring(BELL)
    told = await tasks.tell(unit, parent_of(part), at_once=is_last, pause_seconds=TELL_SECONDS)
    return [] if told is None else [draft(told)]


def parent_of(part: TaskRow) -> UUID:
    """Return the workflow of a unit."""
    if part.parent_id is None:
        raise ValueError("this task is no unit of a workflow")
    return part.parent_id


def step_of(part: TaskRow) -> int:
    """Return the position of the step that a unit belongs to."""
    if part.step is None:
        raise ValueError("this task belongs to no step")
    return part.step
