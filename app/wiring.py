"""Opens what lives as long as a process, in order, and closes it in the opposite order."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from db import auth, events
from db.unit import Database, dial
from kit.bus import Bus
from kit.crypto import PasswordHasher
from kit.errors import Unavailable
from kit.settings import Settings
from resolvers.context import Services
from tasks.ringer import make_ringer

CHANNELS = (events.CHANNEL, auth.SESSION_CHANNEL)


def database_url(settings: Settings) -> str:
    """Return where the database is. Raises `Unavailable` when nobody said: only `serve` brings its own."""
    if settings.database_url is None:
        raise Unavailable("GRAPHMARK_DATABASE_URL is not set; `graphmark serve` starts a database of its own.")
    return settings.database_url


@asynccontextmanager
async def open_database(settings: Settings, *, name: str, is_worker: bool = False) -> AsyncIterator[Database]:
    """Open the pool. Raises `Unavailable` with one clear line when the database cannot be reached.

    PostgreSQL ends a transaction in which a worker freezes for longer than its lease: others may go on with its work.
    """
    dsn = database_url(settings)
    seconds = settings.worker_statement_timeout_seconds if is_worker else settings.statement_timeout_seconds
    database = await Database.connect(
        dsn,
        size=settings.database_pool_size,
        statement_timeout_seconds=seconds,
        idle_timeout_seconds=settings.task_lease_seconds if is_worker else None,
        name=f"graphmark-{name}",
    )
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def open_services(settings: Settings, *, name: str, is_worker: bool = False) -> AsyncIterator[Services]:
    """Open everything that resolvers and commands need: pool, ringer, bus, password threads."""
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(open_database(settings, name=name, is_worker=is_worker))
        database.ringer = await stack.enter_async_context(make_ringer(settings, database))
        bus = Bus(lambda: dial(database.dsn, name=f"graphmark-{name}-bus"), CHANNELS)
        await bus.start()
        stack.push_async_callback(bus.stop)
        passwords = PasswordHasher(threads=settings.password_hash_threads, queue=settings.password_hash_queue)
        stack.callback(passwords.close)
        services = Services(settings=settings, database=database, bus=bus, passwords=passwords)
        stack.push_async_callback(services.meaning.aclose)
        yield services
