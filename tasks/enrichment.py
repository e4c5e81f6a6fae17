"""The enrichment agent: reads the page of each bookmark and fills in what its owner has not written.

fetch  →  read  →  render, if the page is only a script  →  describe, what the page does not say  →  keep

The page's text goes to the provider as data; the owner's notes never do. While the provider is away, what the page says
itself is kept, and a page that does not describe itself is read again later, a bounded number of times; then the local
provider describes it, and the next reading asks the other one again.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import structlog

from db import bookmarks
from db.bookmarks import BookmarkRow
from db.enrichment import PageDraft, PageRow
from db.unit import Unit
from kit.ai import BadAnswer, Description, PageText, ProviderBusy, ProviderDown
from kit.fetch import FetchError, Response
from kit.page import Page, PageUnreadable
from services.agents import AgentName
from services.enrichment import Reading, is_readable, keep_reading, media_type, of_file, of_page, remembered, validators
from services.events import EventDraft
from services.spending import BudgetExhausted
from services.validation.signs import Reading as SignsReading
from services.validation.signs import signs_of_address, signs_of_page
from services.validation.states import SUCCESSES, LinkStatus
from tasks.agent import Agent, Batch, Deferred, Done, Failed, Item, Outcome, Skipped, Tools, Write
from tasks.spending import Paid, metered
from tasks.validation.visits import HostBusyError, HostClosedError, Visits, pace_of

MIN_WORDS_TO_DESCRIBE: Final = 20
MAX_CHARS_TO_DESCRIBE: Final = 20_000
DEADLINE_SECONDS: Final = 150.0

_FETCH_SECONDS: Final = 30.0
_READ_SECONDS: Final = 10.0
_RENDER_SECONDS: Final = 30.0
_WORDS_OF_A_SIGNPOST: Final = 50
_NOT_MODIFIED: Final = 304
_OK: Final = range(200, 300)
_UNCHECKED: Final = LinkStatus.UNCHECKED.value
_THERE: Final = frozenset({_UNCHECKED, *(status.value for status in SUCCESSES)})
"""What a link check may have found of a page that is worth reading."""

log = structlog.get_logger(__name__)


class NotThePageError(Exception):
    """Something else is shown in the place of the page, or nothing."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was found behind an address, and what a model made of it; `down` when the model is to be asked later."""

    reading: Reading
    data: dict[str, Any]
    described: Paid[Description] | None = None
    down: ProviderDown | None = None


async def process(batch: Batch) -> Sequence[Outcome]:
    """Read the pages of a batch, one after the other."""
    return [await _enrich(batch, item) for item in batch.items]


async def _enrich(batch: Batch, item: Item) -> Outcome:
    tools, owner_id = batch.tools, batch.owner_id
    found = await bookmarks.by_ids(tools.database, owner_id, [item.bookmark_id])
    if not found or found[0].deleted_at is not None:
        return Skipped("The bookmark is gone, or lies in the trash.")
    checked = batch.earlier.get((AgentName.VALIDATION, item.bookmark_id), {})
    if checked.get("status", _UNCHECKED) not in _THERE:
        return Skipped(f"The link check found {checked['status']}.")
    known = await remembered(tools.database, owner_id, item.bookmark_id)
    try:
        response = await _fetch(tools, checked.get("finalUrl") or found[0].url, known)
        if response.status == _NOT_MODIFIED:
            return Done({"isUnchanged": True}, _writing(batch, item, None))
        seen = await _read(batch, item, found[0], response)
    except _ENDINGS as error:
        return _ended(error)
    if seen.down is not None:
        seconds = seen.down.retry_after_seconds * 2 ** (item.attempt - 1)
        return Deferred(seconds, seen.down.message, is_counted=True, write=_writing(batch, item, seen))
    return Done(seen.data, _writing(batch, item, seen))


_ENDINGS: Final = (FetchError, PageUnreadable, NotThePageError, HostBusyError, HostClosedError, ProviderBusy)


def _ended(error: Exception) -> Outcome:
    """Return what it means for a bookmark that reading its page ended with one of `_ENDINGS`."""
    outcome: Outcome
    match error:
        case HostBusyError():
            reason = "The host was asked by others a moment ago; this page waits for its turn."
            outcome = Deferred(error.seconds, reason)
        case ProviderBusy():
            outcome = Deferred(error.retry_after_seconds, error.message)
        case HostClosedError():
            outcome = Failed("The page could not be fetched: its host asks to be left alone for a while.")
        case FetchError():
            outcome = Failed(f"The page could not be fetched: {error.message}", {"failure": error.failure.value})
        case _:
            outcome = Failed(f"The page could not be read: {error}")
    return outcome


async def _fetch(tools: Tools, url: str, known: PageRow | None) -> Response:
    """Fetch a page, unless its server says that it is as it was when it was read last."""
    headers = {"accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.5"}
    if known is not None and known.url == url and "summary" in known.written:  # else there is more to be had
        headers |= {"if-none-match": known.etag} if known.etag else {}
        headers |= {"if-modified-since": known.last_modified} if known.last_modified else {}
    async with Visits(tools.fetcher, tools.database, pace_of(tools.settings)) as visits:
        return await visits.walk(url, method="GET", headers=headers, deadline_seconds=_FETCH_SECONDS)


