"""Agents: workflows of many steps, the items of each step, what was said and made, and who works.

A workflow is a row of `a2a_tasks` that its owner sees; its units are rows of the same table that name it as `parent_id`
and carry a range of the items of one step. Items and steps belong to the workflow.

Events get a second kind of owner: the server itself, whose events every signed-in account may follow. It is no
account, so the two tables of events no longer refer to `users`; a trigger forgets the events of a removed account.
"""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from db.migrate import script

ID = "2026-11-28T12:00:00:000000"
DESCRIPTION = "workflows, items, messages, results, agents"

WORK = """
ALTER TABLE a2a_tasks
    ADD COLUMN parent_id uuid REFERENCES a2a_tasks ON DELETE CASCADE,
    ADD COLUMN step smallint,
    ADD COLUMN first_item int,
    ADD COLUMN last_item int,
    ADD COLUMN open_items int,
    ADD COLUMN current_agent text;
DROP INDEX a2a_tasks_due;
CREATE INDEX a2a_tasks_due ON a2a_tasks (owner_id, kind, priority, run_after) WHERE status IN ('PENDING', 'RUNNING');
DROP INDEX a2a_tasks_owner;
CREATE INDEX a2a_tasks_listed ON a2a_tasks (owner_id, created_at DESC, id DESC) WHERE parent_id IS NULL;
CREATE INDEX a2a_tasks_owner ON a2a_tasks (owner_id);
CREATE INDEX a2a_tasks_units ON a2a_tasks (parent_id, step) WHERE parent_id IS NOT NULL;
CREATE INDEX a2a_tasks_ended ON a2a_tasks (finished_at) WHERE parent_id IS NULL AND finished_at IS NOT NULL;

ALTER TABLE imports ADD COLUMN workflow_task_id uuid REFERENCES a2a_tasks ON DELETE SET NULL;
CREATE INDEX imports_workflow ON imports (workflow_task_id) WHERE workflow_task_id IS NOT NULL;

CREATE TABLE a2a_task_steps (
    task_id uuid NOT NULL REFERENCES a2a_tasks ON DELETE CASCADE,
    position smallint NOT NULL,
    agent text NOT NULL,
    status text NOT NULL DEFAULT 'PENDING'
        CHECK (status IN ('PENDING', 'RUNNING', 'COMPLETED', 'FAILED', 'SKIPPED', 'CANCELLED')),
    source_cursor text,
    is_gathered boolean NOT NULL DEFAULT false,
    planned_to int NOT NULL DEFAULT 0,
    is_planned boolean NOT NULL DEFAULT false,
    open_units int NOT NULL DEFAULT 0,
    total int NOT NULL DEFAULT 0,
    done int NOT NULL DEFAULT 0,
    failed int NOT NULL DEFAULT 0,
    skipped int NOT NULL DEFAULT 0,
    started_at timestamptz,
    finished_at timestamptz,
    PRIMARY KEY (task_id, position)
);
CREATE INDEX a2a_task_steps_failed ON a2a_task_steps (agent, task_id) WHERE failed > 0;

CREATE TABLE a2a_task_results (
    id uuid PRIMARY KEY,
    task_id uuid NOT NULL REFERENCES a2a_tasks ON DELETE CASCADE,
    owner_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    step smallint NOT NULL,
    agent text NOT NULL,
    agent_version text NOT NULL,
    kind text NOT NULL,
    first_item int NOT NULL,
    last_item int NOT NULL,
    done int NOT NULL,
    failed int NOT NULL,
    skipped int NOT NULL,
    seconds real NOT NULL,
    content json NOT NULL,
    size_bytes int NOT NULL,
    sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX a2a_task_results_task ON a2a_task_results (task_id, id);
CREATE INDEX a2a_task_results_owner ON a2a_task_results (owner_id);
CREATE INDEX a2a_task_results_age ON a2a_task_results (created_at);
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what % holds is never changed', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER a2a_task_results_stay BEFORE UPDATE ON a2a_task_results FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TABLE a2a_task_items (
    task_id uuid NOT NULL REFERENCES a2a_tasks ON DELETE CASCADE,
    step smallint NOT NULL,
    position int NOT NULL,
    bookmark_id uuid NOT NULL,
    status text NOT NULL DEFAULT 'PENDING' CHECK (status IN ('PENDING', 'DONE', 'FAILED', 'SKIPPED')),
    attempt smallint NOT NULL DEFAULT 0,
    in_hand boolean NOT NULL DEFAULT false,
    run_after timestamptz,
    reason text,
    data jsonb,
    result_id uuid,
    finished_at timestamptz,
    PRIMARY KEY (task_id, step, position)
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX a2a_task_items_bookmark ON a2a_task_items (bookmark_id, task_id, step);

CREATE TABLE a2a_task_messages (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    task_id uuid NOT NULL REFERENCES a2a_tasks ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('PROGRESS', 'STATUS', 'ERROR', 'WARNING', 'INFO', 'COMPLETION')),
    agent text,
    message text NOT NULL CHECK (char_length(message) <= 2000),
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX a2a_task_messages_task ON a2a_task_messages (task_id, id);

CREATE TABLE agent_registrations (
    id uuid PRIMARY KEY,
    name text NOT NULL UNIQUE,
    kind text NOT NULL UNIQUE,
    version text NOT NULL,
    description text NOT NULL,
    card jsonb NOT NULL,
    status text NOT NULL DEFAULT 'ONLINE' CHECK (status IN ('ONLINE', 'OFFLINE')),
    heartbeat_at timestamptz NOT NULL DEFAULT now(),
    is_paused boolean NOT NULL DEFAULT false,
    concurrency int NOT NULL CHECK (concurrency > 0),
    rate_per_minute int CHECK (rate_per_minute > 0),
    rate_next_at timestamptz NOT NULL DEFAULT now(),
    queue_depth int NOT NULL DEFAULT 0,
    running int NOT NULL DEFAULT 0,
    succeeded_24h int NOT NULL DEFAULT 0,
    failed_24h int NOT NULL DEFAULT 0,
    average_seconds real,
    counted_at timestamptz,
    registered_at timestamptz NOT NULL DEFAULT now()
);
"""

