"""The second wall around what an account owns: PostgreSQL's row-level security.

Whoever acts for an account runs as the role `ROLE`, with the account in the setting `SETTING`. That role has no rights
but those that `TABLES` gives it, and sees of each table the rows of that account only, whatever a statement asks for.
The system (sign-in, workers, the command line) stays the owner of the tables, to whom policies do not apply.

    tables    what the wall says of each table: the place where a new one is added
    building  how it is made true of a database, and whether it is
    acting    how a connection is told for whom it acts
"""

from db.wall.acting import NOBODY, statement
from db.wall.building import build, gap
from db.wall.tables import INDEXED, ROLE, SCHEMA, SETTING, TABLES, Access, Closed, Own, Shared, Through

__all__ = [
    "INDEXED",
    "NOBODY",
    "ROLE",
    "SCHEMA",
    "SETTING",
    "TABLES",
    "Access",
    "Closed",
    "Own",
    "Shared",
    "Through",
    "build",
    "gap",
    "statement",
]
