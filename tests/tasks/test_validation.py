"""The validation agent against the local web: every page of it, and what becomes of pages over days."""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import count, pairwise
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest
import pytest_asyncio

from db.bookmarks import BookmarkRow
from db.unit import Database
from db.validation import hosts, results
from db.validation.hosts import Pace
from kit.clock import utcnow
from kit.fetch import Fetcher, Response
from kit.ids import new_id
from kit.settings import Settings
from services.validation.observing import shared_digest
from tasks.agent import Deferred, Done, Skipped
from tasks.validation import looking
from tasks.validation.checking import claim_of
from tasks.validation.visits import HostClosedError, Visits, pace_of
from tests.fakes.web.server import Web
from tests.fakes.web.site import Site
from tests.fakes.web.table import SITES
from tests.make import Maker
from tests.tasks.links import Checker, checking, later

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
    claim = claim_of(checker.task_id, row.id)
    for _ in range(2):  # a check began and died twice, at a host that may be asked once at a time
        await results.claim(checker.database, digest, claim, fresh_seconds=0, lease_seconds=300)
        pace = Pace(concurrency=1, spacing_seconds=0, lease_seconds=300)
        assert await hosts.enter(checker.database, urlsplit(row.url).netloc, claim, pace) == 0
    assert isinstance(await checker.check(other), Deferred)
    assert (await checker.recorded(row))["status"] == "OK"
    assert (await checker.recorded(other))["status"] == "OK"


async def test_a_permanent_redirect_is_offered_after_two_checks(checker: Checker, make: Maker, web: Web) -> None:
    row = await make.bookmark(await make.viewer(), {"url": web.url("moved-301", 1)})
    await checker.recorded(row)
    assert (await checker.health(row)).permanent_url is None
    await later(checker.database, 8)
    await checker.recorded(row)
    known = await checker.health(row)
    assert known.permanent_url == web.url("moved-301", 1, path="/new/place")
    assert (known.status, known.streak, known.content_state) == ("REDIRECTED_PERMANENT", 2, "UNCHANGED")


@pytest.mark.parametrize(("switch", "content"), [("replaced", "REPLACED"), ("emptied", "EMPTIED"), ("", "UNCHANGED")])
async def test_what_became_of_a_page(checker: Checker, make: Maker, web: Web, switch: str, content: str) -> None:
    row = await make.bookmark(await make.viewer(), {"url": web.url("switched", 2)})
    await checker.recorded(row)
    web.switches["/switched"] = switch
    await later(checker.database, 8)
    await checker.recorded(row)
    known = await checker.health(row)
    assert (known.content_state, known.status, known.verdict) == (content, "OK", "ALIVE")


async def test_a_page_dies_over_days_and_comes_back(checker: Checker, make: Maker, web: Web) -> None:
    row = await make.bookmark(await make.viewer(), {"url": web.url("switched", 4)})
    web.switches["/switched"] = "404"
    verdicts = []
    for days in (0, 1, 3, 3):
        await later(checker.database, days)
        verdicts.append((await checker.recorded(row))["verdict"])
    web.switches["/switched"] = ""
    await later(checker.database, 30)
    verdicts.append((await checker.recorded(row))["verdict"])
    assert verdicts == ["SUSPECT", "SUSPECT", "SUSPECT", "DEAD", "ALIVE"]
    known = await checker.health(row)
    assert (known.failures, known.strikes) == (0, 0)


async def test_an_unchanged_page_is_not_sent_again(checker: Checker, make: Maker, web: Web) -> None:
    row = await make.bookmark(await make.viewer(), {"url": web.url("conditional", 5)})
    await checker.recorded(row)
    host = web.host("conditional")
    first = [one.method for one in web.journal.of(host)]
    before = await checker.health(row)
    web.journal.clear()
    await later(checker.database, 8)
    await checker.recorded(row)
    (asked,) = web.journal.of(host)
    sent = {name.lower() for name in asked.headers}
    after = await checker.health(row)
    assert (first[:2], asked.method) == (["HEAD", "GET"], "HEAD")
    assert sent & {"if-none-match", "if-modified-since"}
    assert (after.status, after.http_status, after.content_state) == ("OK", 200, "UNCHANGED")
    assert (after.etag, after.content_digest, after.streak) == (before.etag, before.content_digest, 2)


