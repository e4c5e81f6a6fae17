"""The browser: what it renders, what it cannot reach, and that nothing a page does ends it for others."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from ipaddress import ip_network
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

from kit.browser import OFF, find_chromium
from kit.browser.chromium import MAX_SCREENSHOT_BYTES, WINDOWS, Chromium
from kit.fetch import Failure, Fetcher, FetchError
from services.screenshots import picture_of
from tests.fakes.pages import serving
from tests.needs import missing

PAGES: dict[str, str | tuple[str, str]] = {
    "/script": "<title>x</title><div id=root></div><script>document.title='Made';root.innerText='by script'</script>",
    "/alert": "<title>x</title><script>alert(1)</script><p>after",
    "/file": "<title>x</title><script>location='file:///etc/passwd'</script><iframe src='file:///etc/passwd'></iframe>",
    "/inward": "<title>x</title><script>fetch('http://169.254.169.254/').then(() => document.title = 'reached')"
    ".catch(() => document.title = 'refused')</script>",
    "/socket": "<title>x</title><script>const s = new WebSocket('ws://169.254.169.254/');"
    "s.onopen = () => document.title = 'reached'; s.onclose = () => document.title = 'closed'</script>",
    "/cookie": "<title>x</title><script>document.title = document.cookie || 'none'; document.cookie = 'a=b'</script>",
    "/loop": "<title>x</title><script>while (true) {}</script>",
    "/download": ("Content-Type: application/zip\r\nContent-Disposition: attachment", "PK"),
}
DEADLINE = 60.0


def chromium() -> str:
    """Return the browser of this machine, or skip."""
    found = find_chromium(None)
    if found is None:
        missing("browser", "no Chromium is on PATH")
    return found


def processes() -> set[int]:
    """Return what runs below this process."""
    return {process.pid for process in psutil.Process().children(recursive=True)}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def origin() -> AsyncIterator[str]:
    """Where the pages are."""
    async with serving(PAGES) as where:
        yield where


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def browser() -> AsyncIterator[Chromium]:
    """A browser that reaches this machine's loopback and nothing else of the private world."""
    async with (
        Fetcher(user_agent="Graphmark/tests", allow=[ip_network("127.0.0.0/8")]) as fetcher,
        Chromium(chromium(), fetcher, pages=2) as running,
    ):
        yield running


def test_a_browser_is_found_where_it_is_said_to_be(tmp_path: Path) -> None:
    program = tmp_path / "my-browser"
    program.touch(mode=0o755)
    assert find_chromium(str(program)) == str(program)
    assert find_chromium(str(tmp_path / "none")) is None
    assert find_chromium(OFF) is None


@pytest.mark.browser
async def test_a_page_is_shown_as_its_script_makes_it(browser: Chromium, origin: str) -> None:
    shown = await browser.render(f"{origin}/script", screenshot=True, deadline_seconds=DEADLINE)
    assert shown.url == f"{origin}/script"
    assert "<title>Made</title>" in shown.html
    assert ">by script</div>" in shown.html
    assert shown.screenshot is not None
    assert len(shown.screenshot) <= MAX_SCREENSHOT_BYTES
    picture = picture_of(shown.screenshot)
    assert (picture.width, picture.height) == WINDOWS[0]


@pytest.mark.browser
@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("/alert", "<p>after</p>"),
        ("/inward", "<title>refused</title>"),
        ("/socket", "<title>closed</title>"),
        ("/cookie", "<title>none</title>"),
    ],
)
async def test_what_a_page_may_not_do(browser: Chromium, origin: str, path: str, wanted: str) -> None:
    for _ in range(2):
        shown = await browser.render(origin + path, deadline_seconds=DEADLINE)
        assert wanted in shown.html
        assert shown.screenshot is None


@pytest.mark.browser
async def test_whoever_is_asked_sees_who_asks(browser: Chromium) -> None:
    """The page itself, and what it asks for in turn, by the name that the fetcher goes by too."""
    asked: dict[str, str] = {}

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.partition(": ")[::2] for line in lines)
        asked[first.split(" ")[1]] = headers["User-Agent"]
        body = b"<script>fetch('/next').then(() => document.title = navigator.userAgent)</script>"
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n" + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        shown = await browser.render(f"{origin}/", deadline_seconds=DEADLINE)
    assert set(asked) >= {"/", "/next"}
    for told in asked.values():
        assert told.startswith("Mozilla/5.0 ")
        assert told.endswith(" Graphmark/tests")
    assert f"<title>{asked['/']}</title>" in shown.html


@pytest.mark.browser
async def test_no_file_of_this_machine_is_shown(browser: Chromium, origin: str) -> None:
    shown = await browser.render(f"{origin}/file", deadline_seconds=DEADLINE)
    assert shown.url.startswith(origin)
    assert "root:" not in shown.html


@pytest.mark.browser
@pytest.mark.parametrize(
    ("url", "failure"),
    [
        ("http://10.0.0.1/", Failure.BLOCKED_PRIVATE),
        ("file:///etc/passwd", Failure.UNSUPPORTED_SCHEME),
        ("javascript:alert(1)", Failure.UNSUPPORTED_SCHEME),
    ],
)
async def test_the_gate_refuses_before_the_browser_is_asked(browser: Chromium, url: str, failure: Failure) -> None:
    with pytest.raises(FetchError) as refused:
        await browser.render(url, deadline_seconds=DEADLINE)
    assert refused.value.failure is failure


@pytest.mark.browser
async def test_a_page_that_never_ends_is_ended_and_the_next_is_shown(browser: Chromium, origin: str) -> None:
    with pytest.raises(FetchError) as ended:
        await browser.render(f"{origin}/loop", deadline_seconds=5.0)
    assert ended.value.failure is Failure.TIMEOUT
    with pytest.raises(FetchError):
        await browser.render(f"{origin}/download", deadline_seconds=DEADLINE)
    assert "by script" in (await browser.render(f"{origin}/script", deadline_seconds=DEADLINE)).html


@pytest.mark.browser
async def test_a_browser_that_died_is_started_again(browser: Chromium, origin: str) -> None:
    await browser.render(f"{origin}/script", deadline_seconds=DEADLINE)
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):  # it may end before it is looked at
            if "--remote-debugging-pipe" in process.cmdline():
                process.kill()
    assert "by script" in (await browser.render(f"{origin}/script", deadline_seconds=DEADLINE)).html


@pytest.mark.browser
async def test_no_process_is_left_behind(origin: str) -> None:
    async with Fetcher(user_agent="Graphmark/tests", allow=[ip_network("127.0.0.0/8")]) as fetcher:
        before = processes()
        async with Chromium(chromium(), fetcher) as own:
            await own.render(f"{origin}/script", deadline_seconds=DEADLINE)
            started = processes() - before
            assert started
        assert not processes() & started
