"""Rate limits, failed sign-ins, and the networks from which people are known."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from db.migrate import script

ID = "2026-11-28T20:10:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "limits"

# rate_limits may be lost in a crash: a budget is then full again. failed_tries may not: whoever guesses passwords must
# gain nothing by a restart. Neither names an account or address in a readable form.
LIMITS = """
CREATE UNLOGGED TABLE rate_limits (
    key text PRIMARY KEY,
    used_until timestamptz NOT NULL
);
CREATE TABLE failed_tries (
    key bytea PRIMARY KEY CHECK (length(key) = 32),
    failures float8 NOT NULL,
    counted_at timestamptz NOT NULL,
    blocked_until timestamptz NOT NULL,
    forget_at timestamptz NOT NULL
);
CREATE INDEX failed_tries_forget ON failed_tries (forget_at);
CREATE TABLE known_networks (
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    network text NOT NULL,
    seen_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, network)
);
CREATE INDEX known_networks_seen ON known_networks (seen_at);
"""


async def forwards() -> MigrationManager:
    """Create the tables, in one transaction."""
    manager = MigrationManager(migration_id=ID, app_name="graphmark", description=DESCRIPTION)
    manager.add_raw(script(LIMITS))
    manager.add_raw_backwards(script("DROP TABLE known_networks, failed_tries, rate_limits"))
    return manager
