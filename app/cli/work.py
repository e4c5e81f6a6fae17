"""`graphmark worker` and `graphmark scheduler`: the processes that work behind the API."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

import click
import structlog
from taskiq.api import run_receiver_task, run_scheduler_task

from app.cli.support import run, service_settings, spare_collector
from app.cli.watchdog import watched
from app.toolbox import open_tools
from app.wiring import open_database
from db.unit import Database
from kit.crypto import open_secret_key
from kit.settings import Settings
from kit.smtp import open_delivery
from services.agents import AgentName
from tasks.agent import Agent
from tasks.agents import AGENTS, make_handlers, present
from tasks.broker import answer, make_broker
from tasks.mail import Postman
from tasks.orchestrator import Worker
from tasks.ringer import make_ringer
from tasks.schedule import make_scheduler

log = structlog.get_logger(__name__)
_HUNG_LEASES = 2  # by then another worker has long taken over what a hung one held


@click.command()
def worker() -> None:
    """Run a worker alone. It ends on SIGTERM, handing back what it has in hand."""
    spare_collector()
    run(run_worker(service_settings()))


@click.command()
def scheduler() -> None:
    """Run the scheduler alone. Several do no harm: each periodic job runs once."""
    run(_scheduler(service_settings()))


async def run_worker(settings: Settings, agents: Mapping[AgentName, Agent] = AGENTS) -> None:
    """Be a worker that has these agents, until the process is told to end."""
    async with _rung_database(settings, name="worker") as database, open_tools(settings, database) as tools:
        broker = make_broker(settings, database)
        working = Worker(database, settings, make_handlers(tools, agents))
        postman = Postman(database, settings, open_secret_key(settings), open_delivery(settings))
        answer(broker, lambda: _each(working.wake, postman.wake))
        _on_stop(lambda: _each(working.stop, postman.stop))
        # One message at a time is enough: a message only wakes the worker up, which has its own slots.
        listening = asyncio.create_task(run_receiver_task(broker, run_startup=True, max_async_tasks=1))
        posting = asyncio.create_task(postman.run())
        log.info("worker.ready", worker=str(working.id), slots=settings.worker_slots)
        try:
            async with present(database, settings, agents), watched(_HUNG_LEASES * settings.task_lease_seconds):
                await working.run()
                await asyncio.wait({posting}, timeout=settings.task_shutdown_seconds)
        finally:
            await _end(listening)
            await _end(posting)
            await broker.shutdown()
        log.info("worker.stopped", worker=str(working.id))


async def _scheduler(settings: Settings) -> None:
    async with _rung_database(settings, name="scheduler") as database:
        scheduling = make_scheduler(settings, database)
        stop = asyncio.Event()
        _on_stop(stop.set)
        looping = asyncio.create_task(run_scheduler_task(scheduling, run_startup=True))
        stopping = asyncio.create_task(stop.wait())
        log.info("scheduler.ready")
        await asyncio.wait({looping, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if looping.done():
            await looping
        await _end(looping)
        await scheduling.shutdown()
        log.info("scheduler.stopped")


@asynccontextmanager
async def _rung_database(settings: Settings, *, name: str) -> AsyncIterator[Database]:
    """Open the database with the ringer that delivers the bells of its transactions."""
    async with (
        open_database(settings, name=name, is_worker=True) as database,
        make_ringer(settings, database) as ringer,
    ):
        database.ringer = ringer
        yield database


def _each(*doings: Callable[[], None]) -> None:
    for do in doings:
        do()


def _on_stop(stop: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