@pytest.mark.parametrize("name", ["status-429", "status-429-date"])
async def test_a_host_that_asks_for_patience_is_left_alone_also_after_a_restart(
    database: Database, settings: Settings, make: Maker, web: Web, name: str
) -> None:
    viewer = await make.viewer()
    first, second = [await make.bookmark(viewer, {"url": web.url(name, number)}) for number in (11, 12)]
    async with checking(database, settings) as worker:
        await worker.recorded(first)
    asked = len(web.journal.of(web.host(name)))
    async with checking(database, settings) as restarted:
        data = await restarted.recorded(second)
    assert len(web.journal.of(web.host(name))) == asked
    assert (data["status"], data["verdict"], data["httpStatus"]) == ("RATE_LIMITED", "INCONCLUSIVE", 429)
    await later(database, 0.05)
    async with checking(database, settings) as restarted:
        await restarted.recorded(second)
    assert len(web.journal.of(web.host(name))) > asked


async def test_a_check_stops_where_another_was_told_to_come_later(checker: Checker, web: Web) -> None:
    host = f"{web.host('bread')}:{web.ports['http']}"
    async with Visits(checker.tools.fetcher, checker.database, pace_of(checker.tools.settings)) as visits:
        url = web.url("bread", 61)
        await visits.walk(url, method="HEAD", headers={}, deadline_seconds=5.0)
        await hosts.leave(checker.database, host, new_id(), not_before=utcnow() + timedelta(hours=2))
        with pytest.raises(HostClosedError) as closed:
            await visits.walk(url, method="GET", headers={}, deadline_seconds=5.0)
        assert 7_100 < closed.value.seconds <= 7_200
    assert await checker.database.fetchval("SELECT in_flight FROM hosts") == {}


async def test_an_address_is_asked_once_for_all_who_keep_it(
    database: Database, settings: Settings, make: Maker, web: Web
) -> None:
    url = web.url("mirror", 21)
    ada, bob, eve = [await make.bookmark(await make.viewer(), {"url": url}) for _ in range(3)]
    web.journal.clear()
    async with checking(database, settings, link_check_shared_seconds=3_600.0) as worker:
        outcomes = await asyncio.gather(worker.check(ada), worker.check(bob))
        assert sorted(type(one).__name__ for one in outcomes) == ["Deferred", "Done"]
        for row in (ada, bob, eve):
            await worker.recorded(row)
            known = await worker.health(row)
            assert (known.status, known.verdict, known.content_words is not None) == ("OK", "ALIVE", True)
            assert known.checked_at >= row.created_at  # nobody learns when others checked
        assert [one.method for one in web.journal.of(web.host("mirror"))] == ["HEAD", "GET"]
        await worker.recorded(ada)
        assert (await worker.health(ada)).streak == 1
    assert await database.fetchval("SELECT count(*) FROM link_checks") == 3


async def patiently(worker: Checker, row: BookmarkRow) -> None:
    """Check a link, again and again while it is put off."""
    outcome = await worker.check(row)
    while isinstance(outcome, Deferred):
        await asyncio.sleep(outcome.seconds)
        outcome = await worker.check(row)
    assert isinstance(outcome, Done)


async def test_hosts_are_asked_in_turn(database: Database, settings: Settings, make: Maker, web: Web) -> None:
    viewer = await make.viewer()
    rows = [await make.bookmark(viewer, {"url": web.url("stairs", number)}) for number in range(31, 33)]
    rows += [await make.bookmark(viewer, {"url": web.url("mirror", number)}) for number in range(31, 37)]
    web.journal.clear()
    async with (
        checking(database, settings, host_spacing_seconds=0.1) as one,
        checking(database, settings, host_spacing_seconds=0.1) as other,
    ):
        await asyncio.gather(*(patiently((one, other)[number % 2], row) for number, row in enumerate(rows)))
    assert web.journal.count() >= 2 * 11 + 6 * 2
    assert web.journal.most_in_flight() <= 2
    for site in ("stairs", "mirror"):  # so short a spacing is kept on average
        moments = [one.at for one in web.journal.of(web.host(site))]
        assert max(moments) - min(moments) >= 0.1 * (len(moments) - 1)


