"""The second factor: secrets of authenticator apps, recovery codes, sign-ins that wait for a code."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from db.migrate import script

ID = "2026-11-28T21:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "second factor"

# password_digest says which password a challenge or a device was let in by: it is worth nothing with another one.
FACTORS = """
CREATE TABLE totp_factors (
    user_id uuid PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    secret bytea NOT NULL,
    last_step bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    confirmed_at timestamptz
);
CREATE TABLE recovery_codes (
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    code_hash bytea NOT NULL CHECK (octet_length(code_hash) = 32),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, code_hash)
);
CREATE TABLE login_challenges (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    token_hash bytea NOT NULL UNIQUE CHECK (octet_length(token_hash) = 32),
    password_digest bytea NOT NULL CHECK (octet_length(password_digest) = 32),
    tries int NOT NULL DEFAULT 0 CHECK (tries >= 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
CREATE INDEX login_challenges_user ON login_challenges (user_id);
CREATE INDEX login_challenges_expiry ON login_challenges (expires_at);
CREATE TABLE trusted_devices (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    token_hash bytea NOT NULL UNIQUE CHECK (octet_length(token_hash) = 32),
    password_digest bytea NOT NULL CHECK (octet_length(password_digest) = 32),
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
CREATE INDEX trusted_devices_user ON trusted_devices (user_id);
CREATE INDEX trusted_devices_expiry ON trusted_devices (expires_at);
"""


async def forwards() -> MigrationManager:
    """Create the tables, in one transaction."""
    manager = MigrationManager(migration_id=ID, app_name="graphmark", description=DESCRIPTION)
    manager.add_raw(script(FACTORS))
    manager.add_raw_backwards(script("DROP TABLE totp_factors, recovery_codes, login_challenges, trusted_devices"))
    return manager
