"""The background side of imports: files become bookmarks chunk by chunk, and back again."""

from collections.abc import Awaitable, Callable, Sequence

from db import imports as rows_of
from db.imports import ImportRow
from db.imports.chunks import Raced
from db.unit import Unit
from kit.errors import NotFound
from services import quotas
from services.imports import jobs, undo
from services.imports.frames import Row
from services.imports.options import options_from
from services.imports.places import Places
from services.imports.reading import Reading, reading
from services.imports.room import Room, check_room
from services.imports.writing import Run, write_chunk
from tasks.envelope import Handler
from tasks.job import Job, Step

_VERSION = 1


async def run_import(job: Job) -> None:
    """Write the rows of an import from where it stands; every chunk is one step.

    Killed at any moment, it goes on with the first row that was not committed. Raises `BadInput` when the file is gone
    or cannot be read, `Conflict` when the account has no room for it: then nothing was imported, unless
    others filled it meanwhile.
    """
    row = await _import_of(job)
    path = jobs.path_of(job.settings, row.upload_id)
    async with reading(path, skip_rows=row.next_row - 1, chunk_rows=job.settings.import_chunk_rows) as file:
        if row.next_row == 1:
            await check_room(job.database, row.owner_id, path, file.total, job.settings)
        await _write(job, row, file)


async def _write(job: Job, row: ImportRow, file: Reading) -> None:
    options = options_from(row.options)
    places = Places(row.owner_id, row.id, options.parent_collection_id, file.folders)
    bounds = await quotas.bounds_of(job.database, job.settings, row.owner_id)
    room = Room(row.owner_id, bounds.max_bookmarks)
    run = Run(row.id, row.owner_id, options, row.created_at, places, room)
    done = row.processed
    async for rows in file.chunks():
        if rows:
            done += len(rows)
            await job.step(_chunk(run, rows, done, file.total), again_on=(Raced,))

    async def end(unit: Unit) -> Step:
        if options.folders_as_collections:  # also the empty ones
            await places.settle(unit, range(len(file.folders)))
        await rows_of.settle_total(unit, row.task_id)
        return Step(1)

    await job.complete(end, again_on=(Raced,))


def _chunk(run: Run, rows: Sequence[Row], done: int, total: int) -> Callable[[Unit], Awaitable[Step]]:
    """Return the step that writes `rows`, the last of which is the `done`th of `total`."""

    async def write(unit: Unit) -> Step:
        written = await write_chunk(unit, run, rows, total=total)
        return Step(min(1.0, done / max(1, total)), f"{done:,} of {total:,} rows", written.events)

    return write


async def run_undo(job: Job) -> None:
    """Take an import back, chunk by chunk."""
    row = await _import_of(job)
    at = reached = undo.Progress(row.undo_next_row, is_done=False)

    async def take_back(unit: Unit) -> Step:
        nonlocal reached
        reached, events = await undo.undo_chunk(unit, row, at.next_row)
        return Step(min(1.0, reached.next_row / max(1, row.next_row)), events=events)

    async def end(unit: Unit) -> Step:
        await undo.finish(unit, row)
        return Step(1)

    while not at.is_done:
        await job.step(take_back)
        at = reached
    await job.complete(end)


async def _import_of(job: Job) -> ImportRow:
    row = await rows_of.by_task(job.database, job.task.owner_id, job.task.id)
    if row is None:
        raise NotFound("There is no such import.")
    return row


HANDLERS = {
    handler.kind: handler
    for handler in (Handler(jobs.KIND, _VERSION, run_import), Handler(jobs.UNDO_KIND, _VERSION, run_undo))
}
"""Imports, and taking them back."""
