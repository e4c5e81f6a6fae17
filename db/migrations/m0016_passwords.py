"""Links that are mailed, requests for mails, known devices, accounts that are being removed."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from db.migrate import script

ID = "2026-11-28T23:30:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "passwords"

# A token is `bound_to` a fact about its account and worth nothing once that has changed: see db.auth.mailed.
# A request for a mail is written whether or not there is such an account, so that nothing tells. known_devices holds a
# digest of the kind of program and the network of each sign-in: one from elsewhere is told to the account.
PASSWORDS = """
ALTER TABLE one_time_tokens ADD COLUMN bound_to bytea CHECK (octet_length(bound_to) = 32);
CREATE INDEX one_time_tokens_user ON one_time_tokens (user_id, purpose) WHERE user_id IS NOT NULL;
CREATE TABLE mail_requests (
    id uuid PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('PASSWORD_RESET', 'LOCKED_OUT')),
    email_key text NOT NULL,
    network_address text NOT NULL,
    user_agent text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (email_key, kind)
);
CREATE TABLE known_devices (
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    digest bytea NOT NULL CHECK (octet_length(digest) = 32),
    seen_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, digest)
);
CREATE INDEX known_devices_age ON known_devices (seen_at);
ALTER TABLE users ADD COLUMN deleted_at timestamptz;
CREATE INDEX users_deleted ON users (deleted_at) WHERE deleted_at IS NOT NULL;
"""


async def forwards() -> MigrationManager:
    """Add the columns and the table, in one transaction."""
    manager = MigrationManager(migration_id=ID, app_name="graphmark", description=DESCRIPTION)
    manager.add_raw(script(PASSWORDS))
    manager.add_raw_backwards(
        script(
            """
            DROP INDEX one_time_tokens_user;
            DROP TABLE known_devices, mail_requests;
            ALTER TABLE one_time_tokens DROP COLUMN bound_to;
            ALTER TABLE users DROP COLUMN deleted_at;
            """
        )
    )
    return manager
