"""What the comparisons of whole servers share: an account to sign in to, and what its list must hold."""

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

from benchmarks.harness import Findings
from benchmarks.lab import Lab, Library
from benchmarks.load.usage import memory_bytes
from benchmarks.peers import lineup
from benchmarks.peers.servers import CannotStartError, Listed, Running, Server, running
from db import users
from kit.crypto import PasswordHasher
from kit.settings import Settings
from services import auth
from services.auth import Accounts, Device

POSTGRES: Final = "postgres"
SERVER: Final = "server"
_PASSWORD_BYTES: Final = 18
_EXPECTED: Final = """
SELECT b.id, b.title,
    ARRAY(SELECT t.name FROM bookmark_tags l JOIN tags t ON t.id = l.tag_id WHERE l.bookmark_id = b.id) AS tags,
    ARRAY(SELECT c.name FROM bookmark_collections l JOIN collections c ON c.id = l.collection_id
        WHERE l.bookmark_id = b.id) AS collections
FROM bookmarks b WHERE b.owner_id = $1 AND b.deleted_at IS NULL ORDER BY b.added_at DESC, b.id DESC LIMIT $2
"""


@dataclass(frozen=True, slots=True)
class Stage:
    """A library, a session of its owner, and the folder where servers keep their logs."""

    library: Library
    token: str
    folder: Path
    postgres_pid: int

    @property
    def owner(self) -> UUID:
        """The account whose bookmarks everybody shows."""
        return self.library.viewer.id

    def graphmark(self) -> Server:
        """Return Graphmark's own API process on this library."""
        return lineup.graphmark(self.library.dsn, self.token, str(self.folder / "graphmark"))

    def processes(self, one: Running) -> dict[str, int]:
        """Return the process trees whose CPU is counted: the server's first, then PostgreSQL's."""
        return {SERVER: one.pid, POSTGRES: self.postgres_pid}

    async def expected(self) -> list[Listed]:
        """Return what a list of the newest bookmarks holds, read from the tables."""
        found = await self.library.database.fetch(_EXPECTED, self.owner, lineup.PAGE)
        return [(row["id"], row["title"], frozenset(row["tags"]), frozenset(row["collections"])) for row in found]


async def open_stage(lab: Lab, size: int) -> Stage:
    """Return a stage with a library of `size` bookmarks and a fresh session of its owner."""
    library = await lab.library(size)
    token = await sign_in(library)
    pid = lab.server.pid
    assert pid is not None
    return Stage(library, token, lab.folder, pid)


@asynccontextmanager
async def started(stage: Stage, servers: Sequence[Server], findings: Findings) -> AsyncIterator[dict[str, Running]]:
    """Start the servers and give those that run, by name; note why the others do not. Stop them at the end."""
    up: dict[str, Running] = {}
    async with AsyncExitStack() as stack:
        for server in servers:
            place = running(server, dsn=stage.library.dsn, owner=stage.owner, folder=stage.folder)
            try:
                up[server.name] = await stack.enter_async_context(place)
            except CannotStartError as error:
                findings.note(server.name, f"not measured: {error}")
        yield up


def memory_mib(one: Running) -> float:
    """Return the resident memory of a server and its children in MiB."""
    return memory_bytes(one.pid) / 2**20


async def sign_in(library: Library) -> str:
    """Give the owner of a library a password and sign in with it; return the session token."""
    password = secrets.token_urlsafe(_PASSWORD_BYTES)
    hasher = PasswordHasher(threads=1, queue=1)
    try:
        async with library.database.unit() as unit:
            await users.set_password_hash(unit, library.viewer.id, await hasher.hash(password))
        row = await users.by_id(library.database, library.viewer.id)
        assert row is not None
        accounts = Accounts(library.database, hasher, Settings())
        return (await auth.login(accounts, email=row.email, password=password, device=Device())).token
    finally:
        hasher.close()
