"""What single accounts may have, and whom administrators have invited."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from db.migrate import script

ID = "2026-11-28T27:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "administration"

# A quota that is null is what the settings say. An invitation is for one address, or for whoever has its link; one with
# a user_id is for that account, which has no password yet.
ADMINISTRATION = """
CREATE TABLE user_quotas (
    user_id uuid PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    max_bookmarks int CHECK (max_bookmarks >= 0),
    max_storage_bytes bigint CHECK (max_storage_bytes >= 0),
    max_running_imports int CHECK (max_running_imports >= 0)
);
ALTER TABLE one_time_tokens
    ADD COLUMN email text,
    ADD COLUMN invited_by uuid REFERENCES users ON DELETE SET NULL;
CREATE INDEX one_time_tokens_invites ON one_time_tokens (created_at DESC, id DESC) WHERE purpose = 'INVITE';
CREATE INDEX users_admins ON users (id) WHERE role = 'ADMIN' AND disabled_at IS NULL;
CREATE INDEX users_newest ON users (created_at DESC, id DESC);
"""


async def forwards() -> MigrationManager:
    """Create the table, columns and indexes, in one transaction."""
    manager = MigrationManager(migration_id=ID, app_name="graphmark", description=DESCRIPTION)
    manager.add_raw(script(ADMINISTRATION))
    manager.add_raw_backwards(
        script(
            """
            DROP INDEX users_newest, users_admins, one_time_tokens_invites;
            ALTER TABLE one_time_tokens DROP COLUMN invited_by, DROP COLUMN email;
            DROP TABLE user_quotas;
            """
        )
    )
    return manager
