"""Imports in the graph."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Annotated, cast
from uuid import UUID

import strawberry

from db import imports as rows
from db.agents import TaskRow
from db.bookmarks import BookmarkRow
from db.imports import FateRow, ImportRow
from db.unit import Unit
from kit.ids import decode_global_id
from kit.paging import page_request
from resolvers import agents, bookmarks
from resolvers.bookmarks import Resume
from resolvers.context import Info, viewer_of
from resolvers.ids import optional_key
from resolvers.inputs.imports import (
    ImportFilter,
    ImportIdInput,
    ImportItemFilter,
    ImportOptions,
    StartImportInput,
    UploadImportInput,
)
from resolvers.loaders import load_row
from resolvers.mutation import Payload, change, refusable
from resolvers.paging import After, Before, ConnectionRows, First, Last, connection
from resolvers.shaped import shape_of
from services.agents import TaskStatus
from services.imports import jobs, options, preview, progress, undo
from services.imports.preview import Preview
from services.imports.progress import ImportProgress
from services.permissions import Viewer, own

TYPE, UPLOAD_TYPE = "Import", "ImportUpload"
SOURCE = rows.SOURCE
TASK, UNDO_TASK, WORKFLOW = rows.TASK, rows.UNDO_TASK, rows.WORKFLOW
Filter = Annotated[ImportFilter | None, strawberry.argument(description="Which imports; all when left out.")]
ItemFilter = Annotated[ImportItemFilter | None, strawberry.argument(description="Which rows; all when left out.")]
ImportId = Annotated[strawberry.ID, strawberry.argument(description="The import's id.")]
UploadId = Annotated[strawberry.ID, strawberry.argument(description="The file, from `uploadImport`.")]
Options = Annotated[
    ImportOptions | None, strawberry.argument(description="How it would become bookmarks; the defaults when left out.")
]
UploadFile = Annotated[UploadImportInput, strawberry.argument(description="The file.")]
Start = Annotated[StartImportInput, strawberry.argument(description="What to import, and how.")]
Steer = Annotated[ImportIdInput, strawberry.argument(description="Which import.")]
Steering = Callable[[Unit, Viewer, UUID], Awaitable[ImportRow]]


async def find(info: Info, key: UUID) -> ImportRow | None:
    """Return one import of the viewer."""
    return await load_row(info, rows.SOURCE, key, shape_of(info, TYPE, rows.WHOLE))


async def import_by_id(info: Info, id: ImportId) -> ImportRow | None:  # noqa: A002  the name of the API
    """Return one import of the viewer."""
    return await find(info, decode_global_id(id, expected=TYPE, field=("id",))[1])


async def list_imports(
    info: Info,
    *,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    filter: Filter = None,  # noqa: A002  the name of the API
) -> ConnectionRows[ImportRow]:
    """Return the viewer's imports, newest first."""
    viewer, database = viewer_of(info), info.context.database
    statuses = None
    if filter is not None and filter.status is not None:
        statuses = [TaskStatus(status.value) for status in filter.status]
    request = page_request(jobs.ORDER, (UUID,), first=first, after=after, last=last, before=before)
    shape = shape_of(info, TYPE, rows.WHOLE)
    return connection(
        request,
        jobs.ORDER,
        await jobs.page(database, viewer, request, statuses=statuses, shape=shape),
        lambda: jobs.count(database, viewer, statuses=statuses),
    )


async def items(
    row: strawberry.Parent[ImportRow],
    info: Info,
    *,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    filter: ItemFilter = None,  # noqa: A002  the name of the API
) -> ConnectionRows[FateRow]:
    """Return the rows of an import that have met their fate, in the order of the file."""
    owned, database = own(viewer_of(info), row, "import"), info.context.database
    outcomes = None if filter is None else filter.outcome
    request = page_request(jobs.ITEM_ORDER, (int,), first=first, after=after, last=last, before=before)
    found = await jobs.items(database, owned, request, outcomes=outcomes)
    return connection(
        request,
        jobs.ITEM_ORDER,
        [(fate, fate.row) for fate in found],
        lambda: jobs.count_items(database, owned, outcomes=outcomes),
    )


async def item_bookmark(fate: strawberry.Parent[FateRow], info: Info) -> BookmarkRow | None:
    """Return the bookmark that a row made or met."""
    return None if fate.bookmark_id is None else await bookmarks.find(info, fate.bookmark_id)


async def task_of(row: strawberry.Parent[ImportRow], info: Info) -> TaskRow | None:
    """Return the task that does an import."""
    return await agents.find(info, row.task_id)


