"""A headless Chromium, driven over its DevTools protocol.

Only what the tests need: open a page, wait for something in it, click, type, choose a file, take a picture. The
protocol: https://chromedevtools.github.io/devtools-protocol/
"""

import asyncio
import base64
import itertools
import json
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

START_SECONDS = 30.0
WAIT_SECONDS = 30.0
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-default-apps",
    "--window-size=1400,900", "--remote-debugging-port=0",
)  # fmt: skip
_CONTROL = 2  # the modifier's bit in the protocol
_MESSAGE_BYTES = 64 * 1024 * 1024  # a screenshot is one message


class PageError(AssertionError):
    """The page did not do what it should have."""


@dataclass
class Page:
    """One tab. `requested` and `complaints` grow while it is used."""

    socket: ClientConnection
    requested: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    _waiting: dict[int, asyncio.Future[dict[str, Any]]] = field(default_factory=dict)

    async def call(self, method: str, *, patience: float = WAIT_SECONDS, **parameters: Any) -> dict[str, Any]:
        """Send one command and return its result, waiting at most `patience` seconds."""
        number = next(self._numbers)
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        await self.socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        return await asyncio.wait_for(answer, patience)

    async def listen(self) -> None:
        """Take in answers and events until the socket closes."""
        async for text in self.socket:
            message = json.loads(text)
            answer = self._waiting.pop(message.get("id", 0), None)
            if answer is None:
                self._note(message.get("method", ""), message.get("params", {}))
            elif "error" in message:
                answer.set_exception(PageError(str(message["error"])))
            elif not answer.done():
                answer.set_result(message["result"])

    def _note(self, event: str, told: dict[str, Any]) -> None:
        if event == "Network.requestWillBeSent":
            self.requested.append(told["request"]["url"])
        elif event == "Network.webSocketCreated":
            self.requested.append(told["url"])
        elif event == "Runtime.exceptionThrown":
            self.complaints.append(str(told["exceptionDetails"].get("exception", told)))
        elif event == "Log.entryAdded" and told["entry"]["source"] in {"security", "violation", "javascript"}:
            self.complaints.append(told["entry"]["text"])

    async def open(self, url: str) -> None:
        """Go to `url`."""
        for domain in ("Page", "Network", "Runtime", "Log", "DOM"):
            await self.call(f"{domain}.enable")
        await self.call("Page.navigate", url=url)

    async def evaluate(self, expression: str, *, patience: float = WAIT_SECONDS) -> Any:
        """Return the value of a JavaScript expression; a promise is awaited."""
        result = await self.call(
            "Runtime.evaluate", patience=patience, expression=expression, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in result:
            raise PageError(f"{expression}: {result['exceptionDetails']}")
        return result["result"].get("value")

    async def until(self, condition: str, *, seconds: float = WAIT_SECONDS) -> Any:
        """Return the first truthy value of `condition`; true for one that is an object, such as an element.

        Asks anew when a navigation throws the page away. Raises `PageError` after `seconds`, with what the page shows.
        """
        script = f"""new Promise((done) => {{
            const look = () => {{ let found = null; try {{ found = {condition}; }} catch {{ }}
                if (found) done(typeof found === 'object' ? true : found); else setTimeout(look, 30); }};
            look(); }})"""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    try:
                        return await self.evaluate(script, patience=2 * seconds)
                    except PageError as error:
                        if "navigat" not in str(error) and "context" not in str(error).lower():
                            raise
        except TimeoutError:
            shown = await self.evaluate("document.body.innerText")
            raise PageError(f"{condition} did not come true in {seconds} s; the page shows:\n{shown}") from None

    async def shows(self, selector: str, text: str, *, seconds: float = WAIT_SECONDS) -> str:
        """Wait until the text of `selector` contains `text`, and return all of it on one line.

        White space is not compared: an editor breaks long lines wherever its window ends.
        """
        read = f"document.querySelector({json.dumps(selector)}).innerText.replace(/\\s+/g, ' ')"
        wanted = json.dumps("".join(text.split()))
        return str(await self.until(f"{read}.replaceAll(' ', '').includes({wanted}) && {read}", seconds=seconds))

    async def click(self, selector: str, text: str = "") -> None:
        """Click the first element of `selector` whose text contains `text`, once there is one."""
        await self.until(
            f"(() => {{ const found = [...document.querySelectorAll({json.dumps(selector)})]"
            f".find((one) => one.innerText.includes({json.dumps(text)}) && !one.disabled);"
            " if (!found) return false; found.click(); return true; })()"
        )

    async def replace_text(self, selector: str, text: str) -> None:
        """Replace all text of the editor whose input element is `selector`."""
        await self.until(f"(document.querySelector({json.dumps(selector)})?.focus(), true)")
        await self.call(
            "Input.dispatchKeyEvent",
            type="rawKeyDown",
            key="a",
            code="KeyA",
            windowsVirtualKeyCode=ord("A"),
            modifiers=_CONTROL,
            commands=["selectAll"],
        )
        # Pasted and not typed: an editor completes brackets that are typed.
        await self.evaluate(
            "(() => { const clipboardData = new DataTransfer();"
            f" clipboardData.setData('text/plain', {json.dumps(text)});"
            f" document.querySelector({json.dumps(selector)}).dispatchEvent("
            "new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true })); })()"
        )

    async def choose_file(self, selector: str, path: Path) -> None:
        """Choose `path` in the file input `selector`."""
        root = await self.call("DOM.getDocument")
        node = await self.call("DOM.querySelector", nodeId=root["root"]["nodeId"], selector=selector)
        await self.call("DOM.setFileInputFiles", files=[str(path)], nodeId=node["nodeId"])

    async def picture(self) -> bytes:
        """Return a PNG of what the page shows."""
        taken = await self.call("Page.captureScreenshot", format="png")
        return base64.b64decode(taken["data"])


@asynccontextmanager
async def open_page(program: str, profile: Path, *flags: str) -> AsyncIterator[Page]:
    """Start the browser `program` with an empty `profile` folder and further `flags`, and give its first tab."""
    command = [program, *FLAGS, *flags, f"--user-data-dir={profile}", "about:blank"]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        address = await asyncio.wait_for(_debugger(process), START_SECONDS)
        async with connect(await _first_tab(address), max_size=_MESSAGE_BYTES) as socket:
            page = Page(socket)
            listening = asyncio.create_task(page.listen())
            try:
                yield page
            finally:
                listening.cancel()
    finally:
        process.kill()
        await process.communicate()


async def _debugger(process: asyncio.subprocess.Process) -> str:
    """Return the address that the browser prints once it listens."""
    assert process.stderr is not None
    said = []
    async for line in process.stderr:
        said.append(line.decode(errors="replace").strip())
        if said[-1].startswith("DevTools listening on "):
            return said[-1].removeprefix("DevTools listening on ")
    raise PageError("the browser ended: " + "\n".join(said))


async def _first_tab(browser: str) -> str:
    """Return the debugging address of the tab that the browser opened."""
    async with connect(browser) as socket:
        await socket.send(json.dumps({"id": 1, "method": "Target.getTargets"}))
        async for text in socket:
            message = json.loads(text)
            if message.get("id") == 1:
                tabs = [target["targetId"] for target in message["result"]["targetInfos"] if target["type"] == "page"]
                return f"{browser.partition('/devtools/')[0]}/devtools/page/{tabs[0]}"
    raise PageError("the browser has no tab")
