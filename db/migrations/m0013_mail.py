"""Messages that wait to be sent, and what became of them."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from db.migrate import script

ID = "2026-11-28T23:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "mail"

# `sealed` is what the message says, links with their secrets included, encrypted and gone once it is sent or given up.
# A message to an account goes with the account. Taking one up sets `due_at` to when somebody else may try instead.
MAIL = """
CREATE TABLE mail_messages (
    id uuid PRIMARY KEY,
    user_id uuid REFERENCES users ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind <> ''),
    recipient text NOT NULL,
    sealed bytea,
    state text NOT NULL DEFAULT 'WAITING' CHECK (state IN ('WAITING', 'SENT', 'FAILED')),
    attempt int NOT NULL DEFAULT 0,
    due_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    error text,
    created_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    CHECK ((state = 'WAITING') = (sealed IS NOT NULL)),
    CHECK ((state = 'WAITING') = (finished_at IS NULL))
);
CREATE INDEX mail_messages_due ON mail_messages (due_at) WHERE state = 'WAITING';
CREATE INDEX mail_messages_finished ON mail_messages (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX mail_messages_user ON mail_messages (user_id, created_at);
"""


async def forwards() -> MigrationManager:
    """Create the table, in one transaction."""
    manager = MigrationManager(migration_id=ID, app_name="graphmark", description=DESCRIPTION)
    manager.add_raw(script(MAIL))
    manager.add_raw_backwards(script("DROP TABLE mail_messages"))
    return manager
