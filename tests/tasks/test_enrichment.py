"""The enrichment agent against the local web: what it fills in, and what it leaves alone."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from db import enrichment as rows_of
from db.bookmarks import BookmarkRow
from db.enrichment import PageRow
from db.unit import Database
from db.validation import hosts
from kit.ai import Answer, Description, PageText, Provider, ProviderBusy, ProviderDown, Space
from kit.browser import Rendered
from kit.fetch import Failure, FetchError
from kit.ids import new_id
from kit.settings import Settings
from services import bookmarks
from services.agents import AgentName
from services.permissions import Viewer
from services.screenshots import png_of
from tasks import screenshots
from tasks.agent import Batch, Deferred, Done, Failed, Item, Outcome, Skipped, Tools
from tasks.enrichment import AGENT
from tasks.validation.visits import pace_of
from tests.fakes.pages import serving
from tests.fakes.web import SITES, Web
from tests.fakes.web.reading import expected
from tests.make import Maker
from tests.tasks.links import checking

NUMBER = 5
FILLED = {"title", "description", "author", "site_name", "language", "published_at", "image_url", "keywords"}
READABLE = [
    site
    for site in SITES
    if site.reading
    and site.listens == "http"
    and site.check.status in {"OK", "REDIRECTED_PERMANENT"}
    and site.name not in {"flapping", "refresh"}
]


@dataclass
class Enricher:
    """A worker that reads pages."""

    database: Database
    tools: Tools

    async def look(self, row: BookmarkRow, checked: Mapping[str, Any] | None = None, *, attempt: int = 1) -> Outcome:
        """Run the agent on one bookmark, without writing."""
        earlier = {(AgentName.VALIDATION, row.id): checked} if checked else {}
        batch = Batch(new_id(), row.owner_id, self.tools, [Item(1, row.id, attempt)], earlier=earlier)
        (outcome,) = await AGENT.process(batch)
        return outcome

    async def enrich(self, row: BookmarkRow, checked: Mapping[str, Any] | None = None) -> BookmarkRow:
        """Run the agent, write, and return the bookmark as it is then."""
        outcome = await self.look(row, checked)
        assert isinstance(outcome, Done), outcome
        return await self.write(outcome, row)

    async def write(self, outcome: Outcome, row: BookmarkRow) -> BookmarkRow:
        """Write what an outcome has to be written, and return the bookmark as it is then."""
        assert isinstance(outcome, Done | Deferred), outcome
        assert outcome.write is not None
        async with self.database.unit() as unit:
            await outcome.write(unit)
        after = await bookmarks.get(self.database, Viewer(row.owner_id), row.id)
        assert after is not None
        return after

    async def page(self, row: BookmarkRow) -> PageRow:
        """Return what is remembered of a bookmark's page."""
        found = await rows_of.of_bookmark(self.database, row.owner_id, row.id)
        assert found is not None
        return found


class Answering:
    """A provider that answers as it is told."""

    is_local = True
    space = Space("test/words", 2)

    def __init__(self, answer: Description | Exception) -> None:
        self.answer = answer
        self.asked: list[PageText] = []

    async def describe(self, page: PageText) -> Answer[Description]:
        """See `kit.ai.Provider`."""
        self.asked.append(page)
        if isinstance(self.answer, Exception):
            raise self.answer
        return Answer(self.answer, ())


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def web() -> AsyncIterator[Web]:
    """The local web."""
    async with Web() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def enricher(database: Database, settings: Settings, web: Web) -> AsyncIterator[Enricher]:
    """A worker that reads pages quickly."""
    web.journal.clear()
    async with checking(database, settings) as worker:
        yield Enricher(database, worker.tools)


async def test_pages_fill_their_bookmarks_as_declared(enricher: Enricher, make: Maker, web: Web) -> None:
    viewer = await make.viewer()
    wrong = []
    for site in READABLE:
        row = await make.bookmark(viewer, {"url": web.url(site.name, NUMBER)})
        after = await enricher.enrich(row)
        wanted = {name: value for name, value in expected(site, web, NUMBER).items() if name in FILLED and value}
        wanted |= {"keywords": list(wanted["keywords"])} if "keywords" in wanted else {}
        found = {name: getattr(after, name) for name in wanted}
        if found != wanted:
            wrong.append((site.name, found, wanted))
        assert after.url == row.url
        assert after.canonical_url == row.canonical_url
        assert after.version == row.version + 1
    assert wrong == []
    assert len(READABLE) > 30


