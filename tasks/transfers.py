"""The background side of transfers: bookmarks go from one account to another piece by piece."""

from db.imports.chunks import Raced
from db.unit import Unit
from services import transfers
from services.agents import TaskStatus
from tasks.envelope import Handler
from tasks.job import Job, Step

_VERSION = 1


async def run_transfer(job: Job) -> None:
    """Move what is left; every piece is one step. Killed at any moment, it goes on with what was not committed.

    Raises `NotFound` when one of the accounts goes, `Conflict` when the other is full.
    """
    row = await transfers.of_task(job.database, job.task.id)
    is_last = False

    async def move(unit: Unit) -> Step:
        nonlocal is_last
        moved = await transfers.move_chunk(unit, row, job.settings)
        is_last = moved.is_last
        done = moved.row.moved + moved.row.merged + moved.row.skipped
        told = f"{done:,} of {max(done, row.total):,} bookmarks"
        return Step(min(1.0, done / max(1, row.total)), told, others=moved.events)

    async def end(unit: Unit) -> Step:
        await transfers.finish(unit, row, job.task.owner_id, TaskStatus.COMPLETED)
        return Step(1)

    while not is_last:
        await job.step(move, again_on=(Raced,))
    await job.complete(end)


HANDLER = Handler(transfers.KIND, _VERSION, run_transfer)
"""Transfers."""
