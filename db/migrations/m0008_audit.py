"""Who did what to accounts: a chain of entries, each sealed by the digest of all before it."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from db.migrate import script

ID = "2026-11-28T18:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "audit log"

# No entry refers to an account by a foreign key: it outlives the account. audit_head is the end of the chain, one row:
# it orders the writers, and entries that are cut off at the end do not match it any more.
AUDIT = """
CREATE TABLE audit_entries (
    seq bigint PRIMARY KEY CHECK (seq > 0),
    at timestamptz NOT NULL,
    action text NOT NULL CHECK (action <> ''),
    succeeded boolean NOT NULL,
    actor_id uuid,
    actor text NOT NULL,
    subject_id uuid,
    network_address text NOT NULL,
    user_agent text NOT NULL,
    details jsonb NOT NULL CHECK (jsonb_typeof(details) = 'object'),
    digest bytea NOT NULL CHECK (octet_length(digest) = 32)
);
CREATE INDEX audit_entries_actor ON audit_entries (actor_id, seq);
CREATE INDEX audit_entries_subject ON audit_entries (subject_id, seq);
CREATE TABLE audit_head (
    id boolean PRIMARY KEY DEFAULT true CHECK (id),
    seq bigint NOT NULL,
    digest bytea NOT NULL CHECK (octet_length(digest) = 32)
);
"""


async def forwards() -> MigrationManager:
    """Create the chain and its head, in one transaction."""
    manager = MigrationManager(migration_id=ID, app_name="graphmark", description=DESCRIPTION)
    manager.add_raw(script(AUDIT))
    manager.add_raw_backwards(script("DROP TABLE audit_entries, audit_head"))
    return manager
