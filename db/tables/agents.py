"""Tasks, and when periodic jobs last ran."""

from piccolo.columns import JSONB, UUID, BigInt, Integer, Real, SmallInt, Text, Timestamptz
from piccolo.table import Table


class Task(Table, tablename="a2a_tasks"):
    """A piece of work. `lease_owner`, `lease_until` and `fence` say who may write for it (see db.agents)."""

    id = UUID(primary_key=True)
    owner_id = UUID()
    workflow = Text()
    kind = Text()
    status = Text()
    priority = SmallInt()
    payload = JSONB()
    payload_version = SmallInt()
    attempt = Integer()
    max_attempts = Integer()
    fence = BigInt()
    lease_owner = UUID(null=True)
    lease_until = Timestamptz(null=True)
    run_after = Timestamptz()
    progress = Real()
    current_step = Text(null=True)
    total_steps = Integer(null=True)
    error = Text(null=True)
    created_at = Timestamptz()
    started_at = Timestamptz(null=True)
    finished_at = Timestamptz(null=True)
    updated_at = Timestamptz()


class PeriodicRun(Table, tablename="periodic_runs"):
    """The latest time slot in which a periodic job ran."""

    name = Text(primary_key=True)
    slot = BigInt()
    ran_at = Timestamptz()
