"""Planning one step of a workflow, a bounded piece at a time: its items, and the units that workers take.

Items keep their positions through all steps. The first step takes its bookmarks from where the workflow was told to;
each further one from the step before: those that still exist and did not fail. A step may be planned again (after a
retry): what it has stays, and only items without a fate get units.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Any, Final
from uuid import UUID

from db import agents as tasks
from db.agents import StepRow, TaskRow
from db.unit import Rows, Unit
from services.agents.names import MessageKind, StepStatus
from services.agents.starting import SourceKind
from services.agents.units import BELL, step_of
from services.permissions import Viewer
from services.search import find

PLAN_ITEMS: Final = 2_000
"""Most items that one transaction adds."""


class Planned(Enum):
    """How far a step is."""

    PARTLY = auto()
    """There is more to plan."""
    WAITING = auto()
    """All is planned; its units work."""
    DONE = auto()
    """Every item has met its fate."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """Items that came to a step: how many, the cursor behind the last, and whether that was all."""

    added: int
    cursor: str | None
    is_all: bool


async def plan(unit: Unit, task: TaskRow, *, chunk_items: int | None) -> Planned:
    """Plan a piece of the step that a workflow is at, and tell how far the step is.

    `chunk_items` is the size of its units; None where there is no such agent: then its items are passed over.
    """
    step = await tasks.lock_step(unit, task.id, step_of(task))
    if step is None:
        raise ValueError("a workflow is at a step that it does not have")
    if step.is_planned:
        return Planned.WAITING if await tasks.count_open_units(unit, task.id, step.position) else Planned.DONE
    if step.started_at is None:
        await tasks.say(unit, task.id, MessageKind.STATUS, step.agent, f"{agent_title(step.agent)} begins.")
    gathered = Gathered(0, step.source_cursor, is_all=True)
    if not step.is_gathered:
        gathered = await _gather(unit, task, step)
    if chunk_items is None:
        reached, units, is_planned = await _pass_over(unit, task, step, gathered)
    else:
        reached, units, is_planned = await _cut(unit, task, step, gathered, chunk_items)
    await tasks.note_planned(
        unit,
        step,
        cursor=gathered.cursor,
        is_gathered=gathered.is_all,
        planned_to=reached,
        is_planned=is_planned,
        units=units,
    )
    await tasks.count_fates(unit, task.id, step.position, total=gathered.added)
    if units:
        unit.ring(BELL)
    if not is_planned:
        return Planned.PARTLY
    return Planned.WAITING if step.open_units + units > 0 else Planned.DONE


async def _gather(unit: Unit, task: TaskRow, step: StepRow) -> Gathered:
    """Add the next items to a step."""
    if step.position == 0:
        return await _from_source(unit, task, step)
    beyond = int(step.source_cursor or 0)
    added, reached = await tasks.copy_items(unit, task, step.position, beyond=beyond, limit=PLAN_ITEMS)
    return Gathered(added, step.source_cursor if reached is None else str(reached), is_all=reached is None)


async def _from_source(unit: Unit, task: TaskRow, step: StepRow) -> Gathered:
    match SourceKind(task.payload["source"]):
        case SourceKind.IDS:
            return Gathered(0, None, is_all=True)
        case SourceKind.IMPORT:
            ids, cursor = await _of_import(unit, task, step)
        case SourceKind.QUERY | SourceKind.ALL:
            ids, cursor = await _walked(unit, task, step)
    if not ids:
        return Gathered(0, step.source_cursor, is_all=True)
    added = await tasks.insert_items(unit, task.id, 0, step.total + 1, ids)
    return Gathered(added, cursor, is_all=len(ids) < PLAN_ITEMS)


async def _of_import(unit: Unit, task: TaskRow, step: StepRow) -> tuple[list[UUID], str]:
    beyond = int(step.source_cursor or 0)
    found = await tasks.imported(unit, task.owner_id, UUID(task.payload["import"]), beyond=beyond, limit=PLAN_ITEMS)
    return list(dict.fromkeys(key for _, key in found)), str(found[-1][0] if found else beyond)


async def _walked(unit: Unit, task: TaskRow, step: StepRow) -> tuple[list[UUID], str]:
    beyond: tuple[datetime, UUID] | None = None
    if step.source_cursor:
        moment, _, key = step.source_cursor.partition(" ")
        beyond = (datetime.fromisoformat(moment), UUID(key))
    text: str | None = task.payload.get("query")
    viewer = Viewer(task.owner_id)
    query = None if text is None else await find.understand(unit, viewer, text, find.SearchMode.FULL_TEXT)
    found = await find.walk(unit, viewer, query, beyond=beyond, limit=PLAN_ITEMS)
    cursor = f"{found[-1][0].isoformat()} {found[-1][1]}" if found else (step.source_cursor or "")
    return [key for _, key in found], cursor


async def _cut(unit: Unit, task: TaskRow, step: StepRow, gathered: Gathered, chunk_items: int) -> tuple[int, int, bool]:
    """Make units of the next items; return the last item that has one, how many there are, and whether that is all.

    An unfinished unit waits until more items came.
    """
    limit = PLAN_ITEMS + chunk_items
    positions = await tasks.positions_to_plan(unit, task.id, step.position, beyond=step.planned_to, limit=limit)
    is_planned = gathered.is_all and len(positions) < limit
    chunks = [positions[start : start + chunk_items] for start in range(0, len(positions), chunk_items)]
    if chunks and not is_planned and len(chunks[-1]) < chunk_items:
        chunks.pop()
    if chunks:
        ranges = [(chunk[0], chunk[-1], len(chunk)) for chunk in chunks]
        await tasks.insert_units(unit, task, step.agent, ranges)
    return (chunks[-1][-1] if chunks else step.planned_to), len(chunks), is_planned


async def _pass_over(unit: Unit, task: TaskRow, step: StepRow, gathered: Gathered) -> tuple[int, int, bool]:
    positions = await tasks.positions_to_plan(
        unit, task.id, step.position, beyond=step.planned_to, limit=2 * PLAN_ITEMS
    )
    if not positions:
        return step.planned_to, 0, gathered.is_all
    skipped = await tasks.pass_over(
        unit,
        task.id,
        step.position,
        beyond=step.planned_to,
        upto=positions[-1],
        reason=f"This server has no {agent_title(step.agent).lower()} agent.",
    )
    await tasks.count_fates(unit, task.id, step.position, skipped=skipped)
    return positions[-1], 0, False


async def end_step(unit: Unit, task: TaskRow, *, is_passed_over: bool) -> None:
    """End the step that a workflow is at, and enter the next one, if there is one."""
    steps = await tasks.steps_of(unit, [task.id])
    step = steps[step_of(task)]
    status = StepStatus.COMPLETED
    if is_passed_over:
        status = StepStatus.SKIPPED
    elif step.failed and not step.done + step.skipped:
        status = StepStatus.FAILED
    await tasks.end_step(unit, task.id, step.position, status=status)
    told = f"{agent_title(step.agent)}: {step.done:,} done, {step.failed:,} failed, {step.skipped:,} skipped."
    kind = MessageKind.WARNING if is_passed_over else MessageKind.COMPLETION
    await tasks.say(unit, task.id, kind, step.agent, told)
    if step.position + 1 < len(steps):
        await tasks.enter_step(unit, task.id, step.position + 1, agent=steps[step.position + 1].agent)


async def verdict(rows: Rows, task: TaskRow) -> str | None:
    """Return why a workflow whose steps have ended failed as a whole, or None: something of it succeeded."""
    steps = await tasks.steps_of(rows, [task.id])
    failed = sum(step.failed for step in steps)
    if not failed or steps[-1].done or steps[-1].skipped:
        return None
    return f"No bookmark got through; {failed:,} failed. Their items tell why."


def agent_title(agent: str) -> str:
    """Return an agent's name as it begins a sentence."""
    return agent.capitalize()


def options_of(task: TaskRow) -> dict[str, Any]:
    """Return the options that a workflow was started with."""
    options: dict[str, Any] = task.payload.get("options", {})
    return options
