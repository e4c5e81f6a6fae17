"""The local web behaves as its table says."""

import asyncio
import html
import ssl
from collections.abc import AsyncIterator
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from tests.fakes.web import BY_NAME, SITES, Addresses, Site, Web
from tests.fakes.web.library import Library
from tests.fakes.web.markup import chosen, numbered
from tests.fakes.web.process import web_process
from tests.fakes.web.site import host_of, index_of
from tests.fakes.web.topics import TOPICS, Topic

READABLE = [
    site
    for site in SITES
    if site.reading
    and site.listens == "http"
    and site.name not in {"gzip-bomb", "endless", "charset-meta", "charset-lies"}
]
STATUS = [site for site in SITES if site.name.startswith(("status-", "bot-")) or site.name in {"parked", "empty"}]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def web() -> AsyncIterator[Web]:
    """A running web."""
    async with Web() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who asks, and follows only what it is told to."""
    async with httpx.AsyncClient(timeout=10, trust_env=False) as asking:
        yield asking


def test_the_table_is_large_and_without_doubles() -> None:
    assert len(SITES) >= 60
    assert len(BY_NAME) == len(SITES)
    assert {site.topic.language for site in SITES if site.topic} == {"en", "de", "fr", "es", "ru", "ja", "zh", "ar"}
    assert {site.name: index_of(host_of(index, 300)) for index, site in BY_NAME.values()} == {
        site.name: index for index, site in BY_NAME.values()
    }


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_editions_differ_in_words(topic: Topic) -> None:
    assert len({tuple(chosen(topic, number)) for number in range(200)}) == 200


@pytest.mark.parametrize("site", READABLE, ids=lambda site: site.name)
async def test_a_readable_page_shows_its_title(web: Web, client: httpx.AsyncClient, site: Site) -> None:
    url = web.url(site.name, 7)
    if site.name == "flapping":
        assert (await client.get(url)).status_code == 503
    answer = await client.get(url, follow_redirects=True)
    assert answer.status_code == 200
    assert site.reading is not None
    assert site.reading.title is not None
    shown = numbered(site.reading.title, 7 if site.reading.is_numbered else 0)
    assert shown.split(" (")[0] in html.unescape(answer.content.decode(errors="replace"))


@pytest.mark.parametrize("site", STATUS, ids=lambda site: site.name)
async def test_a_page_answers_with_its_status(web: Web, client: httpx.AsyncClient, site: Site) -> None:
    answers = [await client.request(method, web.url(site.name)) for method in ("HEAD", "GET")]
    assert [answer.status_code for answer in answers] == [site.check.http_status] * 2
    assert answers[0].content == b""


async def test_redirects_lead_where_the_table_says(web: Web, client: httpx.AsyncClient) -> None:
    for site in SITES:
        if site.check.final and site.check.http_status == 200:
            answer = await client.get(web.url(site.name, 3), follow_redirects=True)
            assert (answer.status_code, answer.url.path) == (200, site.check.final), site.name
    for name in ("loop", "stairs"):
        with pytest.raises(httpx.TooManyRedirects):
            await client.get(web.url(name), follow_redirects=True)


async def test_heads_are_refused_or_left_waiting(web: Web, client: httpx.AsyncClient) -> None:
    for status in (405, 404, 403, 501):
        assert (await client.head(web.url(f"head-{status}"))).status_code == status
    with pytest.raises(httpx.ReadTimeout):
        await client.head(web.url("head-hangs"), timeout=0.2)


async def test_patience_is_asked_for_in_seconds_or_until_a_date(web: Web, client: httpx.AsyncClient) -> None:
    assert (await client.get(web.url("status-429"))).headers["retry-after"] == "3600"
    answer = await client.get(web.url("status-429-date"))
    wait = parsedate_to_datetime(answer.headers["retry-after"]) - parsedate_to_datetime(
        (await client.get(web.url("status-429-date"))).headers["retry-after"]
    )
    assert abs(wait.total_seconds()) <= 5


async def test_what_is_broken_breaks(web: Web, client: httpx.AsyncClient) -> None:
    for name in ("reset-midway", "reset-at-once", "bad-header", "no-http", "huge-headers", "bad-gzip"):
        with pytest.raises((httpx.TransportError, httpx.DecodingError)):
            await client.get(web.url(name))
    for name in ("silent", "slow-loris"):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.get(web.url(name)), 0.5)


@pytest.mark.parametrize("name", ["gzip-bomb", "endless"])
async def test_what_is_too_much_does_not_end(web: Web, client: httpx.AsyncClient, name: str) -> None:
    taken = 0
    async with client.stream("GET", web.url(name)) as answer:
        async for piece in answer.aiter_bytes():
            taken += len(piece)
            if taken > 20_000_000:
                break
    assert taken > 20_000_000


async def test_an_unchanged_page_says_so(web: Web, client: httpx.AsyncClient) -> None:
    first = await client.get(web.url("conditional", 4))
    again = await client.get(web.url("conditional", 4), headers={"If-None-Match": first.headers["etag"]})
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
    part = await client.get(web.url("ranges"), headers={"Range": "bytes=0-99"})
    assert (part.status_code, len(part.content)) == (206, 100)


async def test_encrypted_pages_are_right_or_wrong(web: Web) -> None:
    trusting = ssl.create_default_context(cafile=str(web.authority))
    async with httpx.AsyncClient(verify=trusting, trust_env=False, timeout=10) as client:
        assert (await client.get(web.url("tls-trusted"))).status_code == 200
        for name, complaint in (
            ("tls-expired", "expired"),
            ("tls-self-signed", "self-signed"),
            ("tls-hostname", "mismatch"),
            ("tls-none", "SSL"),
            ("closed", "All connection attempts failed"),
        ):
            with pytest.raises(httpx.ConnectError, match=complaint):
                await client.get(web.url(name))


async def test_the_journal_tells_who_was_asked_and_how_politely(client: httpx.AsyncClient) -> None:
    async with Web(delay_seconds=0.05) as web:
        await asyncio.gather(*(client.get(web.url("bread", number)) for number in range(1, 4)))
        await client.get(web.url("bread", copy=2))
        host = web.host("bread")
        assert [one.target for one in web.journal.of(host)] == [f"/articles/bread?n={number}" for number in (1, 2, 3)]
        assert web.journal.most_in_flight() == 3
        assert web.journal.shortest_gap_seconds() < 0.05
        assert (web.journal.count(), web.journal.count("HEAD")) == (4, 0)
        assert web.journal.times()[web.host("bread", 2), "GET", "/articles/bread"] == 1


async def test_it_runs_in_a_process_of_its_own(client: httpx.AsyncClient, tmp_path: Path) -> None:
    async with web_process(tmp_path) as web:
        assert (await client.get(web.url("switched"))).status_code == 200
        await web.switch(switched="410")
        assert (await client.get(web.url("switched"))).status_code == 410
        journal = await web.journal()
        assert journal.times() == {(web.host("switched"), "GET", "/switched"): 2}
        await web.forget()
        assert (await web.journal()).count() == 0


@pytest.mark.parametrize("bookmarks", [150, 600, 5_000])
def test_a_library_has_its_size_and_every_page(bookmarks: int) -> None:
    library, web = Library(bookmarks), Addresses(dict.fromkeys({site.listens for site in SITES}, 80))
    urls = {entry.url(web) for entry in library.entries}
    assert len(library) == len(urls) == bookmarks
    assert {entry.site.name for entry in library.entries} == {site.name for site in SITES if site.share}
    assert library.file(web).count("<DT><A ") == bookmarks
    assert library.counts("verdict").keys() == {"ALIVE", "SUSPECT", "INCONCLUSIVE"}
    assert Library(bookmarks).file(web) == library.file(web)
