"""What can be wrong with the embedded PostgreSQL, each as one sentence for the person at the terminal.

Unavailable
└── PostgresUnavailable      the server cannot run here and now
    ├── PostgresMissing      this platform has no binaries, or they are not installed
    ├── DataFolderInUse      another Graphmark runs on the same folder
    ├── DataFolderUnusable   it cannot be written, is not ours, or is no cluster
    ├── DataFolderVersion    another major version of PostgreSQL made it
    └── PostgresDidNotStart  the server gave up, or was not ready in time
"""

from kit.errors import Unavailable


class PostgresUnavailable(Unavailable):
    """The embedded PostgreSQL cannot run here and now."""


class PostgresMissing(PostgresUnavailable):
    """There are no PostgreSQL binaries for this platform, or they are not installed."""


class DataFolderInUse(PostgresUnavailable):
    """Another process holds the lock of the data folder."""


class DataFolderUnusable(PostgresUnavailable):
    """The data folder cannot be written, belongs to somebody else, or holds something that is no cluster."""


class DataFolderVersion(PostgresUnavailable):
    """The cluster in the data folder was made by another major version of PostgreSQL."""


class PostgresDidNotStart(PostgresUnavailable):
    """The server ended while starting, or was not ready within the time allowed."""
