"""The Chromium that renders pages.

A page is opened in a context of its own, without cookies, cache, downloads, permissions or service workers. All that
Chromium sends goes through a proxy of ours (`kit.fetch.GateProxy`), which looks names up and judges every address as
the fetcher does; Chromium itself resolves no name and speaks no UDP. Its User-Agent is Chromium's own with the
fetcher's behind it, so that whoever is asked sees who asks.

The process is started for the first page, ended after `idle_seconds` without one, after `PAGES_OF_A_BROWSER` pages, and
when something in it hangs; one that died is started again.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from types import TracebackType
from typing import Final, Self

from playwright.async_api import Browser as Process
from playwright.async_api import BrowserContext, Page, Playwright, Route, WebSocketRoute, async_playwright
from playwright.async_api import Error as PlaywrightError

from kit.browser.pool import Rendered
from kit.fetch import Failure, Fetcher, FetchError, GateProxy

MAX_HTML_CHARS: Final = 4_000_000
MAX_SCREENSHOT_BYTES: Final = 2_000_000
"""A larger picture is taken again of a smaller window, and at last left out."""

PAGES_OF_A_BROWSER: Final = 200
WINDOWS: Final = ((1280, 800), (960, 600), (640, 400))
"""Sizes of the window in pixels, the first one unless the picture becomes too large."""

_STARTING_SECONDS: Final = 30.0
_CLOSING_SECONDS: Final = 5.0
_QUIET_SECONDS: Final = 5.0
_ARGUMENTS: Final = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--dns-prefetch-disable",
    "--force-webrtc-ip-handling-policy",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--js-flags=--max-old-space-size=256",
    "--mute-audio",
    "--no-first-run",
    "--renderer-process-limit=4",
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
)
_UNSEEN: Final = frozenset({"media", "font", "image"})
_FAILURES: Final = (
    ("ERR_NAME_NOT_RESOLVED", Failure.DNS_NXDOMAIN),
    ("ERR_CONNECTION_REFUSED", Failure.CONNECTION_REFUSED),
    ("ERR_CERT_DATE_INVALID", Failure.TLS_EXPIRED),
    ("ERR_CERT_COMMON_NAME_INVALID", Failure.TLS_HOSTNAME),
    ("ERR_CERT", Failure.TLS_SELF_SIGNED),
    ("ERR_SSL", Failure.TLS_PROTOCOL),
    ("ERR_TUNNEL_CONNECTION_FAILED", Failure.UNREACHABLE),
    ("ERR_PROXY", Failure.UNREACHABLE),
    ("ERR_TIMED_OUT", Failure.TIMEOUT),
    ("Timeout", Failure.TIMEOUT),
    ("ERR_TOO_MANY_REDIRECTS", Failure.TOO_MANY_REDIRECTS),
    ("ERR_CONNECTION", Failure.CONNECTION_RESET),
)


class Chromium:
    """The program at `executable`, `pages` open at once. An async context manager: no process is left at its end."""

    def __init__(self, executable: str, fetcher: Fetcher, *, pages: int = 2, idle_seconds: float = 120.0) -> None:
        self._executable = executable
        self._fetcher = fetcher
        self._free = asyncio.Semaphore(pages)
        self._idle_seconds = idle_seconds
        self._starting = asyncio.Lock()
        self._running: _Running | None = None
        self._resting: asyncio.TimerHandle | None = None
        self._endings: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._resting is not None:
            self._resting.cancel()
        self._replace()
        await asyncio.gather(*self._endings)

    async def render(self, url: str, *, screenshot: bool = False, deadline_seconds: float = 30.0) -> Rendered:
        """Open `url`, wait until it is quiet, and return what it became; the deadline counts from its turn.

        Raises `FetchError`: for what the gate refuses before Chromium is asked, and when the deadline has passed.
        """
        gate = self._fetcher.gate
        await gate.dialable(gate.admit(url))
        async with self._free:
            if self._resting is not None:
                self._resting.cancel()
            try:
                async with asyncio.timeout(deadline_seconds):
                    return await self._render(url, screenshot=screenshot)
            except TimeoutError:
                raise FetchError(Failure.TIMEOUT, "The page was not rendered in time.", url=url) from None
            finally:
                self._resting = asyncio.get_running_loop().call_later(self._idle_seconds, self._rest)

    async def _render(self, url: str, *, screenshot: bool) -> Rendered:
        running = await self._start()
        try:
            return await self._show(running, url, screenshot=screenshot)
        except PlaywrightError as error:
            if running.is_alive():
                raise _failed(error, url) from error
        # Another page has killed the browser, or this one did: the second time it is to blame.
        running = await self._start()
        try:
            return await self._show(running, url, screenshot=screenshot)
        except PlaywrightError as error:
            raise _failed(error, url) from error

    async def _show(self, running: "_Running", url: str, *, screenshot: bool) -> Rendered:
        running.pages += 1
        running.open += 1
        try:
            async with _context(running, screenshot=screenshot) as context:
                page = await context.new_page()
                context.on("page", lambda popup: _spawn_close(popup, page))
                await page.goto(url, wait_until="domcontentloaded", timeout=0)
                with contextlib.suppress(PlaywrightError):
                    await page.wait_for_load_state("networkidle", timeout=_QUIET_SECONDS * 1000)
                if not page.url.startswith(("http://", "https://")):
                    raise FetchError(Failure.UNSUPPORTED_SCHEME, "The page led away from the web.", url=url)
                html = await page.content()
                picture = await _picture(page) if screenshot else None
                return Rendered(page.url, html[:MAX_HTML_CHARS], picture)
        except TimeoutError:  # its context could not be closed: something in it hangs
            self._replace(running)
            raise
        finally:
            running.open -= 1
            if running.pages >= PAGES_OF_A_BROWSER:
                self._replace(running)

    async def _start(self) -> "_Running":
        async with self._starting:
            if self._running is None or not self._running.is_alive():
                self._replace()
                try:
                    self._running = await _Running.start(self._executable, self._fetcher)
                except PlaywrightError as error:
                    raise FetchError(Failure.BAD_RESPONSE, "The browser does not start.", url="") from error
            return self._running

    def _rest(self) -> None:
        if self._running is not None and self._running.open == 0:
            self._replace()

    def _replace(self, ended: "_Running | None" = None) -> None:
        """End the running process, or `ended` if it is still that one; the next page starts another."""
        running = self._running
        if running is None or ended not in {None, running}:
            return
        self._running = None
        ending = asyncio.create_task(running.end())
        self._endings.add(ending)
        ending.add_done_callback(self._endings.discard)


class _Running:
    """A Chromium process, the driver that steers it, and the proxy that it speaks through."""

    def __init__(self, process: Process, user_agent: str, stack: AsyncExitStack) -> None:
        self.process = process
        self.user_agent = user_agent
        self.pages = 0
        self.open = 0
        self._stack = stack

    @classmethod
    async def start(cls, executable: str, fetcher: Fetcher) -> "_Running":
        async with AsyncExitStack() as stack:
            proxy = await stack.enter_async_context(GateProxy(fetcher))
            driver = await async_playwright().start()
            stack.push_async_callback(_stop, driver)
            process = await driver.chromium.launch(
                executable_path=executable,
                args=[*_ARGUMENTS],
                chromium_sandbox=os.geteuid() != 0,  # Chromium refuses to be sandboxed as root
                env={"PATH": os.defpath, "HOME": "/nonexistent", "LANG": "C.UTF-8"},
                handle_sigint=False,
                handle_sigterm=False,
                handle_sighup=False,
                proxy={
                    "server": proxy.url,
                    "bypass": "<-loopback>",
                    "username": proxy.username,
                    "password": proxy.password,
                },
                timeout=_STARTING_SECONDS * 1000,
            )
            user_agent = f"{await _own_user_agent(process)} {fetcher.user_agent}"
            return cls(process, user_agent, stack.pop_all())
        raise AssertionError  # the block above returns or raises

    def is_alive(self) -> bool:
        return self.process.is_connected()

    async def end(self) -> None:
        """Close the process, and its driver with whatever is left of it."""
        with contextlib.suppress(PlaywrightError, TimeoutError):
            await asyncio.wait_for(self.process.close(), _CLOSING_SECONDS)
        await self._stack.aclose()


async def _own_user_agent(process: Process) -> str:
    """Return what Chromium calls itself. Nothing is asked for outside."""
    page = await process.new_page()
    try:
        return str(await page.evaluate("navigator.userAgent"))
    finally:
        await page.close()


async def _stop(driver: Playwright) -> None:
    with contextlib.suppress(PlaywrightError, TimeoutError):
        await asyncio.wait_for(driver.stop(), _CLOSING_SECONDS)


@asynccontextmanager
async def _context(running: _Running, *, screenshot: bool) -> AsyncIterator[BrowserContext]:
    width, height = WINDOWS[0]
    context = await running.process.new_context(
        user_agent=running.user_agent,
        accept_downloads=False,
        permissions=[],
        service_workers="block",
        viewport={"width": width, "height": height},
    )
    try:

        async def decide(route: Route) -> None:
            request = route.request
            is_wanted = request.url.startswith(("http://", "https://")) and request.resource_type != "media"
            if is_wanted and (screenshot or request.resource_type not in _UNSEEN):
                await route.continue_()
            else:
                await route.abort()

        await context.route("**/*", decide)
        await context.route_web_socket("**/*", _refuse)
        yield context
    finally:
        with contextlib.suppress(PlaywrightError):
            await asyncio.wait_for(context.close(), _CLOSING_SECONDS)


async def _refuse(socket: WebSocketRoute) -> None:
    await socket.close()


def _spawn_close(popup: Page, page: Page) -> None:
    if popup is not page:
        _closing.add(task := asyncio.ensure_future(popup.close()))
        task.add_done_callback(_closing.discard)


_closing: set["asyncio.Future[None]"] = set()


async def _picture(page: Page) -> bytes | None:
    for width, height in WINDOWS:
        await page.set_viewport_size({"width": width, "height": height})
        picture = await page.screenshot(type="png", animations="disabled", caret="hide", scale="css", timeout=0)
        if len(picture) <= MAX_SCREENSHOT_BYTES:
            return picture
    return None


def _failed(error: PlaywrightError, url: str) -> FetchError:
    failure = next((found for text, found in _FAILURES if text in error.message), Failure.BAD_RESPONSE)
    return FetchError(failure, "The page could not be rendered.", url=url)
