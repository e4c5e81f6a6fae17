"""What is known of links: health, history, shared answers, and the patience of hosts."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from db.migrate import script

ID = "2026-11-28T13:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "validation"

# Times of checks come from workers, like those of what they saw; leases of hosts and answers are PostgreSQL's.
LINKS = """
CREATE TABLE link_health (
    bookmark_id uuid PRIMARY KEY REFERENCES bookmarks ON DELETE CASCADE,
    owner_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    url_digest bytea NOT NULL CHECK (octet_length(url_digest) = 32),
    status text NOT NULL,
    detail text,
    verdict text NOT NULL CHECK (verdict IN ('UNKNOWN', 'ALIVE', 'SUSPECT', 'DEAD', 'INCONCLUSIVE')),
    http_status int,
    final_url text,
    final_key bytea,
    canonical_url text,
    canonical_key bytea,
    move_url text,
    move_sights int NOT NULL DEFAULT 0,
    permanent_url text,
    failures int NOT NULL DEFAULT 0,
    strikes int NOT NULL DEFAULT 0,
    struck_at timestamptz,
    final_sights int NOT NULL DEFAULT 0,
    streak int NOT NULL DEFAULT 0,
    judged_at timestamptz,
    checked_at timestamptz NOT NULL,
    next_check_at timestamptz NOT NULL,
    etag text,
    last_modified text,
    body_digest bytea,
    saved_digest bytea,
    saved_simhash bigint,
    saved_words int,
    content_digest bytea,
    content_simhash bigint,
    content_words int,
    content_state text NOT NULL DEFAULT 'UNKNOWN',
    content_checked_at timestamptz,
    archive_url text,
    archive_checked_at timestamptz
);
CREATE INDEX link_health_due ON link_health (owner_id, next_check_at);
CREATE INDEX link_health_verdict ON link_health (owner_id, verdict);
CREATE INDEX link_health_final ON link_health (owner_id, final_key) WHERE final_key IS NOT NULL;
CREATE INDEX link_health_canonical ON link_health (owner_id, canonical_key) WHERE canonical_key IS NOT NULL;
CREATE INDEX link_health_content ON link_health (owner_id, content_simhash) WHERE content_words >= 30;

CREATE TABLE link_checks (
    id uuid PRIMARY KEY,
    bookmark_id uuid NOT NULL REFERENCES bookmarks ON DELETE CASCADE,
    owner_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    checked_at timestamptz NOT NULL,
    status text NOT NULL,
    detail text,
    verdict text NOT NULL,
    http_status int,
    final_url text,
    content_state text NOT NULL,
    duration_ms int NOT NULL
);
CREATE INDEX link_checks_bookmark ON link_checks (bookmark_id, checked_at DESC, id DESC);
CREATE INDEX link_checks_age ON link_checks (checked_at);
"""

# in_flight: the requests that are under way, each with the time (seconds since 1970) at which it is given up for lost.
SHARED = """
CREATE TABLE hosts (
    host text PRIMARY KEY,
    next_at timestamptz NOT NULL,
    not_before timestamptz NOT NULL DEFAULT '-infinity',
    in_flight jsonb NOT NULL DEFAULT '{}',
    probed_at timestamptz,
    probe_title text,
    probe_digest bytea,
    probe_simhash bigint,
    probe_words int,
    used_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX hosts_used ON hosts (used_at);
CREATE TABLE fetch_results (
    url_digest bytea PRIMARY KEY CHECK (octet_length(url_digest) = 32),
    claim uuid,
    claimed_until timestamptz NOT NULL,
    fetched_at timestamptz,
    observation jsonb
);
CREATE INDEX fetch_results_age ON fetch_results (claimed_until);
"""

TABLES_IN_ORDER = ("link_health", "link_checks", "hosts", "fetch_results")


async def forwards() -> MigrationManager:
    """Create everything, in one transaction."""
    manager = MigrationManager(migration_id=ID, app_name="graphmark", description=DESCRIPTION)
    manager.add_raw(script(LINKS + SHARED))
    manager.add_raw_backwards(script("DROP TABLE " + ", ".join(reversed(TABLES_IN_ORDER))))
    return manager