async def test_a_late_process_keeps_the_spacing(
    database: Database, settings: Settings, make: Maker, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between a turn and its request anything may take its time: no two requests begin closer than is promised."""
    spacing, began = 0.5, []
    viewer, chance = await make.viewer(), random.Random(7)
    rows = [await make.bookmark(viewer, {"url": web.url("mirror", number)}) for number in range(61, 65)]
    fetch, use = Fetcher.fetch, Visits.use_turn

    async def fetch_late(fetcher: Fetcher, *given: Any, **more: Any) -> Response:
        await asyncio.sleep(chance.uniform(0, 2 * spacing))  # as where names are looked up for long
        return await fetch(fetcher, *given, **more)

    async def use_and_note(visits: Visits, host: str) -> None:
        await use(visits, host)
        began.append(time.monotonic())

    monkeypatch.setattr(Fetcher, "fetch", fetch_late)
    monkeypatch.setattr(Visits, "use_turn", use_and_note)
    async with (
        checking(database, settings, host_spacing_seconds=spacing) as one,
        checking(database, settings, host_spacing_seconds=spacing) as other,
    ):
        await asyncio.gather(*(patiently((one, other)[number % 2], row) for number, row in enumerate(rows)))
    assert len(began) >= 2 * len(rows)
    assert min(second - first for first, second in pairwise(sorted(began))) >= spacing


async def test_a_request_that_a_connection_lost_has_a_turn_of_its_own(database: Database, settings: Settings) -> None:
    """A server that closes instead of answering on a connection that waited is asked again, no sooner than others."""
    spacing, came = 0.5, []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(EOFError, OSError):
            for number in count():
                await reader.readuntil(b"\r\n\r\n")
                came.append(time.monotonic())
                if number:
                    break
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    async with server, checking(database, settings, host_spacing_seconds=spacing) as worker:
        tools = worker.tools
        async with Visits(tools.fetcher, tools.database, pace_of(tools.settings)) as visits:
            for _ in range(2):
                assert (await visits.walk(url, method="GET", headers={}, deadline_seconds=10)).body == b"ok"
    assert len(came) == 3
    assert min(second - first for first, second in pairwise(came)) > spacing * 0.9  # how late each of them came here


async def test_a_link_waits_for_its_turn_elsewhere(
    database: Database, settings: Settings, make: Maker, web: Web
) -> None:
    viewer = await make.viewer()
    rows = [await make.bookmark(viewer, {"url": web.url("mirror", number)}) for number in (41, 42)]
    async with checking(database, settings, host_spacing_seconds=40.0) as worker:
        await visits_of(worker, web.host("mirror"), web)
        outcome = await worker.check(rows[0])
        assert isinstance(outcome, Deferred)
        assert 0 < outcome.seconds <= pace_of(worker.tools.settings).spacing_seconds
    assert await database.fetchval("SELECT count(*) FROM fetch_results WHERE claim IS NOT NULL") == 0


async def visits_of(worker: Checker, host: str, web: Web) -> None:
    """Let somebody have asked a host a moment ago."""
    pace = Pace(concurrency=2, spacing_seconds=worker.tools.settings.host_spacing_seconds)
    assert await hosts.enter(worker.database, f"{host}:{web.ports['http']}", new_id(), pace) == 0.0


async def test_a_bookmark_that_is_gone_is_skipped(checker: Checker, make: Maker) -> None:
    row = await make.trashed(await make.viewer())
    outcome = await checker.check(row)
    assert isinstance(outcome, Skipped)


async def test_an_archived_copy_of_a_broken_link_is_looked_for(
    database: Database, settings: Settings, make: Maker, web: Web
) -> None:
    asked: list[str] = []

    async def archive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readuntil(b"\r\n\r\n")).decode().split()[1])
        copy = {"available": True, "url": "http://web.archive.org/web/2019/http://example.org/", "status": "200"}
        body = orjson.dumps({"archived_snapshots": {"closest": copy}})
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
        writer.close()

    viewer = await make.viewer()
    broken, good = [await make.bookmark(viewer, {"url": web.url(name, 51)}) for name in ("status-404", "mirror")]
    server = await asyncio.start_server(archive, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, checking(database, settings, archive_url=f"http://127.0.0.1:{port}/available") as worker:
        for row in (broken, good):
            await worker.recorded(row)
        known = await worker.health(broken)
        assert known.archive_url == "https://web.archive.org/web/2019/http://example.org/"
        assert (await worker.health(good)).archive_url is None
        await later(database, 4)
        await worker.recorded(broken)
    (target,) = asked
    assert target.startswith("/available?url=http%3A%2F%2F127.")
    assert f"timestamp={broken.added_at:%Y%m%d%H%M%S}" in target
    async with checking(database, settings, archive_url=f"http://127.0.0.1:{port}/available") as worker:
        await later(database, 40)
        await worker.recorded(broken)  # nobody listens there any more, which disturbs nothing
        assert (await worker.health(broken)).archive_url == known.archive_url


async def test_pages_that_are_checked_at_the_same_time_are_both_told_from_error_pages(
    checker: Checker, make: Maker, web: Web
) -> None:
    """Neither relies on a probe that the other has only begun, as one would whose worker dies."""
    viewer = await make.viewer()
    rows = [await make.bookmark(viewer, {"url": web.url("soft-same", number)}) for number in range(1, 7)]
    told = await asyncio.gather(*(checker.recorded(row) for row in rows))
    assert [one["status"] for one in told] == ["SOFT_404"] * len(rows)
