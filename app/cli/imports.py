"""`graphmark import`: a file on this machine becomes somebody's bookmarks."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from app.cli.support import print_json, run_with_services, spare_collector
from db.imports import ImportRow
from db.unit import Database
from kit.ids import encode_global_id
from kit.settings import Settings
from kit.uploads import IncomingFile
from resolvers.context import Services
from services.agents import TaskStatus
from services.auth import viewer_by_email
from services.imports import jobs, progress
from services.imports.options import ImportOptions, OnDuplicate
from services.permissions import Viewer
from tasks.imports import HANDLERS
from tasks.orchestrator import Worker

_READ_BYTES = 1 << 20
_LOOK_AGAIN_SECONDS = 2.0


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path))
@click.option("--user", "email", required=True, help="Whose bookmarks: the address they sign in with.")
@click.option("--wait", is_flag=True, help="Stay until it has ended, helping with the work; shows a progress bar.")
@click.option(
    "--on-duplicate",
    type=click.Choice([policy.value for policy in OnDuplicate], case_sensitive=False),
    default=OnDuplicate.MERGE.value,
    show_default=True,
    help="What to do with an address that is saved already.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def import_file(
    context: click.Context, *, file: Path, email: str, wait: bool, on_duplicate: str, as_json: bool
) -> None:
    """Import FILE, which a browser or another service exported, into somebody's bookmarks.

    Without --wait the import is handed to the running workers and its id is printed.
    """
    spare_collector()
    options = ImportOptions(on_duplicate=OnDuplicate(on_duplicate.upper()))
    started = time.monotonic()

    async def work(services: Services) -> ImportRow:
        viewer = await viewer_by_email(services.database, email)
        row = await _start(services, viewer, file, options)
        return await _see_through(services, viewer, row) if wait else row

    row = run_with_services("import", work, is_worker=True)
    summary = _summary(row, time.monotonic() - started)
    if as_json:
        print_json(summary)
    else:
        click.echo(_sentence(row, summary, wait=wait), err=row.status in {TaskStatus.FAILED, TaskStatus.CANCELLED})
    if row.status in {TaskStatus.FAILED, TaskStatus.CANCELLED}:
        context.exit(1)


async def _start(services: Services, viewer: Viewer, file: Path, options: ImportOptions) -> ImportRow:
    settings = services.settings
    incoming = IncomingFile(settings.upload_dir / "incoming", file.name, max_bytes=settings.max_upload_bytes)
    async with incoming:
        with file.open("rb") as source:
            while block := await asyncio.to_thread(source.read, _READ_BYTES):
                incoming.add(block)
                await incoming.flush()
        kept = await jobs.upload(services.database, viewer, await incoming.finish(), settings)
    async with services.database.unit() as unit:
        return await jobs.start(unit, viewer, kept.id, options, settings)


async def _see_through(services: Services, viewer: Viewer, row: ImportRow) -> ImportRow:
    """Follow the import to its end, working on it unless another worker was faster."""
    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
    )
    async with _helping(services.database, services.settings):
        with bar:
            shown = bar.add_task(row.file_name, total=None)
            async for state in progress.follow(services.database, services.bus, viewer, row.id, after=None):
                row = state.row
                bar.update(shown, completed=row.processed, total=row.total)
    return row


@asynccontextmanager
async def _helping(database: Database, settings: Settings) -> AsyncIterator[None]:
    """Be a worker as long as the block lasts: an import must not wait for a server that may not be running."""
    worker = Worker(database, settings, HANDLERS)
    working = asyncio.create_task(worker.run())
    looking = asyncio.create_task(_wake_now_and_then(worker))
    try:
        yield
    finally:
        looking.cancel()
        worker.stop()
        await working
        with contextlib.suppress(asyncio.CancelledError):
            await looking


async def _wake_now_and_then(worker: Worker) -> None:
    """Let the worker find what became due without a ring: a retry, or what another worker let go of."""
    while True:
        await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        worker.wake()


def _summary(row: ImportRow, seconds: float) -> dict[str, Any]:
    return {
        "importId": encode_global_id("Import", row.id),
        "status": row.status,
        "total": row.total,
        "created": row.created,
        "merged": row.merged,
        "skipped": row.skipped,
        "errors": row.errors,
        "seconds": round(seconds, 3),
    }


def _sentence(row: ImportRow, summary: dict[str, Any], *, wait: bool) -> str:
    if not wait:
        return f"Import {summary['importId']} has been handed to the workers; --wait stays and shows its progress."
    if row.status == TaskStatus.COMPLETED:
        return (
            f"{row.total or 0:,} rows in {summary['seconds']} s: {row.created:,} created, {row.merged:,} merged, "
            f"{row.skipped:,} skipped, {row.errors:,} errors."
        )
    return f"The import has ended as {row.status}: {row.error or 'somebody stopped it'}."