async def test_what_a_person_wrote_stays_and_a_second_reading_changes_nothing(
    enricher: Enricher, make: Maker, web: Web
) -> None:
    viewer = await make.viewer()
    row = await make.bookmark(
        viewer, {"url": web.url("bread"), "title": "Mine", "notes": "My own words", "description": "What I think"}
    )
    after = await enricher.enrich(row)
    assert (after.title, after.notes, after.description) == ("Mine", "My own words", "What I think")
    assert after.summary
    assert after.keywords
    assert after.reading_time_seconds
    assert await enricher.enrich(row) == after
    page = await enricher.page(row)
    assert page.said["title"].startswith("Sourdough")
    assert set(page.written).isdisjoint({"title", "description", "notes"})


async def test_a_page_that_is_as_it_was_is_only_looked_at(enricher: Enricher, make: Maker, web: Web) -> None:
    row = await make.bookmark(await make.viewer(), {"url": web.url("conditional")})
    after = await enricher.enrich(row)
    before = await enricher.page(row)
    outcome = await enricher.look(row)
    assert isinstance(outcome, Done)
    assert outcome.data == {"isUnchanged": True}
    assert await enricher.enrich(row) == after
    assert replace(await enricher.page(row), fetched_at=before.fetched_at) == before


@pytest.mark.parametrize("status", ["NOT_FOUND", "SOFT_404", "BLOCKED_PRIVATE", "AUTH_REQUIRED", "TIMEOUT"])
async def test_what_a_link_check_did_not_find_is_not_read(
    enricher: Enricher, make: Maker, web: Web, status: str
) -> None:
    row = await make.bookmark(await make.viewer(), {"url": web.url("bread")})
    assert await enricher.look(row, {"status": status}) == Skipped(f"The link check found {status}.")
    assert web.journal.asked == []


async def test_the_end_of_the_redirects_is_read_and_the_address_stays(
    enricher: Enricher, make: Maker, web: Web
) -> None:
    row = await make.bookmark(await make.viewer(), {"url": "https://moved.example/"})
    after = await enricher.enrich(row, {"status": "REDIRECTED_PERMANENT", "finalUrl": web.url("bread")})
    assert after.title == "Sourdough at home"
    assert after.url == "https://moved.example/"
    assert (await enricher.page(row)).url == web.url("bread")


async def test_a_page_that_only_points_to_another_is_followed_once(enricher: Enricher, make: Maker) -> None:
    def pointing(path: str) -> str:
        return f'<title>Moved</title><meta http-equiv="refresh" content="0; url={path}"><p>Wait.</p>'

    pages = {
        "/old": pointing("/new"),
        "/new": "<title>Here</title><p>The page itself.</p>",
        "/broken": pointing("/none"),
        "/circle": pointing("/back"),
        "/back": pointing("/circle"),
    }
    viewer = await make.viewer()
    async with serving(pages) as origin:
        titles = {}
        for path in ("/old", "/broken", "/circle"):
            row = await make.bookmark(viewer, {"url": origin + path})
            titles[path] = (await enricher.enrich(row)).title, (await enricher.page(row)).url
    assert titles == {
        "/old": ("Here", f"{origin}/new"),
        "/broken": ("Moved", f"{origin}/broken"),
        "/circle": ("Moved", f"{origin}/back"),
    }


