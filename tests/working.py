"""A worker inside the test's process: the real engine and the real handlers, without a doorbell."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from db.unit import Database
from kit.settings import Settings
from resolvers.context import Services
from tasks.envelope import Handlers
from tasks.imports import HANDLERS
from tasks.orchestrator import Worker
from tests.instep import assert_in_step

LONGEST_SECONDS = 60.0


class TestWorker(Worker):
    """A worker that can be waited for."""

    __test__ = False

    async def until_idle(self) -> None:
        """Wait until nothing is due and nothing runs."""
        async with asyncio.timeout(LONGEST_SECONDS):
            while await self.has_work():
                self.wake()
                await asyncio.sleep(0.01)

    async def has_work(self) -> bool:
        """Tell whether some task is due, is to be tried again, or runs."""
        return bool(
            await self._database.fetchval(
                "SELECT EXISTS (SELECT FROM a2a_tasks WHERE status IN ('PENDING', 'RUNNING'))"
            )
        )


@asynccontextmanager
async def worker_on(database: Database, settings: Settings, handlers: Handlers) -> AsyncIterator[TestWorker]:
    """Run a worker with some handlers as long as the block lasts."""
    worker = TestWorker(database, settings, handlers)
    running = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        worker.stop()
        await running


@asynccontextmanager
async def working(services: Services) -> AsyncIterator[TestWorker]:
    """Run a worker with all handlers as long as the block lasts; then bookmarks are in step with their tags."""
    async with worker_on(services.database, services.settings, HANDLERS) as worker:
        yield worker
    await assert_in_step(services.database)