async def _read(
    batch: Batch, item: Item, bookmark: BookmarkRow, response: Response, *, may_follow: bool = True
) -> _Seen:
    """Return what is in an answer. A page that only points to another one is followed once."""
    tools = batch.tools
    if response.status not in _OK:
        raise NotThePageError(f"its server answered {response.status}.")
    content_type = response.headers.get("content-type")
    draft = PageDraft(
        url=response.url,
        content_type=media_type(content_type),
        **validators(response.headers.get("etag"), response.headers.get("last-modified")),
    )
    data: dict[str, Any] = {"finalUrl": draft.url, "contentType": draft.content_type}
    if not is_readable(draft.content_type):
        return _Seen(of_file(draft), data)
    page = await tools.pages.read(
        response.body, url=response.url, content_type=content_type, deadline_seconds=_READ_SECONDS
    )
    if page.refresh_url is not None and page.word_count < _WORDS_OF_A_SIGNPOST and may_follow:
        with contextlib.suppress(FetchError, PageUnreadable, NotThePageError):  # then the signpost has to do
            return await _read(batch, item, bookmark, await _fetch(tools, page.refresh_url, None), may_follow=False)
    if page.is_script_only:
        rendered = await _rendered(tools, response.url)
        draft = replace(draft, is_rendered=rendered is not None)
        page = rendered or page
    _refuse_stand_ins(bookmark.url, response.url, page)
    data |= {
        "title": page.title,
        "language": page.language,
        "wordCount": page.word_count,
        "isRendered": draft.is_rendered,
        "isScriptOnly": page.is_script_only,
    }
    return await _described(batch, item, page, _text_of(bookmark, response.url, page), _Seen(Reading(draft), data))


def _refuse_stand_ins(url: str, final_url: str, page: Page) -> None:
    """Raise `NotThePageError` for what is shown in the place of a page: error pages, login forms, parked names."""
    signs = signs_of_address(url, final_url) or signs_of_page(SignsReading(url, final_url, page))
    if signs is not None:
        raise NotThePageError(f"what is there looks like {signs[0]}.")


async def _rendered(tools: Tools, url: str) -> Page | None:
    """Return the page as a browser shows it; None where there is no browser or it does not succeed.

    Raises `HostBusyError` when it is to be tried later.
    """
    if tools.browser is None:
        return None
    try:
        async with Visits(tools.fetcher, tools.database, pace_of(tools.settings)) as visits:
            await visits.wait_for(url)
            shown = await tools.browser.render(url, deadline_seconds=_RENDER_SECONDS)
        return await tools.pages.read(
            shown.html.encode("utf-8", "replace"),
            url=shown.url,
            content_type="text/html; charset=utf-8",
            deadline_seconds=_READ_SECONDS,
        )
    except (FetchError, PageUnreadable, HostClosedError) as error:
        log.info("page.not_rendered", reason=str(error))
        return None


def _text_of(bookmark: BookmarkRow, url: str, page: Page) -> PageText:
    """Return what a model is shown of a page."""
    return PageText(
        url=url,  # where it was fetched: without the name and password that a bookmark's address may have
        title=page.title or bookmark.title,
        description=page.description or "",
        text=page.text[:MAX_CHARS_TO_DESCRIBE],
        language=page.language,
    )


async def _described(batch: Batch, item: Item, page: Page, text: PageText, seen: _Seen) -> _Seen:
    """Add what the page says and what the provider makes of it.

    The latter is left out where the page has too little text, there is no money, or no usable answer. A provider that
    asks to come back later (`ProviderBusy`) is obeyed: the page is read again then.
    """
    paid, down, draft = None, None, seen.reading.page
    if page.word_count >= MIN_WORDS_TO_DESCRIBE:
        try:
            paid = await metered(batch, AgentName.ENRICHMENT).describe(text)
        except (BadAnswer, BudgetExhausted) as error:
            log.info("page.not_described", reason=error.message)
        except ProviderDown as error:
            log.info("page.not_described", reason=error.message)
            is_last = item.attempt >= batch.tools.settings.task_max_attempts
            down = error if not (page.description or is_last) else None
            if is_last and not page.description:
                paid = await _stood_in(batch, text)
                draft = replace(draft, etag=None, last_modified=None)  # the next reading gets it whole and asks again
    data = {**seen.data, "isDescribed": paid is not None}
    return _Seen(of_page(page, paid.value if paid else None, draft), data, paid, down)


async def _stood_in(batch: Batch, text: PageText) -> Paid[Description] | None:
    """Return what the page's own sentences make of it; None where that cannot be done either."""
    try:
        return await metered(batch, AgentName.ENRICHMENT, batch.tools.stand_in).describe(text)
    except ProviderDown as error:
        log.info("page.not_described", reason=error.message)
        return None


def _writing(batch: Batch, item: Item, seen: _Seen | None) -> Write:
    async def write(unit: Unit) -> Sequence[EventDraft]:
        if seen is not None and seen.described is not None:
            await seen.described.settle(unit)
        return await keep_reading(unit, batch.owner_id, item.bookmark_id, seen.reading if seen else None)

    return write


AGENT: Final = Agent(
    name=AgentName.ENRICHMENT,
    version="1.0.0",
    description="Reads pages and fills in what their bookmarks lack: title, description, author, language, summary.",
    process=process,
    chunk_items=100,
    batch_items=1,
    parallel=16,
    deadline_seconds=DEADLINE_SECONDS,
)
