"""Nobody rewrites the audit log, and failures that repeat are counted instead of written one by one."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from db.migrate import script

ID = "2026-11-28T24:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "audit wall"

# audit_head.cut_seq is up to where the operator has cut off the beginning of the chain, cut_digest what sealed that.
# The triggers hold whoever writes, the owner of the tables included, unless he takes them away. They look into `public`
# only, so that nobody puts a temporary table in the way.
CHAIN = """
ALTER TABLE audit_head
    ADD COLUMN cut_seq bigint NOT NULL DEFAULT 0 CHECK (cut_seq >= 0),
    ADD COLUMN cut_digest bytea NOT NULL DEFAULT sha256('') CHECK (octet_length(cut_digest) = 32);
CREATE INDEX audit_entries_action ON audit_entries (action, seq);
CREATE INDEX audit_entries_failed ON audit_entries (seq) WHERE NOT succeeded;
CREATE INDEX audit_entries_at ON audit_entries (at, seq);

CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is only added to' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE FUNCTION audit_entry_comes() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM audit_head WHERE seq = NEW.seq AND digest = NEW.digest) THEN
        RAISE EXCEPTION 'an entry of the audit log comes at its end' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION audit_entry_goes() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM audit_head WHERE cut_seq >= OLD.seq) THEN
        RAISE EXCEPTION 'the audit log is only added to' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN OLD;
END $$;
CREATE FUNCTION audit_head_moves() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.seq = OLD.seq + 1 AND (NEW.cut_seq, NEW.cut_digest) = (OLD.cut_seq, OLD.cut_digest) THEN
        RETURN NEW;
    END IF;
    IF (NEW.seq, NEW.digest) = (OLD.seq, OLD.digest) AND NEW.cut_seq > OLD.cut_seq AND EXISTS (
        SELECT FROM audit_entries
        WHERE seq = NEW.cut_seq AND digest = NEW.cut_digest AND at < now() - interval '90 days'
    ) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the end of the audit log only goes on' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER audit_entry_comes AFTER INSERT ON audit_entries FOR EACH ROW EXECUTE FUNCTION audit_entry_comes();
CREATE TRIGGER audit_entry_stays BEFORE UPDATE ON audit_entries FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_entry_goes BEFORE DELETE ON audit_entries FOR EACH ROW EXECUTE FUNCTION audit_entry_goes();
CREATE TRIGGER audit_entries_stay BEFORE TRUNCATE ON audit_entries FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_head_moves BEFORE UPDATE ON audit_head FOR EACH ROW EXECUTE FUNCTION audit_head_moves();
CREATE TRIGGER audit_head_stays BEFORE DELETE ON audit_head FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_heads_stay BEFORE TRUNCATE ON audit_head FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
ALTER TABLE audit_entries ENABLE ALWAYS TRIGGER audit_entry_comes, ENABLE ALWAYS TRIGGER audit_entry_stays,
    ENABLE ALWAYS TRIGGER audit_entry_goes, ENABLE ALWAYS TRIGGER audit_entries_stay;
ALTER TABLE audit_head ENABLE ALWAYS TRIGGER audit_head_moves, ENABLE ALWAYS TRIGGER audit_head_stays,
    ENABLE ALWAYS TRIGGER audit_heads_stay;
DO $$
DECLARE granted record;
BEGIN
    FOR granted IN
        SELECT DISTINCT relname, coalesce(quote_ident(rolname), 'PUBLIC') AS grantee
        FROM pg_class CROSS JOIN LATERAL aclexplode(relacl) AS acl LEFT JOIN pg_roles ON pg_roles.oid = acl.grantee
        WHERE relname IN ('audit_entries', 'audit_head') AND relnamespace = 'public'::regnamespace
            AND acl.grantee <> relowner
    LOOP
        EXECUTE format('REVOKE ALL ON %I FROM %s', granted.relname, granted.grantee);
    END LOOP;
END $$;
"""

# How often something failed again within a minute, after the entry that told of the first time.
REPEATS = """
CREATE TABLE audit_repeats (
    minute timestamptz NOT NULL,
    action text NOT NULL,
    subject_id uuid NOT NULL,
    network text NOT NULL,
    times int NOT NULL CHECK (times > 0),
    PRIMARY KEY (minute, action, subject_id, network)
);
"""

GONE = """
DROP TABLE audit_repeats;
DROP TRIGGER audit_entry_comes ON audit_entries;
DROP TRIGGER audit_entry_stays ON audit_entries;
DROP TRIGGER audit_entry_goes ON audit_entries;
DROP TRIGGER audit_entries_stay ON audit_entries;
DROP TRIGGER audit_head_moves ON audit_head;
DROP TRIGGER audit_head_stays ON audit_head;
DROP TRIGGER audit_heads_stay ON audit_head;
DROP FUNCTION audit_refuse(), audit_entry_comes(), audit_entry_goes(), audit_head_moves();
DROP INDEX audit_entries_action, audit_entries_failed, audit_entries_at;
ALTER TABLE audit_head DROP COLUMN cut_digest, DROP COLUMN cut_seq;
"""


async def forwards() -> MigrationManager:
    """Change all of it, in one transaction."""
    manager = MigrationManager(migration_id=ID, app_name="graphmark", description=DESCRIPTION)
    manager.add_raw(script(CHAIN + REPEATS))
    manager.add_raw_backwards(script(GONE))
    return manager
