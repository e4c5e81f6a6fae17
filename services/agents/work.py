"""Recording work with the change that needs it.

A service records a task in its own transaction and asks for the bell; the worker that hears it is in `tasks`.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from db import agents as tasks
from db.agents import TaskRow
from db.unit import Rows, Unit
from kit.ids import new_id
from services import events
from services.agents import units
from services.agents.told import draft
from services.agents.units import BELL
from services.events import EventDraft
from services.permissions import Owned, Viewer, own

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


async def announce(
    unit: Unit,
    task: TaskRow,
    also: Sequence[EventDraft] = (),
    *,
    others: Sequence[tuple[UUID, EventDraft]] = (),
) -> None:
    """Tell whoever follows that `task` changed. Writes the events of the transaction, so it comes last in it.

    Of a unit nobody is told but its workflow. `others` are events of other owners.
    """
    await announce_all(unit, [(task, also)], others=others)


async def announce_all(
    unit: Unit,
    changed: Sequence[tuple[TaskRow, Sequence[EventDraft]]],
    *,
    others: Sequence[tuple[UUID, EventDraft]] = (),
) -> None:
    """Do as `announce` for several tasks, of any owners, each with further events."""
    drafts: list[tuple[UUID, EventDraft]] = []
    for task, also in changed:
        drafts += [(task.owner_id, one) for one in await _told(unit, task, also)]
    await events.record_all(unit, [*drafts, *others])


async def get(rows: Rows, viewer: Viewer, key: UUID, *, field: tuple[str, ...] = ("input", "id")) -> Owned[TaskRow]:
    """Return one of the viewer's tasks; `NotFound` otherwise."""
    return own(viewer, await tasks.by_id(rows, viewer.id, key), "task", field=field)


async def _told(unit: Unit, task: TaskRow, also: Sequence[EventDraft]) -> Sequence[EventDraft]:
    if task.parent_id is not None:
        return [*also, *await units.closed(unit, task)]
    follower = _followers.get(task.kind)
    return [draft(task), *(await follower(unit, task) if follower else ()), *also]
