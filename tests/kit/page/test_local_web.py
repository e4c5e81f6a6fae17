"""The pages of the local web are read as its table says, whatever they do to their reader."""

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from kit.page import Page, PageReader
from tests.fakes.web import SITES, Site, Web
from tests.fakes.web.markup import FOOTER, chosen
from tests.fakes.web.reading import expected

MOST_BYTES = 1_000_000
NUMBER = 7
READABLE = [site for site in SITES if site.reading and site.listens == "http"]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def web() -> AsyncIterator[Web]:
    """A running web."""
    async with Web() as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def reader() -> AsyncIterator[PageReader]:
    """A reader for all pages."""
    async with PageReader() as reading:
        yield reading


async def read(web: Web, reader: PageReader, site: Site) -> Page:
    """Return the page behind an edition, of which no more is taken than is read."""
    body = b""
    async with httpx.AsyncClient(trust_env=False, follow_redirects=True) as client:
        if site.name == "flapping":
            await client.head(web.url(site.name, NUMBER))
        async with client.stream("GET", web.url(site.name, NUMBER)) as answer:
            async for piece in answer.aiter_bytes():
                body += piece
                if len(body) > MOST_BYTES:
                    break
        return await reader.read(
            body[:MOST_BYTES], url=str(answer.url), content_type=answer.headers.get("content-type")
        )


@pytest.mark.parametrize("site", READABLE, ids=lambda site: site.name)
async def test_a_page_is_read_as_it_describes_itself(web: Web, reader: PageReader, site: Site) -> None:
    page = await read(web, reader, site)
    wanted = expected(site, web, NUMBER)
    assert {name: getattr(page, name) for name in wanted} == wanted
    assert site.reading is not None
    assert page.is_script_only is site.reading.is_script_only
    if site.topic is not None:
        wanted_text = chosen(site.topic, NUMBER if site.reading.is_numbered else 0)
        assert not [sentence for sentence in wanted_text if sentence not in page.text]
        assert FOOTER not in page.text
