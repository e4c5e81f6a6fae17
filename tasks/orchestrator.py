"""One worker process: claims due tasks when the bell rings and runs a bounded number of them at once."""

import asyncio
import contextlib
import time
from uuid import UUID, uuid4

import structlog

from db import agents as tasks
from db.unit import Database
from kit.settings import Settings
from services import agents
from tasks import envelope
from tasks.envelope import Handlers, Job

log = structlog.get_logger(__name__)
_AFTER_ERROR_SECONDS = 1.0


class Worker:
    """Runs tasks in at most `settings.worker_slots` slots.

    The last free one of several is for owners of whom nothing runs: work that makes no steps, such as counting the rows
    of a hard file, does not give way, and nobody is to wait for the work of one other.
    `wake` says that there may be work; a worker that is never woken looks once, at its start. `run` ends after `stop`.
    """

    def __init__(self, database: Database, settings: Settings, handlers: Handlers) -> None:
        self.id: UUID = uuid4()
        self._database = database
        self._settings = settings
        self._handlers = handlers
        self._kinds = envelope.versions(handlers)
        self._bell = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()
        self._stopping = False
        self._looked_for_frozen = 0.0

    def wake(self) -> None:
        """Look for work. Any number of calls before the next look count as one."""
        self._bell.set()

    def stop(self) -> None:
        """Claim nothing more; running tasks hand back at their next step."""
        self._stopping = True
        self._bell.set()

    async def run(self) -> None:
        """Claim and run until `stop`; then wait for the slots, at most `settings.task_shutdown_seconds`."""
        self._bell.set()
        try:
            while not self._stopping:
                await self._bell.wait()
                self._bell.clear()  # before the look, so that a ring during it is not lost
                await self._end_frozen()
                await self._fill_slots()
        finally:
            await self._drain()

    async def _end_frozen(self) -> None:
        """Free what a frozen worker holds, once its lease is long over; look for that once in a lease."""
        lease = self._settings.task_lease_seconds
        if time.monotonic() - self._looked_for_frozen < lease:
            return
        self._looked_for_frozen = time.monotonic()
        try:
            ended = await tasks.end_frozen(self._database, seconds=2 * lease)
        except Exception as error:  # noqa: BLE001  the database is away: look again later
            log.warning("worker.cannot_look", error=repr(error))
            return
        if ended:
            log.warning("worker.ended_frozen", transactions=ended)

    async def _fill_slots(self) -> None:
        while not self._stopping and len(self._running) < self._settings.worker_slots:
            try:
                claimed = await self._claim()
            except Exception as error:  # noqa: BLE001  the database is away: look again, work is not lost
                log.warning("worker.cannot_claim", error=repr(error))
                await asyncio.sleep(_AFTER_ERROR_SECONDS)
                self._bell.set()
                return
            for task in claimed:
                self._start(task)
            if not claimed:
                return

    async def _claim(self) -> list[tasks.TaskRow]:
        """Take tasks for the free slots, in one go but for the last of several."""
        free = self._settings.worker_slots - len(self._running)
        async with self._database.unit() as unit:
            claimed = await tasks.claim(
                unit,
                self.id,
                lease_seconds=self._settings.task_lease_seconds,
                kinds=self._kinds,
                only_of_idle=0 < len(self._running) == self._settings.worker_slots - 1,
                limit=max(1, free - 1),
            )
            for task in sorted(claimed, key=lambda one: one.owner_id):  # events of several owners: in one order
                await agents.announce(unit, task)
        return claimed

    def _start(self, task: tasks.TaskRow) -> None:
        job = Job(task, self._database, self._settings, self._should_yield)
        running = asyncio.create_task(envelope.run(job, self._handlers[task.kind]), name=f"task-{task.id}")
        self._running.add(running)

        def ended(_: asyncio.Task[None]) -> None:
            self._ended(running, job)

        running.add_done_callback(ended)

    def _ended(self, running: asyncio.Task[None], job: Job) -> None:
        self._running.discard(running)
        if not running.cancelled() and (error := running.exception()) is not None:
            log.error("worker.slot_broke", exc_info=error)
        if job.back_in_seconds and job.back_in_seconds < self._settings.task_sweep_seconds:
            asyncio.get_running_loop().call_later(job.back_in_seconds, self.wake)  # nobody rings for it until the sweep
        self._bell.set()

    async def _should_yield(self, job: Job) -> bool:
        """Say whether a task gives way: at shutdown, or to an owner who runs less, once it had its slice."""
        if self._stopping:
            return True
        if len(self._running) < self._settings.worker_slots:
            return False
        if time.monotonic() - job.started < self._settings.task_slice_seconds:
            return False
        return await tasks.is_crowded(self._database, job.task.owner_id, job.task.kind, kinds=self._kinds)

    async def _drain(self) -> None:
        """Wait for the slots; what has not handed back in time is cut off, and its lease is given back for it."""
        waiting = set(self._running)
        if not waiting:
            return
        _, late = await asyncio.wait(waiting, timeout=self._settings.task_shutdown_seconds * 0.75)
        for running in late:
            running.cancel()
        if late:
            log.warning("worker.cut_off", tasks=len(late))
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait(late, timeout=self._settings.task_shutdown_seconds * 0.2)
