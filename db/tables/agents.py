"""Tasks, what was said and made in them, who works, and when periodic jobs last ran.

`a2a_task_steps` and `a2a_task_items` have keys of several columns, which Piccolo cannot describe; they are used in SQL
only.
"""

from piccolo.columns import JSON, JSONB, UUID, BigInt, Boolean, Bytea, Integer, Real, SmallInt, Text, Timestamptz
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
    parent_id = UUID(null=True)
    step = SmallInt(null=True)
    first_item = Integer(null=True)
    last_item = Integer(null=True)
    open_items = Integer(null=True)
    current_agent = Text(null=True)


class TaskMessage(Table, tablename="a2a_task_messages"):
    """Something that an agent, or the engine, said about a task."""

    id = BigInt(primary_key=True)
    task_id = UUID()
    kind = Text()
    agent = Text(null=True)
    message = Text()
    created_at = Timestamptz()


class TaskResult(Table, tablename="a2a_task_results"):
    """What an agent said of some items of a step. Never changed: PostgreSQL refuses it."""

    id = UUID(primary_key=True)
    task_id = UUID()
    owner_id = UUID()
    step = SmallInt()
    agent = Text()
    agent_version = Text()
    kind = Text()
    first_item = Integer()
    last_item = Integer()
    done = Integer()
    failed = Integer()
    skipped = Integer()
    seconds = Real()
    content = JSON()
    size_bytes = Integer()
    sha256 = Bytea()
    created_at = Timestamptz()


class AgentRegistration(Table, tablename="agent_registrations"):
    """An agent that some worker has brought along, its limits, and what was last counted of it."""

    id = UUID(primary_key=True)
    name = Text()
    kind = Text()
    version = Text()
    description = Text()
    card = JSONB()
    status = Text()
    heartbeat_at = Timestamptz()
    is_paused = Boolean()
    concurrency = Integer()
    rate_per_minute = Integer(null=True)
    rate_next_at = Timestamptz()
    queue_depth = Integer()
    running = Integer()
    succeeded_24h = Integer()
    failed_24h = Integer()
    average_seconds = Real(null=True)
    counted_at = Timestamptz(null=True)
    registered_at = Timestamptz()


class PeriodicRun(Table, tablename="periodic_runs"):
    """The latest time slot in which a periodic job ran: when it was due, in seconds since 1970."""

    name = Text(primary_key=True)
    slot = BigInt()
    ran_at = Timestamptz()
