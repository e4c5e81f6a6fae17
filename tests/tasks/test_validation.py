"""The validation agent against the local web: every page of it, and what becomes of pages over days."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from db.unit import Database
from db.validation import hosts, results
from db.validation.hosts import Pace
from kit.settings import Settings
from services.validation.observing import shared_digest
from tasks.agent import Deferred
from tasks.validation import looking
from tests.fakes.web.server import Web
from tests.fakes.web.site import Site
from tests.fakes.web.table import SITES
from tests.make import Maker
from tests.tasks.links import Checker, checking

CHECKED = [site for site in SITES if site.listens != "trusted"]
"""Whose certificate this process does not trust is tested where it does."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def web() -> AsyncIterator[Web]:
    """The local web."""
    async with Web() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def checker(database: Database, settings: Settings, web: Web) -> AsyncIterator[Checker]:
    """A worker that checks links quickly."""
    web.journal.clear()
    web.switches.clear()
    async with checking(database, settings) as worker:
        yield worker


async def found_at(checker: Checker, make: Maker, web: Web, site: Site) -> tuple[object, ...]:
    """Check an edition of a page and return what is known of it."""
    row = await make.bookmark(await make.viewer(), {"url": web.url(site.name, 3)})
    await checker.recorded(row)
    known = await checker.health(row)
    return known.status, known.verdict, known.http_status, known.final_url, known.detail


async def test_every_page_of_the_web_is_judged_as_declared(
    checker: Checker, make: Maker, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "HEAD_SECONDS", 2.0)
    monkeypatch.setattr(looking, "GET_SECONDS", 5.0)
    turns = asyncio.Semaphore(16)

    async def judge(site: Site) -> tuple[str, object, object]:
        async with turns:
            status, verdict, http_status, final_url, detail = await found_at(checker, make, web, site)
        wanted = site.check
        is_right = (status, verdict) == (wanted.status, wanted.verdict)
        is_right &= wanted.http_status is None or http_status == wanted.http_status
        if wanted.final is not None:
            is_right &= str(final_url).partition("?")[0].endswith(wanted.final)
        return site.name, None if is_right else (status, verdict, http_status, final_url, detail), wanted

    told = await asyncio.gather(*(judge(site) for site in CHECKED))
    assert [one for one in told if one[1] is not None] == []
    assert len(told) > 90


async def test_a_check_whose_worker_died_takes_its_own_place_again(checker: Checker, make: Maker, web: Web) -> None:
    """Neither its claim on the address nor its place at the host stands in its way; those of others do."""
    row, other = [await make.bookmark(await make.viewer(), {"url": web.url("bread", 9)}) for _ in range(2)]
    digest = shared_digest(row.url, row.owner_id)
    for _ in range(2):  # a check began and died twice, at a host that may be asked once at a time
        await results.claim(checker.database, digest, row.id, fresh_seconds=0, lease_seconds=300)
        pace = Pace(concurrency=1, spacing_seconds=0, lease_seconds=300)
        assert await hosts.enter(checker.database, urlsplit(row.url).netloc, row.id, pace) == 0
    assert isinstance(await checker.check(other), Deferred)
    assert (await checker.recorded(row))["status"] == "OK"
    assert (await checker.recorded(other))["status"] == "OK"
