"""What agents work with, opened for as long as a worker runs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from db.unit import Database
from kit.ai import LocalProvider
from kit.settings import Settings
from tasks.agent import Tools


@asynccontextmanager
async def open_tools(settings: Settings, database: Database) -> AsyncIterator[Tools]:
    """Open everything that the settings ask for; end it with the block."""
    yield Tools(settings=settings, database=database, provider=LocalProvider(), browser=None)
