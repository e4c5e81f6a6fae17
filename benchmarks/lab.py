"""The place to measure in: a PostgreSQL of its own in a temporary folder, with accounts of any size."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import asyncpg

from app.seeding import fill
from db import users
from db.migrate import migrate
from db.unit import Database
from kit.ids import new_id
from kit.postgres import EmbeddedPostgres
from services.permissions import Role, Viewer

POSTGRES = {
    "shared_buffers": "1GB",
    "max_wal_size": "4GB",
    "maintenance_work_mem": "256MB",
    "max_connections": "100",
    "random_page_cost": "1.1",  # Graphmark's own connections ask for it; so everybody's statements are planned alike
}
STATEMENT_SECONDS = 600.0
POOL = 8
EMAIL = "bench@graphmark.example"


@dataclass
class Library:
    """A database with one account of `size` made-up bookmarks."""

    dsn: str
    database: Database
    viewer: Viewer
    size: int


@dataclass
class Lab:
    """A running PostgreSQL. Libraries are made when first asked for and kept until the end."""

    folder: Path
    url: str
    server: EmbeddedPostgres
    seed: int
    libraries: dict[int, Library] = field(default_factory=dict)

    async def library(self, size: int) -> Library:
        """Return a library of `size` bookmarks, analysed and vacuumed."""
        if size not in self.libraries:
            self.libraries[size] = await self._made(f"library_{size}", size)
        return self.libraries[size]

    async def empty(self, name: str) -> Library:
        """Return a new database called `name` with one account without bookmarks. Close its `database` after use."""
        return await self._made(name, 0)

    async def drop(self, library: Library) -> None:
        """Close and remove a database of `empty`."""
        await library.database.close()
        name = urlsplit(library.dsn).path.removeprefix("/")
        connection = await asyncpg.connect(self.url)
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await connection.close()

    async def _made(self, name: str, size: int) -> Library:
        connection = await asyncpg.connect(self.url)
        await connection.execute(f"CREATE DATABASE {name}")
        await connection.close()
        dsn = urlunsplit(urlsplit(self.url)._replace(path=f"/{name}"))
        await migrate(dsn)
        database = await Database.connect(
            dsn, size=POOL, statement_timeout_seconds=STATEMENT_SECONDS, name="graphmark-benchmarks"
        )
        viewer = await account(database, EMAIL)
        if size:
            print(f"  making a library of {size:,} bookmarks …", flush=True)
            await fill(database, viewer.id, size, seed=self.seed)
            await database.execute("VACUUM ANALYZE")
        return Library(dsn, database, viewer, size)


async def account(database: Database, email: str, *, password_hash: str = "!") -> Viewer:  # noqa: S107  a hash that nothing matches
    """Open an account that nobody can sign in to by password."""
    key: UUID = new_id()
    async with database.unit() as unit:
        await users.insert(
            unit, key=key, email=email, email_key=email, name="Bench", role=Role.USER.value, password_hash=password_hash
        )
    return Viewer(id=key)


@asynccontextmanager
async def open_lab(seed: int) -> AsyncIterator[Lab]:
    """Start PostgreSQL with its durable defaults; stop it and remove its folder at the end, whatever happens."""
    with tempfile.TemporaryDirectory(prefix="graphmark-bench-") as name:
        server = EmbeddedPostgres(Path(name) / "data", POSTGRES)
        lab = Lab(Path(name), server.start(), server, seed)
        try:
            yield lab
        finally:
            for library in lab.libraries.values():
                await library.database.close()
            server.stop()
