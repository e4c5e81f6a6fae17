"""One worker process: claims due tasks when the bell rings and runs a bounded number of them at once."""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Sequence
from typing import Final
from uuid import UUID, uuid4

import structlog

from db import agents as tasks
from db.unit import Database
from kit.settings import Settings
from services import agents
from tasks import envelope
from tasks.envelope import Handlers
from tasks.job import Job
from tasks.pace import Pace
from tasks.together import Together

log = structlog.get_logger(__name__)
_AFTER_ERROR_SECONDS = 1.0
_AHEAD: Final = tasks.CLAIM_MOST
"""Brief tasks that are claimed at once, those for the free slots among them."""
_ENDING: Final = 64
"""Tasks without a slot whose end is being written, at most."""
_WAIT_SECONDS: Final = 1.0
"""What was claimed ahead and has not begun by then is given back: a slot is taking longer than was to be expected."""


class Worker:
    """Runs tasks in at most `settings.worker_slots` slots.

    The last free one of several is for owners of whom nothing runs: work that makes no steps, such as counting the rows
    of a hard file, does not give way, and nobody is to wait for the work of one other.
    Kinds that are over in a moment are claimed ahead: a claim, which waits for the disk, serves several of them.
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
        self._ending: set[asyncio.Task[None]] = set()
        self._ahead: deque[tasks.TaskRow] = deque()
        self._returning: set[asyncio.Task[None]] = set()
        self._is_dry = False  # the last claim found less than it asked for
        self._pace = Pace()
        self._ends = Together(database)
        self._stopping = False
        self._looked_for_frozen = 0.0

    def wake(self) -> None:
        """Look for work. Any number of calls before the next look count as one."""
        self._is_dry = False
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
        while not self._stopping:
            free, brief = self._settings.worker_slots - len(self._running), self._pace.brief()
            ahead = max(0, _AHEAD - len(self._ahead) - free) if brief and not self._is_dry else 0
            if not free and ahead < _AHEAD // 2:
                return
            try:
                claimed = await self._claim(free, brief, ahead)
            except Exception as error:  # noqa: BLE001  the database is away: look again, work is not lost
                log.warning("worker.cannot_claim", error=repr(error))
                await asyncio.sleep(_AFTER_ERROR_SECONDS)
                self._bell.set()
                return
            self._take(claimed, brief)
            self._is_dry = len(claimed) < min(free + ahead, _AHEAD)
            if self._is_dry:
                return

    async def _claim(self, free: int, brief: Sequence[str], ahead: int) -> list[tasks.TaskRow]:
        """Take tasks for the free slots, and brief ones beyond them."""
        async with self._database.unit() as unit:
            claimed = await tasks.claim(
                unit,
                self.id,
                lease_seconds=self._settings.task_lease_seconds,
                kinds=self._kinds,
                limit=free,
                reserved=1 if free and self._settings.worker_slots > 1 else 0,
                brief=brief,
                ahead=ahead,
            )
            await agents.announce_all(unit, [(task, ()) for task in claimed])
        return claimed

    def _take(self, claimed: Sequence[tasks.TaskRow], brief: Sequence[str]) -> None:
        """Start what was claimed; what may wait does so when there is no slot for it."""
        early = [task for task in claimed if task.kind in brief and task.attempt == 1]
        for task in claimed:
            if task not in early:
                self._start(task)
        self._ahead.extend(early)
        self._start_ahead()
        if self._ahead:
            seconds = min(_WAIT_SECONDS, self._settings.task_lease_seconds / 4)
            asyncio.get_running_loop().call_later(seconds, self._return_ahead, early)

    def _start_ahead(self) -> None:
        while self._ahead and len(self._running) < self._settings.worker_slots:
            self._start(self._ahead.popleft())

    def _return_ahead(self, tasks_waiting: Sequence[tasks.TaskRow]) -> None:
        """Give back those that still wait."""
        late = [task for task in tasks_waiting if task in self._ahead]
        for task in late:
            self._ahead.remove(task)
            self._pace.forget(task.kind)
            returning = asyncio.create_task(envelope.return_unbegun(self._job(task)), name=f"return-{task.id}")
            self._returning.add(returning)
            returning.add_done_callback(self._returning.discard)

    def _job(self, task: tasks.TaskRow) -> Job:
        return Job(task, self._database, self._settings, self._should_yield, ends=self._ends)

    def _start(self, task: tasks.TaskRow) -> None:
        job = self._job(task)
        running = asyncio.create_task(envelope.run(job, self._handlers[task.kind]), name=f"task-{task.id}")
        self._running.add(running)

        def ended(_: asyncio.Task[None]) -> None:
            self._ended(running, job)

        job.leave = lambda: self._leave(running, job)
        running.add_done_callback(ended)

    def _leave(self, running: asyncio.Task[None], job: Job) -> None:
        """Let a task wait for its end without a slot."""
        if len(self._ending) < _ENDING and running in self._running:
            self._ending.add(running)
            self._free_slot(running, job)

    def _ended(self, running: asyncio.Task[None], job: Job) -> None:
        if not running.cancelled() and (error := running.exception()) is not None:
            log.error("worker.slot_broke", exc_info=error)
        if job.back_in_seconds and job.back_in_seconds < self._settings.task_sweep_seconds:
            asyncio.get_running_loop().call_later(job.back_in_seconds, self.wake)  # nobody rings for it until the sweep
        self._ending.discard(running)
        if running in self._running:
            self._free_slot(running, job)

    def _free_slot(self, running: asyncio.Task[None], job: Job) -> None:
        self._running.remove(running)
        self._pace.note(job.task.kind, time.monotonic() - job.started)
        if not self._stopping:
            self._start_ahead()
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
        self._return_ahead(list(self._ahead))
        waiting = self._running | self._ending | self._returning
        if not waiting:
            return
        _, late = await asyncio.wait(waiting, timeout=self._settings.task_shutdown_seconds * 0.75)
        for running in late:
            running.cancel()
        if late:
            log.warning("worker.cut_off", tasks=len(late))
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait(late, timeout=self._settings.task_shutdown_seconds * 0.2)
