"""Following an import: its state first, then every change, once and in order, until it has ended."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from db import events as event_rows
from db import imports as rows_of
from db.imports import ImportRow
from db.unit import Database
from kit.bus import Bus
from services import events
from services.agents import FINAL
from services.events import Topic
from services.permissions import Viewer, own


@dataclass(frozen=True, slots=True)
class ImportProgress:
    """An import as it was at one moment. `cursor` resumes behind it; `resync` says that changes may be missing."""

    cursor: str
    resync: bool
    row: ImportRow


async def follow(
    database: Database, bus: Bus, viewer: Viewer, key: UUID, *, after: str | None
) -> AsyncIterator[ImportProgress]:
    """Yield the state of an import, then each change of it, and end behind its end.

    With `after`, a cursor of such a state, only what came later. Counts and progress never go back. Raises
    `NotFound`, and `BadInput` when `after` is not a cursor.
    """
    seen = None if after is None else events.seq_of(after)
    row, seq = await _present(database, viewer, key)
    if seen is None:
        yield ImportProgress(events.cursor_of(seq), resync=False, row=row)
        seen = seq
    if row.status in FINAL and await _is_all(database, viewer, key, seen):
        return
    async for happening in events.follow(
        database, bus, viewer.id, Topic.IMPORT, subject_id=key, after=events.cursor_of(seen)
    ):
        if happening.resync:
            row, seen = await _present(database, viewer, key)
            yield ImportProgress(events.cursor_of(seen), resync=True, row=row)
        elif happening.event is not None and happening.event.seq > seen:
            seen = happening.event.seq
            row = _as_of(row, happening.event.payload)
            yield ImportProgress(happening.cursor, resync=False, row=row)
        if row.status in FINAL:
            return


async def _present(database: Database, viewer: Viewer, key: UUID) -> tuple[ImportRow, int]:
    found = await rows_of.snapshot(database, viewer.id, key)
    row = own(viewer, found[0] if found else None, "import", field=("importId",)).row
    return row, found[1] if found else 0


async def _is_all(database: Database, viewer: Viewer, key: UUID, seen: int) -> bool:
    """Tell whether nothing of the import happened behind `seen` that events still tell."""
    pruned, latest = await event_rows.horizon(database, viewer.id)
    if not pruned <= seen <= latest:
        return False
    return not await event_rows.after(database, viewer.id, Topic.IMPORT, seen, subject_id=key, limit=1)


def _as_of(row: ImportRow, told: dict[str, Any]) -> ImportRow:
    """Return the import as an event tells of it."""
    moments = {
        name: None if told[name] is None else datetime.fromisoformat(told[name])
        for name in ("started_at", "finished_at")
    }
    workflow = told.get("workflow_task_id")
    known = {"workflow_task_id": None if workflow is None else UUID(workflow)}
    return replace(row, **(told | moments | known))
