"""Spaces of vectors, and what each bookmark is as a vector in them."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from db.migrate import script

ID = "2026-11-28T16:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "embedding"

# The index over the vectors of a space belongs to that space and is made with it (db.embedding.spaces): only then is
# the length of its vectors known. `vector` has no length of its own, because spaces differ in it.
EMBEDDING = """
CREATE EXTENSION IF NOT EXISTS vector;
CREATE TABLE embedding_spaces (
    id int PRIMARY KEY CHECK (id > 0),
    name text NOT NULL UNIQUE CHECK (char_length(name) BETWEEN 1 AND 200),
    model text NOT NULL,
    dimensions int NOT NULL CHECK (dimensions BETWEEN 1 AND 4000),
    is_active boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX embedding_spaces_active ON embedding_spaces (is_active) WHERE is_active;
CREATE TABLE embeddings (
    bookmark_id uuid NOT NULL REFERENCES bookmarks ON DELETE CASCADE,
    space_id int NOT NULL REFERENCES embedding_spaces ON DELETE CASCADE,
    owner_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    vector halfvec NOT NULL,
    digest bytea NOT NULL CHECK (octet_length(digest) = 16),
    embedded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (bookmark_id, space_id)
);
CREATE INDEX embeddings_owner ON embeddings (owner_id, space_id, bookmark_id);
"""


async def forwards() -> MigrationManager:
    """Create both tables, in one transaction. Needs pgvector 0.8 or newer on the server, and the right to enable it."""
    manager = MigrationManager(migration_id=ID, app_name="graphmark", description=DESCRIPTION)
    manager.add_raw(script(EMBEDDING))
    manager.add_raw_backwards(script("DROP TABLE embeddings, embedding_spaces; DROP EXTENSION vector"))
    return manager
