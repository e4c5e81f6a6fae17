"""What happens by the clock: Taskiq's scheduler, with the jobs of tasks.maintenance.

Any number of schedulers may run. Each looks at every job more often than it is due; the slot (db.agents.take_slot)
decides in PostgreSQL which of them runs it. A job is one bounded transaction: killed in it, nothing happened, and the
slot is free for the next look. A slot is named by the time at which the job was due, by the database's clock; that
holds for intervals and for cron alike, so schedulers may differ in their clocks, be off when a job is due (it is done
once they are back), and a setting may change. Taskiq's own cron would lose what is due while no scheduler runs.
"""

import structlog
from taskiq import InMemoryBroker, TaskiqScheduler
from taskiq.schedule_sources import LabelScheduleSource

from db import agents as tasks
from db.unit import Database
from kit.settings import Settings
from tasks.maintenance import Job, jobs

log = structlog.get_logger(__name__)


def make_scheduler(settings: Settings, database: Database) -> TaskiqScheduler:
    """Return the scheduler of all periodic jobs, which it runs in this process."""
    broker = InMemoryBroker(max_stored_results=1)
    for job in jobs(settings):
        _add(broker, job, database)
    return TaskiqScheduler(broker, [LabelScheduleSource(broker)])


async def run_slot(job: Job, database: Database) -> bool:
    """Run `job` if its present slot is free; tell whether it ran."""
    async with database.unit() as unit:
        begins_at = job.slot(await tasks.clock(unit))
        if not await tasks.take_slot(unit, job.name, begins_at=begins_at, is_first_past=job.cron is not None):
            return False
        done = await job.run(unit)
    if job.after is not None:
        done += await job.after(database)
    if done:
        log.info("periodic.done", job=job.name, done=done)
    return True


def _add(broker: InMemoryBroker, job: Job, database: Database) -> None:
    async def tick() -> None:
        try:
            await run_slot(job, database)
        except Exception as error:  # noqa: BLE001  a job that fails is due again in its next slot
            log.warning("periodic.failed", job=job.name, error=repr(error))

    looks = [{"interval": job.look_seconds, "schedule_id": job.name}]
    broker.register_task(tick, task_name=job.name, schedule=looks)
