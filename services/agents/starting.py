"""Starting workflows: on some bookmarks, on those that a query finds, on all, on those of an import."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from db import agents as tasks
from db.agents import TaskRow
from db.unit import Unit
from kit.errors import BadInput, Conflict, NotFound
from kit.ids import new_id
from services import idempotency
from services.agents.names import Priority, Workflow, steps_on_bookmarks
from services.agents.units import BELL
from services.agents.work import announce
from services.permissions import Viewer
from services.search.find import understandable

WORKFLOW_KIND: Final = "WORKFLOW"
"""The kind of the tasks that plan the steps of a workflow; their payloads are of version 1."""

MAX_BOOKMARKS: Final = 1_000
"""Most bookmarks that a workflow is given by their ids."""

MAX_OPEN: Final = 100
"""Most workflows of an account that have not ended, when somebody asks for one more. Each may hold a whole library."""

FEW_BOOKMARKS: Final = 20
"""So many at most, and somebody may be waiting for them."""

_MAX_ATTEMPTS: Final = 10


class SourceKind(StrEnum):
    """Where the bookmarks of a workflow come from."""

    IDS = "IDS"
    QUERY = "QUERY"
    ALL = "ALL"
    IMPORT = "IMPORT"


async def start_workflow(
    unit: Unit,
    viewer: Viewer,
    *,
    workflow: Workflow,
    bookmark_ids: Sequence[UUID] | None = None,
    query: str | None = None,
    import_id: UUID | None = None,
    options: Mapping[str, Any] | None = None,
    priority: Priority | None = None,
    idempotency_key: str | None = None,
    idempotency_hours: int = 24,
    is_new: bool = False,
    most_open: int | None = None,
) -> TaskRow:
    """Start a workflow on the viewer's bookmarks.

    They are those with `bookmark_ids` (at most 1,000), those that a `query` of the search language finds, those that an
    import created or merged, or all that are not in the trash.
    `options` are small JSON for the agents. Few bookmarks go before batches unless `priority` says otherwise. One with
    `is_new` takes further new bookmarks until a worker has it. Writes events: call it last in the transaction.

    Raises `NotFound` for the first bookmark that is not there for the viewer, `BadInput` for too many, none, or a query
    that cannot be understood, `Conflict` for a key that was used otherwise, and where `most_open` have not ended.
    """
    key = new_id()
    payload = _payload(bookmark_ids, query, import_id, options)
    if is_new:
        payload[tasks.NEW] = True
    request = {"workflow": workflow.value, "ids": [str(one) for one in bookmark_ids or ()], **payload}
    earlier = await idempotency.earlier(
        unit,
        viewer,
        idempotency_key,
        operation="startWorkflow",
        request=request,
        subject_id=key,
        hours=idempotency_hours,
    )
    if earlier is not None:
        found = await tasks.by_id(unit, viewer.id, earlier)
        if found is None:
            raise NotFound("There is no such task.")
        return found
    if most_open is not None and await tasks.count_open(unit, viewer.id, WORKFLOW_KIND, upto=most_open) >= most_open:
        raise Conflict(
            f"{most_open} workflows have not ended yet. Wait for some of them, or cancel what is not needed."
        )
    ids = await _checked(unit, viewer, bookmark_ids)
    if query is not None:
        await understandable(unit, viewer, query, field=("input", "query"))
    agents = steps_on_bookmarks(workflow)
    task = await tasks.insert(
        unit,
        key=key,
        owner_id=viewer.id,
        workflow=workflow.value,
        kind=WORKFLOW_KIND,
        payload=payload,
        payload_version=1,
        max_attempts=_MAX_ATTEMPTS,
        priority=_priority(priority, ids, import_id).value,
        total_steps=len(agents),
        step=0,
        current_agent=agents[0].value,
    )
    await _fill(unit, task, [agent.value for agent in agents], ids)
    return task


async def start_on_new(unit: Unit, viewer: Viewer, bookmark_id: UUID) -> None:
    """Let agents work on a bookmark that was just made, before other work. Writes events: call it last.

    It joins the bookmarks that still wait for the same, so that a thousand made one by one are few workflows.
    """
    waiting = await tasks.lock_waiting(unit, viewer.id, kind=WORKFLOW_KIND, most=MAX_BOOKMARKS)
    if waiting is not None:
        key, total = waiting
        await tasks.insert_items(unit, key, 0, total + 1, [bookmark_id])
        await tasks.count_fates(unit, key, 0, total=1)
        return
    await start_workflow(
        unit,
        viewer,
        workflow=Workflow.REPROCESS,
        bookmark_ids=[bookmark_id],
        priority=Priority.WAITING,
        is_new=True,
    )


def _payload(
    bookmark_ids: Sequence[UUID] | None, query: str | None, import_id: UUID | None, options: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return the payload of the task: where its bookmarks come from, and the options of the agents."""
    if bookmark_ids is not None and query is not None:
        raise BadInput("Give ids or a query, not both.", field=("input", "query"))
    payload: dict[str, Any] = {"source": SourceKind.ALL.value, "options": dict(options or {})}
    if bookmark_ids is not None:
        payload["source"] = SourceKind.IDS.value
    elif query is not None:
        payload |= {"source": SourceKind.QUERY.value, "query": query}
    elif import_id is not None:
        payload |= {"source": SourceKind.IMPORT.value, "import": str(import_id)}
    return payload


async def _checked(unit: Unit, viewer: Viewer, bookmark_ids: Sequence[UUID] | None) -> list[UUID]:
    """Return the ids without repetition; all of them are the viewer's."""
    if bookmark_ids is None:
        return []
    ids, field = list(dict.fromkeys(bookmark_ids)), ("input", "bookmarkIds")
    if not 1 <= len(bookmark_ids) <= MAX_BOOKMARKS:
        raise BadInput(f"Give 1 to {MAX_BOOKMARKS:,} ids; these are {len(bookmark_ids):,}.", field=field)
    there = await tasks.owned(unit, viewer.id, ids)
    for index, key in enumerate(bookmark_ids):
        if key not in there:
            raise NotFound("There is no such bookmark.", field=(*field, str(index)))
    return ids


def _priority(priority: Priority | None, ids: Sequence[UUID], import_id: UUID | None) -> Priority:
    if priority is not None:
        return priority
    if import_id is not None:
        return Priority.BACKGROUND
    return Priority.WAITING if 0 < len(ids) <= FEW_BOOKMARKS else Priority.NORMAL


async def _fill(unit: Unit, task: TaskRow, agents: Sequence[str], ids: Sequence[UUID]) -> None:
    """Give a workflow its steps, and the first of them its items where they are known."""
    await tasks.insert_steps(unit, task.id, agents)
    if ids:
        await tasks.insert_items(unit, task.id, 0, 1, ids)
        await tasks.count_fates(unit, task.id, 0, total=len(ids))
    unit.ring(BELL)
    await announce(unit, task)