EVENTS = """
ALTER TABLE events DROP CONSTRAINT events_owner_id_fkey;
ALTER TABLE event_counters DROP CONSTRAINT event_counters_owner_id_fkey;
CREATE FUNCTION forget_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM event_counters WHERE owner_id = OLD.id;
    DELETE FROM events WHERE owner_id = OLD.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER users_forget_events AFTER DELETE ON users FOR EACH ROW EXECUTE FUNCTION forget_events();
"""

BACK = """
DROP TRIGGER users_forget_events ON users;
DROP FUNCTION forget_events();
DELETE FROM events WHERE owner_id NOT IN (SELECT id FROM users);
DELETE FROM event_counters WHERE owner_id NOT IN (SELECT id FROM users);
ALTER TABLE events ADD FOREIGN KEY (owner_id) REFERENCES users ON DELETE CASCADE;
ALTER TABLE event_counters ADD FOREIGN KEY (owner_id) REFERENCES users ON DELETE CASCADE;
DROP TABLE agent_registrations, a2a_task_messages, a2a_task_items, a2a_task_results, a2a_task_steps;
DROP FUNCTION refuse_change();
ALTER TABLE imports DROP COLUMN workflow_task_id;
DELETE FROM a2a_tasks WHERE parent_id IS NOT NULL;
DROP INDEX a2a_tasks_due, a2a_tasks_listed, a2a_tasks_owner, a2a_tasks_units, a2a_tasks_ended;
ALTER TABLE a2a_tasks
    DROP COLUMN parent_id, DROP COLUMN step, DROP COLUMN first_item, DROP COLUMN last_item, DROP COLUMN open_items,
    DROP COLUMN current_agent;
CREATE INDEX a2a_tasks_due ON a2a_tasks (owner_id, priority DESC, run_after) WHERE status IN ('PENDING', 'RUNNING');
CREATE INDEX a2a_tasks_owner ON a2a_tasks (owner_id, created_at DESC, id DESC);
"""


async def forwards() -> MigrationManager:
    """Add everything that agents need, in one transaction."""
    manager = MigrationManager(migration_id=ID, app_name="graphmark", description=DESCRIPTION)
    manager.add_raw(script(WORK + EVENTS))
    manager.add_raw_backwards(script(BACK))
    return manager
