"""Let the planner expect that what policies compare holds of nearly every row."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from db.migrate import script

ID = "2026-11-28T31:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "estimate of the wall"

# The statement names the owner already. An operator without an estimator is expected to hold of every second row, which
# made lists of small accounts sort what an index has in order. That of NOT LIKE expects 99.5 % of a value that it does
# not know yet, as that of the account always is; it asks for an operator that says the opposite.
EXPECT = """
CREATE OPERATOR graphmark_wall.!=== (FUNCTION = uuid_ne, LEFTARG = uuid, RIGHTARG = uuid,
    NEGATOR = OPERATOR(graphmark_wall.===));
ALTER OPERATOR graphmark_wall.=== (uuid, uuid) SET (RESTRICT = nlikesel);
"""
BACK = """
ALTER OPERATOR graphmark_wall.=== (uuid, uuid) SET (RESTRICT = NONE);
DROP OPERATOR graphmark_wall.!=== (uuid, uuid);
"""


async def forwards() -> MigrationManager:
    """Name the estimator."""
    manager = MigrationManager(migration_id=ID, app_name="graphmark", description=DESCRIPTION)
    manager.add_raw(script(EXPECT))
    manager.add_raw_backwards(script(BACK))
    return manager
