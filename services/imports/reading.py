"""Reading a file in a process of its own, chunk by chunk, without holding up anybody.

At most the chunk that was asked for and one more are in memory; the reading process waits meanwhile. It parses while
the last chunk is being written, on another core where there is one.
"""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson

import services
from kit.errors import BadInput, Unavailable
from services.imports.frames import LENGTH_BYTES, MAX_FRAME_BYTES, Folder, Row, folders_in, rows_in

MEMORY_MEGABYTES: Final = 2_048
"""What a reading process may take of address space. A file of the largest size needs far less."""

PROCESSOR_SECONDS: Final = 300
"""Processor time after which a reading process is ended: a thousand times what an ordinary file takes."""

SILENCE_SECONDS: Final = 120.0
"""How long a reading process may take for one chunk."""

_ROOT = Path(services.__file__).resolve().parents[1]
_PIPE_BYTES = 1 << 20
_ENDING_SECONDS = 5.0


class ReaderEnded(Unavailable):
    """The reading process died or hung. Perhaps the machine is short of memory; perhaps the file kills it."""


@dataclass(slots=True)
class Reading:
    """A file being read. `folders` grows with the chunks; `warnings` is complete at the end."""

    total: int
    folders: list[Folder] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    _stream: asyncio.StreamReader | None = None
    _ahead: asyncio.Task[tuple[Sequence[Folder], list[Row]] | None] | None = None

    async def chunks(self) -> AsyncGenerator[list[Row], None]:
        """Yield the rows, a chunk at a time. While one is used the next is on its way."""
        self._ahead = asyncio.create_task(self._next())
        while (chunk := await self._ahead) is not None:
            folders, rows = chunk
            self.folders += folders
            self._ahead = asyncio.create_task(self._next())
            yield rows

    async def stop(self) -> None:
        """Wait for nothing more: whoever leaves early, by an error too, leaves a chunk on its way."""
        if self._ahead is not None:
            self._ahead.cancel()
            await asyncio.gather(self._ahead, return_exceptions=True)

    async def _next(self) -> tuple[Sequence[Folder], list[Row]] | None:
        if self._stream is None:
            return None
        message = await _receive(self._stream)
        if "rows" in message:
            return folders_in(message), rows_in(message)
        self.warnings += message["warnings"]
        return None


@asynccontextmanager
async def reading(path: Path, *, skip_rows: int = 0, chunk_rows: int) -> AsyncIterator[Reading]:
    """Open the file at an absolute `path` and count its rows. Rows up to `skip_rows` are counted, and not given.

    Raises `BadInput` when the file cannot be read as bookmarks, also while the chunks are read, and `ReaderEnded`.
    """
    limits = (str(skip_rows), str(chunk_rows), str(MEMORY_MEGABYTES), str(PROCESSOR_SECONDS))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.imports.child", os.fspath(path), *limits),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=_ROOT,
        limit=_PIPE_BYTES,
    )
    file = None
    try:
        if process.stdout is None:
            raise ReaderEnded("The file could not be read.")
        message = await _receive(process.stdout)
        file = Reading(total=message["total"], _stream=process.stdout)
        yield file
    finally:
        if file is not None:
            await file.stop()
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        # asyncio keeps an unread pipe open until its end is read: take the rest, so that the process is seen to end.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.communicate(), _ENDING_SECONDS)


async def _receive(stream: asyncio.StreamReader) -> dict[str, Any]:
    try:
        async with asyncio.timeout(SILENCE_SECONDS):
            length = int.from_bytes(await stream.readexactly(LENGTH_BYTES), "big")
            if length > MAX_FRAME_BYTES:
                raise ReaderEnded("The file could not be read.")
            message: dict[str, Any] = orjson.loads(await stream.readexactly(length))
    except (asyncio.IncompleteReadError, TimeoutError) as error:
        raise ReaderEnded("The file could not be read: its reader ended or took too long.") from error
    if "refused" in message:
        raise BadInput(message["refused"], field=("input", "uploadId"))
    return message
