"""What the pages of bookmarks say, their most frequent words in the search, and pictures of them."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from db.migrate import script
from db.migrations.m0001_foundation import words

ID = "2026-11-28T14:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "enrichment"

# `written` has what was put into the bookmark's own columns, so that the next reading can tell it from what a person
# wrote there. A picture is stored as it is: PNG is compressed already.
ENRICHMENT = """
CREATE TABLE pages (
    bookmark_id uuid PRIMARY KEY REFERENCES bookmarks ON DELETE CASCADE,
    owner_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    url text NOT NULL CHECK (octet_length(url) <= 8192),
    content_type text NOT NULL CHECK (char_length(content_type) <= 200),
    said jsonb NOT NULL DEFAULT '{}',
    written jsonb NOT NULL DEFAULT '{}',
    text text NOT NULL DEFAULT '' CHECK (char_length(text) <= 50000),
    digest bytea CHECK (octet_length(digest) = 32),
    fingerprint bigint,
    etag text CHECK (char_length(etag) <= 500),
    last_modified text CHECK (char_length(last_modified) <= 500),
    is_rendered boolean NOT NULL DEFAULT false,
    fetched_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX pages_owner ON pages (owner_id);
CREATE TABLE screenshots (
    bookmark_id uuid PRIMARY KEY REFERENCES bookmarks ON DELETE CASCADE,
    owner_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    png bytea NOT NULL CHECK (octet_length(png) <= 2000000),
    width int NOT NULL CHECK (width > 0),
    height int NOT NULL CHECK (height > 0),
    sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
    taken_at timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE screenshots ALTER COLUMN png SET STORAGE EXTERNAL;
CREATE INDEX screenshots_owner ON screenshots (owner_id);
"""

OWN_FIELDS = f"""
        setweight(to_tsvector('simple'::regconfig, {words("title")}), 'A')
        || setweight(to_tsvector('english'::regconfig, {words("title")}), 'A')
        || setweight(to_tsvector('simple'::regconfig, {words("tag_words")}), 'B')
        || setweight(to_tsvector('simple'::regconfig, {words("coalesce(description, '')")}), 'C')
        || setweight(to_tsvector('english'::regconfig, {words("coalesce(description, '')")}), 'C')
        || setweight(to_tsvector('simple'::regconfig, {words("coalesce(notes, '')")}), 'C')
        || setweight(to_tsvector('english'::regconfig, {words("coalesce(notes, '')")}), 'C')
        || setweight(to_tsvector('simple'::regconfig, url_words), 'D')
"""

# A generated column cannot be changed, only made anew: the table is written once more.
SEARCH = f"""
ALTER TABLE bookmarks ADD COLUMN page_words text NOT NULL DEFAULT '' CHECK (octet_length(page_words) <= 8000);
ALTER TABLE bookmarks DROP COLUMN search;
ALTER TABLE bookmarks ADD COLUMN search tsvector NOT NULL GENERATED ALWAYS AS (
    {OWN_FIELDS} || setweight(to_tsvector('english'::regconfig, page_words), 'C')
) STORED;
CREATE INDEX bookmarks_search ON bookmarks USING gin (search);
"""

BACK = f"""
ALTER TABLE bookmarks DROP COLUMN search;
ALTER TABLE bookmarks DROP COLUMN page_words;
ALTER TABLE bookmarks ADD COLUMN search tsvector NOT NULL GENERATED ALWAYS AS ({OWN_FIELDS}) STORED;
CREATE INDEX bookmarks_search ON bookmarks USING gin (search);
DROP TABLE screenshots, pages;
"""


async def forwards() -> MigrationManager:
    """Create both tables and widen the search, in one transaction, which writes the table of bookmarks anew."""
    manager = MigrationManager(migration_id=ID, app_name="graphmark", description=DESCRIPTION)
    manager.add_raw(script(ENRICHMENT + SEARCH))
    manager.add_raw_backwards(script(BACK))
    return manager
