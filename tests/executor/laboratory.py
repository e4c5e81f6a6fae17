"""A database, the services of a process and both engines on a random world, without a server."""

import random
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import asyncpg

from db.migrate import migrate
from db.unit import Database
from kit.bus import Bus
from kit.crypto import PasswordHasher
from kit.postgres import EmbeddedPostgres
from kit.settings import Executor, Settings
from resolvers.context import Services
from tests.client import the_schema
from tests.conftest import empty
from tests.executor.compare import Oracle, engine_with
from tests.executor.jitter import jittery
from tests.executor.watched import watch
from tests.executor.world import populate

_FAST = {"fsync": "off", "full_page_writes": "off", "shared_buffers": "128MB"}
_POOL, _STATEMENT_SECONDS = 10, 20


async def oracle_on(services: Services, seed: int) -> Oracle:
    """Fill the database of `services` anew and return the oracle on it."""
    await empty(services.database)
    world = await populate(services.database, random.Random(seed))
    schema, settings = the_schema(), services.settings
    compiled = engine_with(schema, settings, Executor.COMPILED)
    watch(compiled)
    reference = engine_with(schema, settings, Executor.RESOLVERS)
    return Oracle(reference, compiled, jittery(engine_with(schema, settings, Executor.RESOLVERS)), services, world)


@asynccontextmanager
async def services_of_own() -> AsyncIterator[Services]:
    """Start a PostgreSQL in a folder of its own and yield the services of a process on it."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="graphmark-oracle-")))
        server = EmbeddedPostgres(folder / "database", _FAST)
        stack.callback(server.stop)
        dsn = server.start()
        await migrate(dsn)
        database = await Database.connect(dsn, size=_POOL, statement_timeout_seconds=_STATEMENT_SECONDS)
        stack.push_async_callback(database.close)
        passwords = PasswordHasher(threads=1, queue=1)
        stack.callback(passwords.close)
        bus = Bus(lambda: asyncpg.connect(dsn), ())  # never started: queries ring no bells
        settings = Settings(data_dir=folder, database_url=dsn, request_timeout_seconds=60)
        yield Services(settings=settings, database=database, bus=bus, passwords=passwords)
