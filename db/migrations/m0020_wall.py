"""What row-level security is made of; `db.wall` adds policies, rights and the role, which depend on all tables.

The links of bookmarks get an owner of their own: to look it up at the bookmark of each would cost more than most of
the statements that read them.
"""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from db.migrate import script

ID = "2026-11-28T30:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "wall"

WALL = """
CREATE SCHEMA graphmark_wall;
CREATE FUNCTION graphmark_wall.acting_owner() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('graphmark.owner', true), '')::uuid;
-- Equality of which the planner knows nothing: no index, no join, no guess at how many. See db.wall.tables.
CREATE OPERATOR graphmark_wall.=== (FUNCTION = uuid_eq, LEFTARG = uuid, RIGHTARG = uuid);
ALTER TABLE bookmark_tags ADD COLUMN owner_id uuid DEFAULT graphmark_wall.acting_owner(),
    DROP CONSTRAINT bookmark_tags_pkey;
ALTER TABLE bookmark_collections ADD COLUMN owner_id uuid DEFAULT graphmark_wall.acting_owner(),
    DROP CONSTRAINT bookmark_collections_pkey;
DROP INDEX bookmark_tags_bookmark, bookmark_collections_bookmark;
UPDATE bookmark_tags link SET owner_id = b.owner_id FROM bookmarks b WHERE b.id = link.bookmark_id;
UPDATE bookmark_collections link SET owner_id = b.owner_id FROM bookmarks b WHERE b.id = link.bookmark_id;
ALTER TABLE bookmark_tags ALTER COLUMN owner_id SET NOT NULL,
    ADD PRIMARY KEY (tag_id, bookmark_id) INCLUDE (owner_id);
ALTER TABLE bookmark_collections ALTER COLUMN owner_id SET NOT NULL,
    ADD PRIMARY KEY (collection_id, bookmark_id) INCLUDE (owner_id);
CREATE INDEX bookmark_tags_bookmark ON bookmark_tags (bookmark_id) INCLUDE (tag_id, owner_id);
CREATE INDEX bookmark_collections_bookmark ON bookmark_collections (bookmark_id, added_at, collection_id)
    INCLUDE (owner_id);

CREATE VIEW public.bookmarks_by_index AS SELECT * FROM public.bookmarks;
"""

# Policies, defaults and views of the role go with the function and the schema. The role belongs to the whole server and
# stays.
BACK = """
DROP SCHEMA graphmark_wall CASCADE;
DROP VIEW public.bookmarks_by_index;
DROP INDEX bookmark_tags_bookmark, bookmark_collections_bookmark;
ALTER TABLE bookmark_tags DROP CONSTRAINT bookmark_tags_pkey, DROP COLUMN owner_id,
    ADD PRIMARY KEY (tag_id, bookmark_id);
ALTER TABLE bookmark_collections DROP CONSTRAINT bookmark_collections_pkey, DROP COLUMN owner_id,
    ADD PRIMARY KEY (collection_id, bookmark_id);
CREATE INDEX bookmark_tags_bookmark ON bookmark_tags (bookmark_id) INCLUDE (tag_id);
CREATE INDEX bookmark_collections_bookmark ON bookmark_collections (bookmark_id, added_at, collection_id);
DO $$ DECLARE walled regclass; BEGIN
    FOR walled IN SELECT oid FROM pg_class WHERE relrowsecurity AND relnamespace = 'public'::regnamespace LOOP
        EXECUTE format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY', walled);
    END LOOP;
    IF to_regrole('graphmark_tenant') IS NOT NULL THEN
        REVOKE ALL ON ALL TABLES IN SCHEMA public FROM graphmark_tenant;
        REVOKE ALL ON SCHEMA public FROM graphmark_tenant;
    END IF;
END $$;
"""


async def forwards() -> MigrationManager:
    """Make schema, function and view, in one transaction."""
    manager = MigrationManager(migration_id=ID, app_name="graphmark", description=DESCRIPTION)
    manager.add_raw(script(WALL))
    manager.add_raw_backwards(script(BACK))
    return manager
