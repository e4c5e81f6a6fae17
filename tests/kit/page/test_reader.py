"""The processes that read pages: they die, and nobody notices but the page itself."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator

import psutil
import pytest

from kit.page import MAX_BODY_BYTES, Page, PageReader, PageUnreadable, ReaderBusy
from kit.page import reader as reader_module

URL = "https://site.example/"
GOOD = b"<title>Good</title><p>A page that can be read."


@pytest.fixture
async def reader() -> AsyncIterator[PageReader]:
    """A reader with one process."""
    async with PageReader() as one:
        yield one


async def read(reader: PageReader, body: bytes = GOOD, seconds: float = 20.0) -> Page:
    """Read a page."""
    return await reader.read(body, url=URL, content_type="text/html", deadline_seconds=seconds)


def children() -> list[psutil.Process]:
    """Return the processes that read pages for this one."""
    return [one for one in psutil.Process().children() if "kit.page.child" in one.cmdline()]


async def test_a_page_is_read_as_in_this_process(reader: PageReader) -> None:
    page = await read(reader)
    assert (page.title, page.text, page.word_count) == ("Good", "A page that can be read.", 6)
    assert page.published_at is None
    assert page.keywords == ()


async def test_one_process_reads_many_pages_and_is_replaced_in_time(
    reader: PageReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader_module, "PAGES_OF_A_CHILD", 3)
    seen = []
    for _ in range(4):
        assert (await read(reader)).title == "Good"
        seen += [one.pid for one in children()]
    assert len(seen) == 3  # after the third page it is gone already
    assert seen[0] == seen[1] != seen[2]


async def test_a_process_that_is_killed_costs_its_page_and_no_other(reader: PageReader) -> None:
    await read(reader)
    (victim,) = children()
    victim.suspend()
    reading = asyncio.create_task(read(reader))
    os.kill(victim.pid, signal.SIGKILL)
    with pytest.raises(PageUnreadable, match="killed its reader"):
        await reading
    assert (await read(reader)).title == "Good"


async def test_a_page_that_takes_too_long_is_ended_at_its_deadline(
    reader: PageReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader_module, "_GRACE_SECONDS", 0.0)
    await read(reader)
    (victim,) = children()
    victim.suspend()
    with pytest.raises(PageUnreadable, match="too long"):
        await read(reader, seconds=0.1)
    assert not victim.is_running()
    assert (await read(reader)).title == "Good"


async def test_whoever_gives_up_waiting_leaves_no_process_in_an_unknown_state(reader: PageReader) -> None:
    await read(reader)
    (victim,) = children()
    victim.suspend()
    reading = asyncio.create_task(read(reader))
    await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert not victim.is_running()
    assert (await read(reader)).title == "Good"


async def test_memory_has_a_bound() -> None:
    async with PageReader(memory_megabytes=100) as small:
        with pytest.raises(ReaderBusy):
            await read(small)
        assert children() == []


async def test_waiting_has_a_bound() -> None:
    async with PageReader(max_waiting=2) as narrow:
        first, second = asyncio.create_task(read(narrow)), asyncio.create_task(read(narrow))
        await asyncio.sleep(0)
        with pytest.raises(ReaderBusy):
            await read(narrow)
        assert [(await first).title, (await second).title] == ["Good", "Good"]


async def test_a_very_long_body_is_read_to_its_bound(reader: PageReader) -> None:
    page = await read(reader, b"<title>Long</title><pre>" + b"word " * 2_000_000, seconds=60)
    assert page.title == "Long"
    assert page.word_count <= MAX_BODY_BYTES // 5
    assert len(page.text) == 100_000


async def test_no_process_is_left_behind() -> None:
    async with PageReader(processes=2) as two:
        await asyncio.gather(read(two), read(two))
        assert len(children()) == 2
    assert children() == []


async def test_a_reader_that_is_closed_while_it_reads_ends_quietly() -> None:
    async with PageReader() as reader:
        await read(reader)
        (child,) = children()
        child.suspend()
        reading = asyncio.create_task(read(reader))
        await asyncio.sleep(0)  # the page is handed over; no answer will come
    with pytest.raises(PageUnreadable):
        await reading
    assert not children()
