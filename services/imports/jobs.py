"""Imports as their owner handles them: upload, start, look, steer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

from typing_extensions import TypeVar

from db import imports as rows_of
from db.agents import TaskRow
from db.imports import FateRow, ImportRow, UploadRow
from db.shapes import Shape
from db.unit import Database, Rows, Unit
from kit.errors import RateLimited
from kit.ids import new_id
from kit.paging import PageRequest
from kit.settings import ImportWorkflow, Settings
from kit.uploads import UploadedFile
from services import agents, collections, idempotency, quotas
from services.agents import TaskStatus, Workflow
from services.bookmarks.room import check_room
from services.events import EventDraft, Topic
from services.imports.detect import detect, open_reader
from services.imports.options import ImportOptions, options_from
from services.imports.plan import Outcome
from services.permissions import Owned, Viewer, own

R = TypeVar("R", default=ImportRow)
KIND, UNDO_KIND = "import", "import.undo"
WORKFLOW = "IMPORT"
ORDER, ITEM_ORDER = "imports", "import-items"
_UPLOAD_FIELD = ("input", "uploadId")
_BUSY_SECONDS = 10
_FULL_SECONDS = 3600


def path_of(settings: Settings, upload_id: UUID) -> Path:
    """Return where the file of an upload lies, as an absolute path."""
    return (settings.upload_dir / str(upload_id)).absolute()


async def upload(database: Database, viewer: Viewer, file: UploadedFile, settings: Settings) -> UploadRow:
    """Keep a file that has arrived, for `upload_retention_hours`.

    The file is durable before its row is written: a row without its file cannot be seen. Raises `BadInput` when it is
    empty or no bookmark file, `RateLimited` when the account's uploads take up too much, `Conflict` when all that
    it stores does; nothing is kept then.
    """
    source_format = await asyncio.to_thread(detect, file.path)
    await asyncio.to_thread(open_reader, file.path)
    key = new_id()
    kept = path_of(settings, key)
    await file.keep_as(kept)
    async with _removed_unless_committed(kept), database.unit() as unit:
        await _check_waiting(unit, viewer, file.size_bytes, settings)
        await quotas.check_storage(unit, settings, viewer.id, file.size_bytes, field=("input", "file"))
        return await rows_of.insert_upload(
            unit,
            key=key,
            owner_id=viewer.id,
            file_name=file.file_name,
            size_bytes=file.size_bytes,
            sha256=file.sha256,
            detected_format=source_format.value,
            hours=settings.upload_retention_hours,
        )


@asynccontextmanager
async def _removed_unless_committed(path: Path) -> AsyncIterator[None]:
    try:
        yield
    except BaseException:
        await asyncio.to_thread(path.unlink, missing_ok=True)
        raise


async def _check_waiting(unit: Unit, viewer: Viewer, size_bytes: int, settings: Settings) -> None:
    most = settings.max_waiting_upload_bytes_per_user
    if await rows_of.waiting_bytes(unit, viewer.id) + size_bytes > most:
        raise RateLimited(
            f"The files that wait to be imported may take up {most // 2**20:,} MiB together; "
            f"each goes away {settings.upload_retention_hours} hours after it was uploaded.",
            retry_after_seconds=_FULL_SECONDS,
            field=("input", "file"),
        )


async def uploaded(
    rows: Rows, viewer: Viewer, key: UUID, *, field: tuple[str, ...] = _UPLOAD_FIELD
) -> Owned[UploadRow]:
    """Return one of the viewer's uploads; `NotFound` also when it has expired."""
    return own(viewer, await rows_of.upload_by_id(rows, viewer.id, key), "upload", field=field)


async def start(
    unit: Unit,
    viewer: Viewer,
    upload_id: UUID,
    options: ImportOptions,
    settings: Settings,
    *,
    idempotency_key: str | None = None,
) -> ImportRow:
    """Start an import: its row and its task, together.

    Raises `NotFound` for the upload or the parent collection, `Conflict` when the account is full or the key was used
    otherwise, `RateLimited` while too many imports run.
    """
    key, options = new_id(), options.checked()
    earlier = await idempotency.earlier(
        unit,
        viewer,
        idempotency_key,
        operation="startImport",
        request={"upload": str(upload_id), "options": options.as_json()},
        subject_id=key,
        hours=settings.idempotency_hours,
    )
    if earlier is not None:
        return (await get(unit, viewer, earlier)).row
    source = (await uploaded(unit, viewer, upload_id)).row
    await check_parent(unit, viewer, options, field=("input", "options", "parentCollectionId"))
    bounds = await quotas.bounds_of(unit, settings, viewer.id)
    await check_room(unit, viewer.id, bounds.max_bookmarks)
    most = bounds.max_running_imports
    running = await rows_of.open_count(unit, viewer.id)
    if running >= most:
        raise RateLimited(
            f"At most {most} imports run at once, and {running} do; wait for one to end.",
            retry_after_seconds=_BUSY_SECONDS,
        )
    chosen = replace(options, workflow=options.workflow or settings.import_workflow)
    return await _enqueue(unit, viewer, key, source, chosen, settings)


async def _enqueue(
    unit: Unit, viewer: Viewer, key: UUID, source: UploadRow, options: ImportOptions, settings: Settings
) -> ImportRow:
    task = await agents.enqueue(
        unit,
        viewer,
        workflow=WORKFLOW,
        kind=KIND,
        payload={"import": str(key)},
        max_attempts=settings.task_max_attempts,
    )
    made = await rows_of.insert(
        unit,
        key=key,
        owner_id=viewer.id,
        task_id=task.id,
        upload_id=source.id,
        source_format=source.detected_format,
        file_name=source.file_name,
        file_size_bytes=source.size_bytes,
        options=options.as_json(),
    )
    await agents.announce(unit, task)
    return made


