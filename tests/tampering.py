"""What only the owner of the database can do to the audit log, and a long log."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from db.unit import Database, Unit

GUARDED = ("audit_entries", "audit_head")


@asynccontextmanager
async def unguarded(database: Database) -> AsyncIterator[Unit]:
    """A transaction of an owner who has taken the triggers away, as only the owner of the tables can."""
    async with database.unit() as unit:
        for table in GUARDED:
            await unit.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        yield unit
        for row in await unit.fetch(
            "SELECT tgrelid::regclass::text AS t, tgname AS n FROM pg_trigger WHERE tgname LIKE 'audit_%'"
        ):
            await unit.execute(f"ALTER TABLE {row['t']} ENABLE ALWAYS TRIGGER {row['n']}")


FILL = """
DO $$
DECLARE previous bytea := sha256(''); moment timestamptz := '2026-01-01Z';
BEGIN
    FOR n IN 1..{many} LOOP
        previous := sha256(previous || convert_to(jsonb_build_array(n, extract(epoch FROM moment), 'SIGNED_IN', true,
            NULL::uuid, 'somebody', NULL::uuid, '', '', '{{}}'::jsonb)::text, 'UTF8'));
        INSERT INTO audit_entries
        VALUES (n, moment, 'SIGNED_IN', true, NULL, 'somebody', NULL, '', '', '{{}}', previous);
    END LOOP;
    INSERT INTO audit_head (seq, digest) VALUES ({many}, previous);
END $$
"""
"""A chain as it was written long ago."""
