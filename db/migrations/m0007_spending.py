"""What models cost: every call, and the sums by which budgets are kept."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from db.migrate import script

ID = "2026-11-28T17:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "spending"

# ai_months holds, for each month, account and agent (and '' for all agents together), what is reserved and what is
# spent: the sum of reserved_* over calls that are not settled, and of the rest over those that are.
SPENDING = """
CREATE TABLE ai_calls (
    id uuid PRIMARY KEY,
    owner_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    agent text NOT NULL CHECK (agent <> ''),
    task_id uuid,
    bookmarks int NOT NULL CHECK (bookmarks >= 0),
    model text NOT NULL,
    month date NOT NULL,
    reserved_tokens bigint NOT NULL DEFAULT 0,
    reserved_microdollars bigint NOT NULL DEFAULT 0,
    input_tokens bigint NOT NULL DEFAULT 0,
    output_tokens bigint NOT NULL DEFAULT 0,
    microdollars bigint NOT NULL DEFAULT 0,
    state text NOT NULL CHECK (state IN ('RESERVED', 'SETTLED', 'LOST')),
    created_at timestamptz NOT NULL DEFAULT now(),
    settled_at timestamptz,
    CHECK ((state = 'RESERVED') = (settled_at IS NULL))
);
CREATE INDEX ai_calls_month ON ai_calls (owner_id, month);
CREATE INDEX ai_calls_reserved ON ai_calls (created_at) WHERE state = 'RESERVED';
CREATE INDEX ai_calls_age ON ai_calls (created_at);
CREATE TABLE ai_months (
    owner_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    month date NOT NULL,
    agent text NOT NULL,
    tokens bigint NOT NULL,
    microdollars bigint NOT NULL,
    PRIMARY KEY (owner_id, month, agent)
);
"""


async def forwards() -> MigrationManager:
    """Create both tables, in one transaction."""
    manager = MigrationManager(migration_id=ID, app_name="graphmark", description=DESCRIPTION)
    manager.add_raw(script(SPENDING))
    manager.add_raw_backwards(script("DROP TABLE ai_months, ai_calls"))
    return manager