async def test_a_file_is_known_by_its_name(enricher: Enricher, make: Maker) -> None:
    pages = {
        "/a/Annual_report.pdf": ("Content-Type: application/pdf", "%PDF-1.7"),
        "/cat.png": ("Content-Type: image/png", "x"),
    }
    viewer = await make.viewer()
    async with serving(pages) as origin:
        report = await enricher.enrich(await make.bookmark(viewer, {"url": f"{origin}/a/Annual_report.pdf"}))
        picture = await enricher.enrich(await make.bookmark(viewer, {"url": f"{origin}/cat.png"}))
    assert (report.title, report.word_count, report.image_url) == ("Annual report", None, None)
    assert (picture.title, picture.image_url) == ("cat", f"{origin}/cat.png")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("soft-title", "The page could not be read: what is there looks like SOFT_404."),
        ("login-wall", "The page could not be read: what is there looks like AUTH_REQUIRED."),
        ("status-410", "The page could not be read: its server answered 410."),
    ],
)
async def test_what_is_no_page_fills_nothing(enricher: Enricher, make: Maker, web: Web, name: str, reason: str) -> None:
    viewer = await make.viewer()
    row = await make.bookmark(viewer, {"url": web.url(name)})
    assert await enricher.look(row) == Failed(reason)
    assert await bookmarks.get(enricher.database, viewer, row.id) == row


async def test_an_address_of_a_private_network_fails_with_its_reason(enricher: Enricher, make: Maker) -> None:
    row = await make.bookmark(await make.viewer(), {"url": "http://10.0.0.1/"})
    outcome = await enricher.look(row)
    assert isinstance(outcome, Failed)
    assert outcome.data == {"failure": "BLOCKED_PRIVATE"}


async def test_a_bookmark_in_the_trash_or_gone_is_skipped(enricher: Enricher, make: Maker, web: Web) -> None:
    viewer = await make.viewer()
    row = await make.trashed(viewer, {"url": web.url("bread")})
    gone = Skipped("The bookmark is gone, or lies in the trash.")
    assert await enricher.look(row) == gone
    assert await enricher.look(replace(row, id=new_id())) == gone
    assert await enricher.look(replace(row, owner_id=(await make.viewer()).id)) == gone


async def test_a_bookmark_that_goes_while_its_page_is_read_is_left_alone(
    enricher: Enricher, make: Maker, web: Web
) -> None:
    viewer = await make.viewer()
    row = await make.bookmark(viewer, {"url": web.url("bread")})
    outcome = await enricher.look(row)
    assert isinstance(outcome, Done)
    assert outcome.write is not None
    async with enricher.database.unit() as unit:
        await bookmarks.delete(unit, viewer, [row.id], permanently=True)
    async with enricher.database.unit() as unit:
        assert await outcome.write(unit) == []


async def test_the_provider_sees_the_page_and_never_the_notes(enricher: Enricher, make: Maker, web: Web) -> None:
    provider = Answering(Description("Described.", "Summed up.", ("one", "two")))
    enricher.tools = replace(enricher.tools, provider=cast("Provider", provider))
    url = web.url("untitled").replace("://", "://me:secret@")
    row = await make.bookmark(await make.viewer(), {"url": url, "notes": "secret words"})
    after = await enricher.enrich(row)
    assert (after.summary, after.keywords) == ("Summed up.", ["one", "two"])
    assert after.notes == "secret words"
    assert "secret" not in repr(provider.asked)


@pytest.mark.parametrize("error", [ProviderDown("away"), ProviderBusy("busy", retry_after_seconds=7)])
async def test_without_a_provider_the_page_still_speaks(
    enricher: Enricher, make: Maker, web: Web, error: Exception
) -> None:
    enricher.tools = replace(enricher.tools, provider=cast("Provider", Answering(error)))
    row = await make.bookmark(await make.viewer(), {"url": web.url("bread")})
    if isinstance(error, ProviderBusy):
        assert await enricher.look(row) == Deferred(7, "busy")
        return
    after = await enricher.enrich(row)
    assert after.title == "Sourdough at home"
    assert after.summary is None
    enricher.tools = replace(enricher.tools, provider=cast("Provider", Answering(Description("D", "S", ()))))
    assert (await enricher.enrich(row)).summary == "S"  # asked anew, although the page has not changed


