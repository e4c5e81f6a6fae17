"""Opening the browser of the settings."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from kit.browser.chromium import Chromium
from kit.browser.finding import find_chromium
from kit.browser.pool import Browser
from kit.fetch import Fetcher
from kit.settings import Settings


@asynccontextmanager
async def open_browser(settings: Settings, fetcher: Fetcher) -> AsyncIterator[Browser | None]:
    """Open the browser that is set or found, None where there is none. It starts with the first page."""
    executable = find_chromium(settings.chromium)
    if executable is None:
        yield None
        return
    async with Chromium(
        executable, fetcher, pages=settings.browser_pages, idle_seconds=settings.browser_idle_seconds
    ) as browser:
        yield browser