async def undo_task_of(row: strawberry.Parent[ImportRow], info: Info) -> TaskRow | None:
    """Return the task that takes an import back."""
    return None if row.undo_task_id is None else await agents.find(info, row.undo_task_id)


async def workflow_of(row: strawberry.Parent[ImportRow], info: Info) -> TaskRow | None:
    """Return the workflow on what an import made or met."""
    return None if row.workflow_task_id is None else await agents.find(info, row.workflow_task_id)


async def upload_import(info: Info, input: UploadFile) -> Payload:  # noqa: A002  the name of the API
    """Keep a file."""
    viewer = viewer_of(info)

    async def work() -> Payload:
        context = info.context
        return Payload(upload=await jobs.upload(context.database, viewer, input.file, context.settings))

    return await refusable(work())


async def preview_import(info: Info, upload_id: UploadId, options: Options = None) -> Preview:
    """Tell what an import would do."""
    viewer, context = viewer_of(info), info.context
    key = decode_global_id(upload_id, expected=UPLOAD_TYPE, field=("uploadId",))[1]
    chosen = _options(options).checked()
    owned = await jobs.uploaded(context.database, viewer, key, field=("uploadId",))
    await jobs.check_parent(context.database, viewer, chosen, field=("options", "parentCollectionId"))
    return await preview.preview(context.database, viewer, jobs.path_of(context.settings, owned.row.id), chosen)


async def start_import(info: Info, input: Start) -> Payload:  # noqa: A002  the name of the API
    """Start an import."""
    viewer = viewer_of(info)

    async def work(unit: Unit) -> Payload:
        key = decode_global_id(input.upload_id, expected=UPLOAD_TYPE, field=("input", "uploadId"))[1]
        started = await jobs.start(
            unit,
            viewer,
            key,
            _options(input.options),
            info.context.settings,
            idempotency_key=input.idempotency_key,
        )
        return Payload(import_=started)

    return await change(info, work)


async def pause_import(info: Info, input: Steer) -> Payload:  # noqa: A002  the name of the API
    """Pause an import."""
    return await _steer(info, input, jobs.pause)


async def resume_import(info: Info, input: Steer) -> Payload:  # noqa: A002  the name of the API
    """Resume an import."""
    return await _steer(info, input, jobs.resume)


async def cancel_import(info: Info, input: Steer) -> Payload:  # noqa: A002  the name of the API
    """Cancel an import."""
    return await _steer(info, input, jobs.cancel)


async def undo_import(info: Info, input: Steer) -> Payload:  # noqa: A002  the name of the API
    """Take an import back."""

    async def start(unit: Unit, viewer: Viewer, key: UUID) -> ImportRow:
        return await undo.start(unit, viewer, key, info.context.settings)

    return await _steer(info, input, start)


async def import_progress(
    info: Info, import_id: ImportId, after: Resume = None
) -> AsyncGenerator[ImportProgress, None]:
    """Yield the states of an import until it has ended."""
    context = info.context
    key = decode_global_id(import_id, expected=TYPE, field=("importId",))[1]
    following = progress.follow(context.database, context.services.bus, viewer_of(info), key, after=after)
    async with aclosing(cast("AsyncGenerator[ImportProgress, None]", following)) as states:
        async for state in states:
            context.loaders.clear()  # what they remember was true at the state before
            yield state


def progress_import(state: strawberry.Parent[ImportProgress]) -> ImportRow:
    """Return the import as it was at this state."""
    return state.row


async def _steer(info: Info, given: ImportIdInput, verb: Steering) -> Payload:
    viewer = viewer_of(info)

    async def work(unit: Unit) -> Payload:
        key = decode_global_id(given.id, expected=TYPE, field=("input", "id"))[1]
        return Payload(import_=await verb(unit, viewer, key))

    return await change(info, work)


def _options(given: ImportOptions | None) -> options.ImportOptions:
    if given is None:
        return options.ImportOptions()
    return options.ImportOptions(
        on_duplicate=given.on_duplicate,
        folders_as_collections=given.folders_as_collections,
        folders_as_tags=given.folders_as_tags,
        parent_collection_id=optional_key(
            given.parent_collection_id, "Collection", ("input", "options", "parentCollectionId")
        ),
        add_tags=tuple(given.add_tags or ()),
        mark_unread=given.mark_unread,
        restore_trashed=given.restore_trashed,
        workflow=given.workflow,
    )
