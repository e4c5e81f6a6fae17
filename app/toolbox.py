"""What agents work with, opened for as long as a worker runs."""

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

from db.unit import Database
from kit.ai import LocalProvider, make_provider
from kit.browser.opening import open_browser
from kit.fetch import open_fetcher
from kit.page import PageReader
from kit.settings import Settings
from tasks.agent import Tools


@asynccontextmanager
async def open_tools(settings: Settings, database: Database) -> AsyncIterator[Tools]:
    """Open everything that the settings ask for; end it with the block."""
    async with (
        open_fetcher(settings) as fetcher,
        PageReader(processes=settings.page_readers) as pages,
        open_browser(settings, fetcher) as browser,
        aclosing(make_provider(settings)) as provider,
        aclosing(LocalProvider()) as stand_in,
    ):
        yield Tools(settings, database, provider, fetcher, pages, browser, stand_in)
