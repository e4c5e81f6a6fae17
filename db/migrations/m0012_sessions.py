"""Sessions that are renewed and confirmed, and API keys."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from db.migrate import script

ID = "2026-11-28T22:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "sessions and API keys"

# A session keeps its own idle time, because people choose between a short and a long one when they sign in.
# session_tokens holds what a session's token was before: whoever shows one of those late has stolen it, or been robbed.
SESSIONS = """
ALTER TABLE sessions
    ADD COLUMN idle_minutes integer NOT NULL DEFAULT 10080 CHECK (idle_minutes > 0),
    ADD COLUMN authenticated_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN generation integer NOT NULL DEFAULT 0 CHECK (generation >= 0);
UPDATE sessions SET authenticated_at = created_at;
ALTER TABLE sessions ALTER COLUMN idle_minutes DROP DEFAULT;
DROP INDEX sessions_user;
CREATE INDEX sessions_user ON sessions (user_id, created_at, id);
CREATE TABLE session_tokens (
    token_hash bytea PRIMARY KEY CHECK (octet_length(token_hash) = 32),
    session_id uuid NOT NULL REFERENCES sessions ON DELETE CASCADE,
    generation integer NOT NULL,
    retired_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX session_tokens_session ON session_tokens (session_id, generation);
CREATE TABLE api_keys (
    id uuid PRIMARY KEY,
    owner_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    name text NOT NULL CHECK (name <> ''),
    prefix text NOT NULL CHECK (prefix <> ''),
    token_hash bytea NOT NULL UNIQUE CHECK (octet_length(token_hash) = 32),
    scopes text[] NOT NULL CHECK (cardinality(scopes) > 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    last_used_at timestamptz
);
CREATE INDEX api_keys_owner ON api_keys (owner_id, created_at, id);
"""

WITHOUT = """
DROP TABLE api_keys, session_tokens;
DROP INDEX sessions_user;
CREATE INDEX sessions_user ON sessions (user_id);
ALTER TABLE sessions DROP COLUMN idle_minutes, DROP COLUMN authenticated_at, DROP COLUMN generation;
"""


async def forwards() -> MigrationManager:
    """Add the columns and the tables, in one transaction."""
    manager = MigrationManager(migration_id=ID, app_name="graphmark", description=DESCRIPTION)
    manager.add_raw(script(SESSIONS))
    manager.add_raw_backwards(script(WITHOUT))
    return manager