async def test_a_page_that_says_nothing_of_itself_waits_for_the_provider_and_at_last_does_without(
    enricher: Enricher, make: Maker, web: Web
) -> None:
    down = ProviderDown("away", retry_after_seconds=3)
    enricher.tools = replace(enricher.tools, provider=cast("Provider", Answering(down)))
    row = await make.bookmark(await make.viewer(), {"url": web.url("untitled")})
    most = enricher.tools.settings.task_max_attempts
    for attempt in range(1, most):
        later = await enricher.look(row, attempt=attempt)
        assert isinstance(later, Deferred)
        assert (later.seconds, later.reason, later.is_counted) == (3 * 2 ** (attempt - 1), "away", True)
        kept = await enricher.write(later, row)
        assert (kept.description, kept.summary) == (None, None)
        assert kept.word_count
    at_last = await enricher.write(await enricher.look(row, attempt=most), row)
    assert at_last.description
    assert at_last.summary
    enricher.tools = replace(enricher.tools, provider=cast("Provider", Answering(Description("D", "S", ()))))
    asked_again = await enricher.enrich(row)
    assert (asked_again.description, asked_again.summary) == ("D", "S")


class Shown:
    """A browser that shows one page."""

    def __init__(self, html: str | Exception) -> None:
        self.html = html

    async def render(self, url: str, *, screenshot: bool = False, deadline_seconds: float = 30.0) -> Rendered:
        """See `kit.browser.Browser`."""
        del deadline_seconds
        if isinstance(self.html, Exception):
            raise self.html
        return Rendered(url, self.html, PNG if screenshot else None)


PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (8).to_bytes(4, "big") * 2


async def test_a_page_that_is_only_a_script_is_read_as_a_browser_shows_it(
    enricher: Enricher, make: Maker, web: Web
) -> None:
    viewer = await make.viewer()
    row = await make.bookmark(viewer, {"url": web.url("by-script")})
    html = "<title>Shown</title><main><p>What the script wrote into the page, for whoever waits for it.</p></main>"
    enricher.tools = replace(enricher.tools, browser=Shown(html))
    after = await enricher.enrich(row)
    assert (after.title, after.word_count) == ("Shown", 12)
    away = FetchError(Failure.TIMEOUT, "too slow", url=row.url)
    enricher.tools = replace(enricher.tools, browser=Shown(away))
    other = await make.bookmark(viewer, {"url": web.url("by-script", 2)})
    assert (await enricher.enrich(other)).word_count != 12


async def test_pictures_are_taken_where_there_is_a_browser(enricher: Enricher, make: Maker, web: Web) -> None:
    viewer = await make.viewer()
    row = await make.bookmark(viewer, {"url": web.url("bread")})
    batch = Batch(new_id(), viewer.id, enricher.tools, [Item(1, row.id, 1)])
    assert await screenshots.process(batch) == [Skipped("This server has no browser to take pictures with.")]
    seeing = replace(batch, tools=replace(enricher.tools, browser=Shown("")))
    (outcome,) = await screenshots.process(seeing)
    assert isinstance(outcome, Done)
    assert outcome.write is not None
    async with enricher.database.unit() as unit:
        await outcome.write(unit)
    assert await png_of(enricher.database, viewer, row.id) == PNG
    blind = replace(batch, tools=replace(enricher.tools, browser=Shown(FetchError(Failure.TIMEOUT, "slow", url=""))))
    assert await screenshots.process(blind) == [Failed("No picture could be taken: slow", {"failure": "TIMEOUT"})]
    dead = replace(seeing, earlier={(AgentName.VALIDATION, row.id): {"status": "GONE"}})
    assert await screenshots.process(dead) == [Skipped("The link check found GONE.")]


async def test_a_browser_waits_for_the_turn_of_its_host(enricher: Enricher, make: Maker, web: Web) -> None:
    viewer = await make.viewer()
    row = await make.bookmark(viewer, {"url": web.url("bread", 77)})
    settings = replace(enricher.tools.settings, host_spacing_seconds=40.0)
    tools = replace(enricher.tools, settings=settings, browser=Shown(AssertionError("was asked out of turn")))
    assert await hosts.enter(tools.database, urlsplit(row.url).netloc, new_id(), pace_of(settings)) == 0.0
    (outcome,) = await screenshots.process(Batch(new_id(), viewer.id, tools, [Item(1, row.id, 1)]))
    assert isinstance(outcome, Deferred)
    assert 0 < outcome.seconds <= pace_of(settings).spacing_seconds
