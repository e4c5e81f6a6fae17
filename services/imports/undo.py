"""Taking an import back: bookmarks it made go, bookmarks it changed become as they were.

What somebody has changed since stays as it is and is counted as kept. Collections and tags that the import made go
when nothing lies in them any more. It is a task like the import itself, in chunks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from db import collections as collection_rows
from db import tags as tag_rows
from db.imports import ImportRow, chunks
from db.imports import undo as rows_of
from db.unit import Unit
from kit.errors import Conflict
from kit.settings import Settings
from services import agents
from services.agents import FINAL, TaskStatus
from services.events import MAX_IDS_IN_EVENT, BookmarkChange, EventDraft, Topic
from services.imports import jobs
from services.permissions import Viewer

_CHUNK_ROWS = 1_000


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an undo got: the next row of the import to look at, and whether there is none."""

    next_row: int
    is_done: bool


async def start(unit: Unit, viewer: Viewer, key: UUID, settings: Settings) -> ImportRow:
    """Start to take an import back. A second call changes nothing, unless the first failed: then it goes on.

    Raises `NotFound`, and `Conflict` while the import goes on.
    """
    row = (await jobs.held(unit, viewer, key)).row
    if row.status not in FINAL:
        raise Conflict("This import has not ended; cancel it first.", field=("input", "id"))
    if row.undo_task_id is not None:
        earlier = await agents.get(unit, viewer, row.undo_task_id)
        if earlier.row.status == TaskStatus.FAILED:
            await agents.retry(unit, earlier)
        return row
    task = await agents.enqueue(
        unit,
        viewer,
        workflow=jobs.WORKFLOW,
        kind=jobs.UNDO_KIND,
        payload={"import": str(key)},
        max_attempts=settings.task_max_attempts,
    )
    await rows_of.begin(unit, key, task.id)
    await agents.announce(unit, task)
    return (await jobs.get(unit, viewer, key)).row


async def undo_chunk(unit: Unit, row: ImportRow, from_row: int) -> tuple[Progress, list[EventDraft]]:
    """Take the next rows back, from `from_row` on; return how far it got and the events that tell of it."""
    await chunks.lock_owner(unit, row.owner_id)
    await tag_rows.hold(unit, row.owner_id)
    found = await rows_of.to_undo(unit, row.id, from_row=from_row, limit=_CHUNK_ROWS)
    made = [key for _, outcome, key in found if outcome == "CREATED"]
    removed = await rows_of.remove_untouched(unit, row.owner_id, made)
    left = await rows_of.lock_versions(unit, row.owner_id, made) if len(removed) < len(made) else {}
    changed = {key: number for number, outcome, key in reversed(found) if outcome != "CREATED"}
    restored, kept = await _restore(unit, row, changed)
    next_row = found[-1][0] + 1 if found else from_row
    await rows_of.advance(
        unit,
        row.id,
        next_row=next_row,
        removed=len(removed),
        restored=len(restored),
        kept=kept + len(left),
    )
    events = [*_events(BookmarkChange.PURGED, removed), *_events(BookmarkChange.UPDATED, restored)]
    return Progress(next_row, is_done=len(found) < _CHUNK_ROWS), events


async def finish(unit: Unit, row: ImportRow) -> None:
    """Remove what the import made and nothing lies in, and write down that it is undone."""
    await chunks.lock_owner(unit, row.owner_id)
    await tag_rows.reshape(unit, row.owner_id)
    await collection_rows.reshape(unit, row.owner_id)
    await rows_of.remove_empty(unit, row.owner_id, row.id)
    await rows_of.end(unit, row.id)


async def _restore(unit: Unit, row: ImportRow, changed: dict[UUID, int]) -> tuple[list[UUID], int]:
    """Undo the changes of bookmarks whose first changed row is in `changed`; return their ids, and how many stay."""
    changes = await rows_of.changes_of(unit, row.id, list(changed))
    due = {key: steps for key, steps in changes.items() if steps[0][0] == changed[key]}
    versions = await rows_of.lock_versions(unit, row.owner_id, list(due))
    restored = []
    for key, steps in due.items():
        old = _united([step for _, step in steps])
        if versions.get(key) == old["version"] and _is_unbroken([step for _, step in steps]):
            await rows_of.restore(unit, key, old)
            restored.append(key)
    await tag_rows.refresh_labels(unit, row.owner_id, restored)
    return restored, len(versions) - len(restored)


def _is_unbroken(steps: Sequence[dict[str, Any]]) -> bool:
    """Tell whether nobody changed the bookmark between these changes of it, each of which is of some chunk."""
    left = None
    for found, version in dict.fromkeys((step["found"], step["version"]) for step in steps):
        if left not in {None, found}:
            return False
        left = version
    return True


def _united(steps: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return one undo for several: the oldest values count, everything that was added is taken off."""
    fields: dict[str, Any] = {}
    for step in reversed(steps):
        fields |= step.get("fields", {})
    united: dict[str, Any] = {"fields": fields, "version": steps[-1]["version"]}
    for name in ("tags", "collections"):
        united[name] = [key for step in steps for key in step.get(name, [])]
    moments = [step["deleted_at"] for step in steps if "deleted_at" in step]
    return united | ({"deleted_at": moments[0]} if moments else {})


def _events(change: BookmarkChange, keys: Sequence[UUID]) -> list[EventDraft]:
    ids = [str(key) for key in keys]
    return [
        EventDraft(Topic.BOOKMARK, None, {"change": change.value, "ids": ids[start : start + MAX_IDS_IN_EVENT]})
        for start in range(0, len(ids), MAX_IDS_IN_EVENT)
    ]
