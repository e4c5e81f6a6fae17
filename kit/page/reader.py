"""Reading pages in child processes that may be killed at any time without anybody noticing but the page itself.

A child is started when it is first needed, reads one page at a time, and is replaced after `PAGES_OF_A_CHILD` pages,
after a page that took too long, and after it died. At most `processes` are alive, at most `max_waiting` reads wait.
"""

import asyncio
import contextlib
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import orjson

import kit
from kit.errors import Unavailable
from kit.page.page import Page, PageUnreadable
from kit.page.wire import LENGTH_BYTES, MAX_ANSWER_BYTES, heard, message, pack

MAX_BODY_BYTES: Final = 4_000_000
"""What lies behind is not read."""

MEMORY_MEGABYTES: Final = 1_536
"""What a child may take of address space; a third of it are its libraries."""

PAGES_OF_A_CHILD: Final = 500
STARTING_SECONDS: Final = 60.0

_GRACE_SECONDS: Final = 2.0
_ENDING_SECONDS: Final = 5.0
_ROOT: Final = Path(kit.__file__).resolve().parents[1]


class ReaderBusy(Unavailable):
    """More pages wait to be read than fit into memory, or no child can be started; try again later."""


class PageReader:
    """Reads pages, `processes` at a time. An async context manager: at its end no child is left."""

    def __init__(self, *, processes: int = 1, max_waiting: int = 64, memory_megabytes: int = MEMORY_MEGABYTES) -> None:
        self._max_waiting = max_waiting
        self._memory_megabytes = memory_megabytes
        self._waiting = 0
        self._free = asyncio.Semaphore(processes)
        self._idle: list[_Child] = []
        self._alive: set[_Child] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.gather(*(child.end() for child in list(self._alive)))
        self._alive.clear()
        self._idle.clear()

    async def read(self, body: bytes, *, url: str, content_type: str | None, deadline_seconds: float = 10.0) -> Page:
        """Return what the page of `body`, found at `url`, says.

        Of the body the first `MAX_BODY_BYTES` are read. The deadline counts from when a child takes the page. Raises
        `PageUnreadable` for what is no text, what takes too long and what kills its reader, and `ReaderBusy`.
        """
        if self._waiting >= self._max_waiting:
            raise ReaderBusy("Too many pages wait to be read; try again later.")
        self._waiting += 1
        try:
            async with self._free:
                return await self._read(body[:MAX_BODY_BYTES], url, content_type, deadline_seconds)
        finally:
            self._waiting -= 1

    async def _read(self, body: bytes, url: str, content_type: str | None, seconds: float) -> Page:
        request = {"url": url, "content_type": content_type, "now": datetime.now(UTC), "seconds": seconds}
        child = self._idle.pop() if self._idle else await self._start()
        answer = None
        try:
            async with asyncio.timeout(seconds + _GRACE_SECONDS):
                answer = await child.ask(message(request) + pack(body))
        except TimeoutError as error:
            raise PageUnreadable("Reading this page took too long.") from error
        except (OSError, asyncio.IncompleteReadError) as error:
            raise PageUnreadable("This page killed its reader.") from error
        finally:
            if answer is not None and child.pages < PAGES_OF_A_CHILD:
                self._idle.append(child)
            else:
                self._alive.discard(child)
                await child.end()
        if "unreadable" in answer:
            raise PageUnreadable(answer["unreadable"])
        return heard(answer["page"])

    async def _start(self) -> "_Child":
        child = await _Child.start(self._memory_megabytes)
        self._alive.add(child)
        try:
            async with asyncio.timeout(STARTING_SECONDS):
                await child.hear()
        except (TimeoutError, OSError, asyncio.IncompleteReadError) as error:
            self._alive.discard(child)
            await child.end()
            raise ReaderBusy("No process that reads pages could be started; try again later.") from error
        except BaseException:
            self._alive.discard(child)
            await child.end()
            raise
        return child


class _Child:
    """A process that reads pages."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.pages = 0

    @classmethod
    async def start(cls, megabytes: int) -> "_Child":
        return cls(
            await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "kit.page.child", str(megabytes)),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                cwd=_ROOT,
                # One thread is enough for a page, and the threads of a numeric library cost address space.
                env={"PATH": os.defpath, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "LC_ALL": "C.UTF-8"},
                start_new_session=True,  # Ctrl-C in a terminal is for the worker, which ends its children itself
            )
        )

    async def ask(self, request: bytes) -> dict[str, Any]:
        if self._process.stdin is None:
            raise BrokenPipeError
        self.pages += 1
        self._process.stdin.write(request)
        await self._process.stdin.drain()
        return await self.hear()

    async def hear(self) -> dict[str, Any]:
        stream = self._process.stdout
        if stream is None:
            raise BrokenPipeError
        length = int.from_bytes(await stream.readexactly(LENGTH_BYTES), "big")
        if length > MAX_ANSWER_BYTES:
            raise BrokenPipeError
        answer: dict[str, Any] = orjson.loads(await stream.readexactly(length))
        return answer

    async def end(self) -> None:
        """Kill the process and see it end."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        # asyncio keeps an unread pipe open until its end is read: take the rest, so that the process is seen to end.
        # RuntimeError: somebody waits for an answer still, and takes the rest.
        with contextlib.suppress(TimeoutError, OSError, ValueError, RuntimeError):
            await asyncio.wait_for(self._process.communicate(), _ENDING_SECONDS)
