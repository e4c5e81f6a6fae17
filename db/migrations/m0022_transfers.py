"""Bookmarks that go from one account to another, and how far that is."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from db.migrate import script

ID = "2026-11-28T32:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "transfers"

# `ended_at` is when the end was written into the audit log; null while the task goes on, and shortly after.
TRANSFERS = """
CREATE TABLE transfers (
    id uuid PRIMARY KEY,
    task_id uuid NOT NULL UNIQUE REFERENCES a2a_tasks ON DELETE CASCADE,
    from_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    to_id uuid NOT NULL REFERENCES users ON DELETE CASCADE CHECK (to_id <> from_id),
    total int NOT NULL,
    moved int NOT NULL DEFAULT 0,
    merged int NOT NULL DEFAULT 0,
    skipped int NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz
);
CREATE INDEX transfers_from ON transfers (from_id);
CREATE INDEX transfers_to ON transfers (to_id);
CREATE INDEX transfers_open ON transfers (created_at) WHERE ended_at IS NULL;
"""


async def forwards() -> MigrationManager:
    """Create the table, in one transaction."""
    manager = MigrationManager(migration_id=ID, app_name="graphmark", description=DESCRIPTION)
    manager.add_raw(script(TRANSFERS))
    manager.add_raw_backwards(script("DROP TABLE transfers"))
    return manager
