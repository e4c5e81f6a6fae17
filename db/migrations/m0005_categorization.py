"""Categories, proposals and the owner's decisions about them, rules, and what an owner lets the agents do."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from db.migrate import script

ID = "2026-11-28T15:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "categorization"

CREATE = """
CREATE TABLE categories (
    id uuid PRIMARY KEY,
    owner_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    key text NOT NULL,
    name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
    color text CHECK (color ~ '^#[0-9a-f]{6}$'),
    position int NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (owner_id, key)
);
ALTER TABLE bookmarks ADD COLUMN category_id uuid REFERENCES categories ON DELETE SET NULL;
CREATE INDEX bookmarks_category ON bookmarks (category_id) WHERE category_id IS NOT NULL;

CREATE TABLE rules (
    id uuid PRIMARY KEY,
    owner_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
    query text NOT NULL CHECK (char_length(query) <= 1000),
    events text[] NOT NULL CHECK (events <@ ARRAY['BOOKMARK_CREATED', 'IMPORTED', 'ENRICHED']),
    actions jsonb NOT NULL,
    position int NOT NULL,
    is_enabled boolean NOT NULL DEFAULT true,
    error text,
    changed_count bigint NOT NULL DEFAULT 0,
    last_run_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX rules_owner ON rules (owner_id, position, id);

CREATE TABLE suggestions (
    id uuid PRIMARY KEY,
    owner_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    bookmark_id uuid NOT NULL REFERENCES bookmarks ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('TAG', 'COLLECTION', 'CATEGORY')),
    key text NOT NULL,
    name text NOT NULL CHECK (char_length(name) <= 500),
    tag_id uuid REFERENCES tags ON DELETE SET NULL,
    collection_id uuid REFERENCES collections ON DELETE CASCADE,
    category_id uuid REFERENCES categories ON DELETE CASCADE,
    rule_id uuid REFERENCES rules ON DELETE SET NULL,
    confidence double precision NOT NULL CHECK (confidence BETWEEN 0 AND 1),
    reason text NOT NULL CHECK (char_length(reason) <= 500),
    source text NOT NULL CHECK (source IN ('RULE', 'NEIGHBOURS', 'PROVIDER', 'TAXONOMY')),
    status text NOT NULL DEFAULT 'PENDING'
        CHECK (status IN ('PENDING', 'ACCEPTED', 'REJECTED', 'APPLIED', 'SUPERSEDED')),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    decided_at timestamptz,
    UNIQUE (bookmark_id, kind, key),
    CHECK (kind <> 'COLLECTION' OR collection_id IS NOT NULL),
    CHECK (kind <> 'CATEGORY' OR category_id IS NOT NULL)
);
CREATE INDEX suggestions_owner ON suggestions (owner_id, confidence DESC, id DESC);
CREATE INDEX suggestions_pending ON suggestions (owner_id, confidence DESC, id DESC) WHERE status = 'PENDING';
CREATE INDEX suggestions_decided ON suggestions (owner_id, kind, key) WHERE status IN ('ACCEPTED', 'REJECTED');
CREATE INDEX suggestions_tag ON suggestions (tag_id) WHERE tag_id IS NOT NULL;
CREATE INDEX suggestions_collection ON suggestions (collection_id) WHERE collection_id IS NOT NULL;
CREATE INDEX suggestions_category ON suggestions (category_id) WHERE category_id IS NOT NULL;
CREATE INDEX suggestions_rule ON suggestions (rule_id) WHERE rule_id IS NOT NULL;

CREATE TABLE agent_settings (
    owner_id uuid PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    auto_apply_above double precision CHECK (auto_apply_above BETWEEN 0 AND 1),
    propose_new_tags boolean NOT NULL DEFAULT true,
    ask_provider boolean NOT NULL DEFAULT true,
    recheck_links boolean NOT NULL DEFAULT true,
    updated_at timestamptz NOT NULL DEFAULT now()
);
"""

DROP = """
DROP TABLE agent_settings, suggestions, rules;
ALTER TABLE bookmarks DROP COLUMN category_id;
DROP TABLE categories;
"""


async def forwards() -> MigrationManager:
    """Create everything, in one transaction."""
    manager = MigrationManager(migration_id=ID, app_name="graphmark", description=DESCRIPTION)
    manager.add_raw(script(CREATE))
    manager.add_raw_backwards(script(DROP))
    return manager
