"""A worker of Graphmark as `graphmark worker` runs it, with tasks and an agent that do nothing."""

import asyncio
import contextlib
import signal
from collections.abc import Sequence
from dataclasses import replace

from taskiq.api import run_receiver_task

from app.toolbox import open_tools
from app.wiring import open_database
from benchmarks.queues import EMPTY, READY, STUCK
from db.unit import Unit
from kit.settings import load_settings
from services.agents import AgentName
from tasks.agent import Batch, Done, Outcome
from tasks.agents import AGENTS, make_handlers
from tasks.broker import answer, make_broker
from tasks.envelope import Handler
from tasks.job import Job, Step
from tasks.orchestrator import Worker
from tasks.ringer import make_ringer


async def _nothing(_unit: Unit) -> Step:
    return Step(1)


async def _empty(job: Job) -> None:
    await job.complete(_nothing, is_brief=True)


async def _stuck(job: Job) -> None:
    if job.task.attempt == 1:
        await asyncio.Event().wait()
    await job.complete(_nothing)


async def _nothing_to_say(batch: Batch) -> Sequence[Outcome]:
    return [Done() for _ in batch.items]


async def work() -> None:
    """Work until SIGTERM. The agent that checks links has its own limits here, and says of each that it is done."""
    settings = load_settings()
    idle = replace(AGENTS[AgentName.VALIDATION], process=_nothing_to_say)
    async with (
        open_database(settings, name="worker", is_worker=True) as database,
        make_ringer(settings, database) as ringer,
        open_tools(settings, database) as tools,
    ):
        database.ringer = ringer
        handlers = make_handlers(tools, {idle.name: idle})
        handlers |= {EMPTY: Handler(EMPTY, 1, _empty), STUCK: Handler(STUCK, 1, _stuck)}
        broker = make_broker(settings, database)
        worker = Worker(database, settings, handlers)
        answer(broker, worker.wake)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, worker.stop)
        listening = asyncio.create_task(run_receiver_task(broker, run_startup=True, max_async_tasks=1))
        print(READY, flush=True)
        await worker.run()
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listening
        await broker.shutdown()
