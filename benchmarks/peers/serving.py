"""What the peers written in Python share."""

import os
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

CHANNEL: Final = "bench_events"
"""Where each event's JSON is notified, for peers without an outbox to read."""
POOL: Final = 10
"""Connections to PostgreSQL: as many as Graphmark opens when it is not told otherwise. `list.mjs` has the same."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a peer runs, and whose bookmarks it shows."""

    port: int
    dsn: str
    owner: UUID

    @classmethod
    def from_environment(cls) -> "Place":
        """Return what the environment of this process says."""
        return cls(int(os.environ["BENCH_PORT"]), os.environ["BENCH_DATABASE_URL"], UUID(os.environ["BENCH_OWNER"]))

    def environment(self) -> dict[str, str]:
        """Return what `from_environment` reads."""
        return {"BENCH_PORT": str(self.port), "BENCH_DATABASE_URL": self.dsn, "BENCH_OWNER": str(self.owner)}


def uvicorn_options(place: Place) -> dict[str, Any]:
    """Return uvicorn's settings: the same loop, parsers and WebSockets as Graphmark's own."""
    return {
        "port": place.port,
        "loop": "uvloop",
        "http": "httptools",
        "ws": "websockets-sansio",
        "ws_per_message_deflate": False,
        "access_log": False,
        "log_level": "warning",
        "server_header": False,
        "lifespan": "on",
    }
