"""Accounts, bookmarks, collections, tags, imports, tasks and the event outbox."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from db.migrate import script

ID = "2026-11-23T13:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "foundation"

ACCOUNTS = """
CREATE TABLE users (
    id uuid PRIMARY KEY,
    email text NOT NULL,
    email_key text NOT NULL UNIQUE,
    name text NOT NULL,
    role text NOT NULL DEFAULT 'USER' CHECK (role IN ('USER', 'ADMIN')),
    password_hash text,
    disabled_at timestamptz,
    email_verified_at timestamptz,
    last_login_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE sessions (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    token_hash bytea NOT NULL UNIQUE CHECK (octet_length(token_hash) = 32),
    user_agent text NOT NULL DEFAULT '',
    network_address text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz NOT NULL DEFAULT now(),
    idle_expires_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE TABLE one_time_tokens (
    id uuid PRIMARY KEY,
    purpose text NOT NULL CHECK (purpose IN ('SETUP', 'INVITE', 'PASSWORD_RESET', 'EMAIL_VERIFICATION')),
    token_hash bytea NOT NULL UNIQUE CHECK (octet_length(token_hash) = 32),
    user_id uuid REFERENCES users ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    used_at timestamptz
);
CREATE TABLE idempotency_keys (
    owner_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    key text NOT NULL CHECK (char_length(key) BETWEEN 1 AND 255),
    operation text NOT NULL,
    request_hash bytea NOT NULL,
    subject_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (owner_id, key)
);
"""

# Text is cut into words here and not by the parser of PostgreSQL, for two reasons: under the locale C it takes every
# character beyond ASCII for a letter (so that “Hello” would be one word with its quotes), and it keeps node.js,
# a/b and <T> as tokens that the words inside do not find. db.search cuts queries in the same way.
WORD_BREAKS = (
    "[!-/:-@[-`{-~\u00a0-\u00a9\u00ab-\u00b1\u00b4\u00b6-\u00b8\u00bb\u00bf\u00d7\u00f7\u2000-\u200a\u2010-\u2029\u202f-\u205f"
    "\u3000-\u3003\u3008-\u3011\u3014-\u301f\u30fb\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65]+"
)


def words(text: str) -> str:
    """Return the SQL expression for `text` with its punctuation made spaces."""
    return f"regexp_replace({text}, '{WORD_BREAKS}', ' ', 'g')"


GRAPH = f"""
CREATE TABLE bookmarks (
    id uuid PRIMARY KEY,
    owner_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    url text NOT NULL CHECK (octet_length(url) <= 8192),
    canonical_url text NOT NULL,
    url_key bytea NOT NULL CHECK (octet_length(url_key) = 16),
    url_key_version smallint NOT NULL,
    domain text NOT NULL,
    title text NOT NULL DEFAULT '' CHECK (char_length(title) <= 2000),
    description text CHECK (char_length(description) <= 50000),
    notes text CHECK (char_length(notes) <= 100000),
    is_favorite boolean NOT NULL DEFAULT false,
    is_archived boolean NOT NULL DEFAULT false,
    is_unread boolean NOT NULL DEFAULT false,
    is_private boolean NOT NULL DEFAULT true,
    favicon_url text,
    image_url text,
    language text,
    author text,
    site_name text,
    published_at timestamptz,
    word_count int,
    reading_time_seconds int,
    summary text,
    keywords text[] NOT NULL DEFAULT '{{}}',
    source text NOT NULL DEFAULT 'MANUAL' CHECK (source IN ('MANUAL', 'IMPORT', 'API')),
    added_at timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    version int NOT NULL DEFAULT 1,
    url_words text NOT NULL DEFAULT '',
    tag_words text NOT NULL DEFAULT '',
    tag_list json NOT NULL DEFAULT '[]',
    search tsvector NOT NULL GENERATED ALWAYS AS (
        setweight(to_tsvector('simple'::regconfig, {words("title")}), 'A')
        || setweight(to_tsvector('english'::regconfig, {words("title")}), 'A')
        || setweight(to_tsvector('simple'::regconfig, {words("tag_words")}), 'B')
        || setweight(to_tsvector('simple'::regconfig, {words("coalesce(description, '')")}), 'C')
        || setweight(to_tsvector('english'::regconfig, {words("coalesce(description, '')")}), 'C')
        || setweight(to_tsvector('simple'::regconfig, {words("coalesce(notes, '')")}), 'C')
        || setweight(to_tsvector('english'::regconfig, {words("coalesce(notes, '')")}), 'C')
        || setweight(to_tsvector('simple'::regconfig, url_words), 'D')
    ) STORED,
    UNIQUE (owner_id, url_key)
);
CREATE INDEX bookmarks_added ON bookmarks (owner_id, added_at DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX bookmarks_updated ON bookmarks (owner_id, updated_at DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX bookmarks_trash ON bookmarks (owner_id, deleted_at DESC, id DESC) WHERE deleted_at IS NOT NULL;
CREATE INDEX bookmarks_purge ON bookmarks (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX bookmarks_created ON bookmarks (owner_id, created_at DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX bookmarks_title ON bookmarks (owner_id, left(lower(title), 100), id) WHERE deleted_at IS NULL;
CREATE INDEX bookmarks_domain ON bookmarks (owner_id, domain, id) WHERE deleted_at IS NULL;
CREATE INDEX bookmarks_search ON bookmarks USING gin (search);

CREATE TABLE collections (
    id uuid PRIMARY KEY,
    owner_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    parent_id uuid REFERENCES collections ON DELETE CASCADE CHECK (parent_id <> id),
    name text NOT NULL CHECK (char_length(name) <= 200),
    slug text NOT NULL,
    description text CHECK (char_length(description) <= 20000),
    color text CHECK (color ~ '^#[0-9a-f]{{6}}$'),
    icon text CHECK (char_length(icon) <= 64),
    is_smart boolean NOT NULL DEFAULT false,
    query text CHECK (char_length(query) <= 2000),
    position int NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX collections_parent ON collections (owner_id, parent_id, position, id);
CREATE INDEX collections_children ON collections (parent_id) WHERE parent_id IS NOT NULL;
CREATE TABLE bookmark_collections (
    collection_id uuid NOT NULL REFERENCES collections ON DELETE CASCADE,
    bookmark_id uuid NOT NULL REFERENCES bookmarks ON DELETE CASCADE,
    added_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (collection_id, bookmark_id)
);
CREATE INDEX bookmark_collections_bookmark ON bookmark_collections (bookmark_id, added_at, collection_id);

CREATE TABLE tags (
    id uuid PRIMARY KEY,
    owner_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    parent_id uuid REFERENCES tags ON DELETE CASCADE CHECK (parent_id <> id),
    name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
    path text NOT NULL CHECK (char_length(path) <= 500),
    path_key text NOT NULL,
    color text CHECK (color ~ '^#[0-9a-f]{{6}}$'),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (owner_id, path_key)
);
CREATE INDEX tags_parent ON tags (parent_id) WHERE parent_id IS NOT NULL;
CREATE TABLE tag_aliases (
    owner_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    alias_key text NOT NULL,
    alias text NOT NULL,
    tag_id uuid NOT NULL REFERENCES tags ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (owner_id, alias_key)
);
CREATE INDEX tag_aliases_tag ON tag_aliases (tag_id);
CREATE TABLE bookmark_tags (
    tag_id uuid NOT NULL REFERENCES tags ON DELETE CASCADE,
    bookmark_id uuid NOT NULL REFERENCES bookmarks ON DELETE CASCADE,
    PRIMARY KEY (tag_id, bookmark_id)
);
CREATE INDEX bookmark_tags_bookmark ON bookmark_tags (bookmark_id) INCLUDE (tag_id);
"""

WORK = """
CREATE TABLE a2a_tasks (
    id uuid PRIMARY KEY,
    owner_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    workflow text NOT NULL,
    kind text NOT NULL,
    status text NOT NULL DEFAULT 'PENDING'
        CHECK (status IN ('PENDING', 'RUNNING', 'PAUSED', 'COMPLETED', 'FAILED', 'CANCELLED')),
    priority smallint NOT NULL DEFAULT 0,
    payload jsonb NOT NULL DEFAULT '{}',
    payload_version smallint NOT NULL DEFAULT 1,
    attempt int NOT NULL DEFAULT 0,
    max_attempts int NOT NULL,
    fence bigint NOT NULL DEFAULT 0,
    lease_owner uuid,
    lease_until timestamptz,
    run_after timestamptz NOT NULL DEFAULT now(),
    progress real NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 1),
    current_step text,
    total_steps int,
    error text,
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    finished_at timestamptz,
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX a2a_tasks_due ON a2a_tasks (owner_id, priority DESC, run_after) WHERE status IN ('PENDING', 'RUNNING');
CREATE INDEX a2a_tasks_leased ON a2a_tasks (lease_until) WHERE status = 'RUNNING';
CREATE INDEX a2a_tasks_owner ON a2a_tasks (owner_id, created_at DESC, id DESC);
CREATE TABLE periodic_runs (
    name text PRIMARY KEY,
    slot bigint NOT NULL,
    ran_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE uploads (
    id uuid PRIMARY KEY,
    owner_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    file_name text NOT NULL,
    size_bytes bigint NOT NULL,
    sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
    detected_format text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
CREATE INDEX uploads_owner ON uploads (owner_id, created_at);
CREATE TABLE imports (
    id uuid PRIMARY KEY,
    owner_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    task_id uuid NOT NULL UNIQUE REFERENCES a2a_tasks ON DELETE CASCADE,
    upload_id uuid NOT NULL,
    format text NOT NULL,
    file_name text NOT NULL,
    file_size_bytes bigint NOT NULL,
    options jsonb NOT NULL DEFAULT '{}',
    total int,
    next_row int NOT NULL DEFAULT 1,
    created int NOT NULL DEFAULT 0,
    merged int NOT NULL DEFAULT 0,
    skipped int NOT NULL DEFAULT 0,
    errors int NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    undo_task_id uuid REFERENCES a2a_tasks ON DELETE SET NULL,
    undo_next_row int NOT NULL DEFAULT 1,
    removed int NOT NULL DEFAULT 0,
    restored int NOT NULL DEFAULT 0,
    kept int NOT NULL DEFAULT 0,
    undone_at timestamptz
);
CREATE INDEX imports_owner ON imports (owner_id, id DESC);
CREATE TABLE import_rows (
    import_id uuid NOT NULL REFERENCES imports ON DELETE CASCADE,
    row int NOT NULL,
    url text NOT NULL,
    title text NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('CREATED', 'MERGED', 'SKIPPED', 'ERROR')),
    reason text,
    bookmark_id uuid,
    undo jsonb,
    PRIMARY KEY (import_id, row)
);
CREATE INDEX import_rows_undo ON import_rows (import_id, bookmark_id) WHERE undo IS NOT NULL;
CREATE TABLE import_objects (
    import_id uuid NOT NULL REFERENCES imports ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('COLLECTION', 'TAG')),
    object_id uuid NOT NULL,
    PRIMARY KEY (import_id, object_id)
);

CREATE TABLE event_counters (
    owner_id uuid PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    seq bigint NOT NULL,
    pruned_seq bigint NOT NULL DEFAULT 0
);
CREATE TABLE events (
    owner_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    seq bigint NOT NULL,
    topic text NOT NULL,
    subject_id uuid,
    payload jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (owner_id, seq)
);
CREATE INDEX events_topic ON events (owner_id, topic, seq);
CREATE INDEX events_age ON events (created_at);
"""

TABLES_IN_ORDER = (
    "users",
    "sessions",
    "one_time_tokens",
    "idempotency_keys",
    "bookmarks",
    "collections",
    "bookmark_collections",
    "tags",
    "tag_aliases",
    "bookmark_tags",
    "a2a_tasks",
    "periodic_runs",
    "uploads",
    "imports",
    "import_rows",
    "import_objects",
    "event_counters",
    "events",
)


async def forwards() -> MigrationManager:
    """Create everything, in one transaction."""
    manager = MigrationManager(migration_id=ID, app_name="graphmark", description=DESCRIPTION)
    manager.add_raw(script(ACCOUNTS + GRAPH + WORK))
    manager.add_raw_backwards(script("DROP TABLE " + ", ".join(reversed(TABLES_IN_ORDER))))
    return manager