async def check_parent(rows: Rows, viewer: Viewer, options: ImportOptions, *, field: tuple[str, ...]) -> None:
    """Raise `NotFound` when all is to go below a collection that is not the viewer's."""
    if options.parent_collection_id is not None:
        parent = await collections.get(rows, viewer, options.parent_collection_id)
        own(viewer, parent, "collection", field=field)


async def get(rows: Rows, viewer: Viewer, key: UUID) -> Owned[ImportRow]:
    """Return one of the viewer's imports; `NotFound` otherwise."""
    return own(viewer, await rows_of.by_id(rows, viewer.id, key), "import", field=("input", "id"))


async def held(unit: Unit, viewer: Viewer, key: UUID) -> Owned[ImportRow]:
    """Return one of the viewer's imports as it stays until the transaction ends; `NotFound` otherwise."""
    await rows_of.lock(unit, viewer.id, key)
    return await get(unit, viewer, key)


async def pause(unit: Unit, viewer: Viewer, key: UUID) -> ImportRow:
    """Stop an import after the rows it has written. `NotFound`; `Conflict` once it has ended."""
    await agents.pause(unit, await _task(unit, viewer, key))
    return (await get(unit, viewer, key)).row


async def resume(unit: Unit, viewer: Viewer, key: UUID) -> ImportRow:
    """Let a paused import go on with the next row. `NotFound`; `Conflict` once it has ended."""
    await agents.resume(unit, await _task(unit, viewer, key))
    return (await get(unit, viewer, key)).row


async def cancel(unit: Unit, viewer: Viewer, key: UUID) -> ImportRow:
    """Stop an import for good; what it has written stays. `NotFound`; `Conflict` when it has ended otherwise."""
    await agents.cancel(unit, await _task(unit, viewer, key))
    return (await get(unit, viewer, key)).row


async def page(
    rows: Rows,
    viewer: Viewer,
    request: PageRequest,
    *,
    statuses: list[TaskStatus] | None,
    shape: Shape[R] = rows_of.WHOLE.by_default,
) -> list[tuple[R, UUID]]:
    """Return one page of the viewer's imports with their keys, newest first, and one more when there are more."""
    return await rows_of.page(
        rows,
        viewer.id,
        statuses=_values(statuses),
        position=_first(request),
        backward=request.backward,
        limit=request.limit + 1,
        shape=shape,
    )


async def count(rows: Rows, viewer: Viewer, *, statuses: list[TaskStatus] | None) -> int:
    """Return how many imports the viewer has, of some statuses or of all."""
    return await rows_of.count(rows, viewer.id, statuses=_values(statuses))


async def items(
    rows: Rows, owned: Owned[ImportRow], request: PageRequest, *, outcomes: list[Outcome] | None
) -> list[FateRow]:
    """Return one page of an import's rows in the order of the file, and one more when there are more."""
    return await rows_of.fates_page(
        rows,
        owned.row.id,
        outcomes=_values(outcomes),
        position=_first(request),
        backward=request.backward,
        limit=request.limit + 1,
    )


async def count_items(rows: Rows, owned: Owned[ImportRow], *, outcomes: list[Outcome] | None) -> int:
    """Return how many rows of an import have met one of these fates, or any."""
    return await rows_of.count_fates(rows, owned.row.id, outcomes=_values(outcomes))


async def _task(unit: Unit, viewer: Viewer, key: UUID) -> Owned[TaskRow]:
    return await agents.get(unit, viewer, (await held(unit, viewer, key)).row.task_id)


async def _follow(unit: Unit, task: TaskRow) -> list[EventDraft]:
    """Tell of an import whenever its task changes. One that ended early has no rows left to wait for."""
    if task.status in {TaskStatus.FAILED, TaskStatus.CANCELLED}:
        await rows_of.settle_total(unit, task.id)
    row = await rows_of.by_task(unit, task.owner_id, task.id)
    if row is None:
        return []
    if task.status == TaskStatus.COMPLETED:
        row = await _hand_on(unit, row)
    return [EventDraft(Topic.IMPORT, row.id, state_of(row))]


async def _hand_on(unit: Unit, row: ImportRow) -> ImportRow:
    """Let agents work on what an import that has ended made or met; return it with the workflow that does."""
    chosen = options_from(row.options).workflow
    if chosen is None or chosen is ImportWorkflow.NONE or not row.created + row.merged:
        return row
    workflow = await agents.start_workflow(
        unit, Viewer(row.owner_id), workflow=Workflow(chosen.upper()), import_id=row.id
    )
    await rows_of.set_workflow(unit, row.id, workflow.id)
    return replace(row, workflow_task_id=workflow.id)


agents.follow(KIND, _follow)


def state_of(row: ImportRow) -> dict[str, Any]:
    """Return what an event tells of an import: whatever changes while it runs."""
    names = ("status", "total", "next_row", "created", "merged", "skipped", "errors", "progress", "error")
    moments = {name: getattr(row, name) for name in ("started_at", "finished_at")}
    workflow = None if row.workflow_task_id is None else str(row.workflow_task_id)
    return (
        {name: getattr(row, name) for name in names}
        | {"workflow_task_id": workflow}
        | {name: None if moment is None else moment.isoformat() for name, moment in moments.items()}
    )


def _values(chosen: list[Any] | None) -> list[str] | None:
    return None if chosen is None else [one.value for one in chosen]


def _first(request: PageRequest) -> Any:
    return None if request.position is None else request.position[0]
