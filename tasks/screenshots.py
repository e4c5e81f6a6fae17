"""The screenshot agent: takes a picture of each page, where there is a browser."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from db import bookmarks
from db.unit import Unit
from kit.browser import Browser
from kit.fetch import FetchError
from services import quotas
from services.agents import AgentName
from services.events import EventDraft
from services.screenshots import NotAPictureError, keep_picture, picture_of
from services.validation.states import SUCCESSES, LinkStatus
from tasks.agent import Agent, Batch, Deferred, Done, Failed, Item, Outcome, Skipped
from tasks.validation.visits import HostBusyError, HostClosedError, Visits, pace_of

_RENDER_SECONDS: Final = 30.0
_UNCHECKED: Final = LinkStatus.UNCHECKED.value
_THERE: Final = frozenset({_UNCHECKED, *(status.value for status in SUCCESSES)})


async def process(batch: Batch) -> Sequence[Outcome]:
    """Take the pictures of a batch, one after the other."""
    return [await _take(batch, item) for item in batch.items]


async def _take(batch: Batch, item: Item) -> Outcome:
    tools, owner_id, key = batch.tools, batch.owner_id, item.bookmark_id
    if tools.browser is None:
        return Skipped("This server has no browser to take pictures with.")
    found = await bookmarks.by_ids(tools.database, owner_id, [key])
    if not found or found[0].deleted_at is not None:
        return Skipped("The bookmark is gone, or lies in the trash.")
    checked = batch.earlier.get((AgentName.VALIDATION, key), {})
    if checked.get("status", _UNCHECKED) not in _THERE:
        return Skipped(f"The link check found {checked['status']}.")
    if await quotas.is_full(tools.database, tools.settings, owner_id):
        return Skipped("The account stores as many bytes as it may.")
    return await _pictured(batch, key, checked.get("finalUrl") or found[0].url, tools.browser)


async def _pictured(batch: Batch, key: UUID, url: str, browser: Browser) -> Outcome:
    """Take the picture of a page when it is its host's turn."""
    tools, owner_id = batch.tools, batch.owner_id
    try:
        async with Visits(tools.fetcher, tools.database, pace_of(tools.settings)) as visits:
            await visits.wait_for(url)
            shown = await browser.render(url, screenshot=True, deadline_seconds=_RENDER_SECONDS)
        picture = picture_of(shown.screenshot)
    except HostBusyError as busy:
        return Deferred(busy.seconds, "The host was asked by others a moment ago; this picture waits for its turn.")
    except HostClosedError:
        return Failed("No picture could be taken: the host asks to be left alone for a while.")
    except FetchError as error:
        return Failed(f"No picture could be taken: {error.message}", {"failure": error.failure.value})
    except NotAPictureError as error:
        return Failed(f"No picture could be taken: {error}")

    async def write(unit: Unit) -> Sequence[EventDraft]:
        return await keep_picture(unit, owner_id, key, picture)

    return Done({"finalUrl": shown.url, "width": picture.width, "height": picture.height}, write)


AGENT: Final = Agent(
    name=AgentName.SCREENSHOT,
    version="1.0.0",
    description="Takes a picture of each page with a browser.",
    process=process,
    chunk_items=20,
    batch_items=1,
    parallel=2,
    deadline_seconds=120.0,
    concurrency=4,
)
