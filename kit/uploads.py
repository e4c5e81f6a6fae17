"""Files on their way in: streamed to disk, counted, fingerprinted, and gone again unless somebody keeps them."""

import asyncio
import hashlib
import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from kit.errors import BadInput
from kit.ids import new_id

MAX_FILE_NAME_CHARS = 200
INCOMING_FOLDER = "incoming"
"""Where files arrive, below the folder of uploads."""

DEFAULT_FILE_NAME = "upload"
_FLUSH_BYTES = 1 << 20
_UNSHOWABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")


class UploadTooLarge(BadInput):
    """The file is larger than the server takes; known before the rest of it has arrived."""


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A file that has arrived completely.

    `path` lies in the folder of arriving files and is removed when the request ends, unless `keep_as` took it over.
    `file_name` is what the client called it, fit to be shown and never to be used as a path.
    """

    path: Path
    file_name: str
    size_bytes: int
    sha256: bytes

    async def keep_as(self, target: Path) -> None:
        """Move the file to `target` on the same file system, durably: afterwards it survives a power cut.

        The folder of `target` is created when it is missing; an existing file there is replaced in one step.
        """
        await asyncio.to_thread(_move_durably, self.path, target)


class IncomingFile:
    """A file being written into `folder`, at most `max_bytes` long. An async context manager: leaving removes the file.

    Writing happens in a thread, one mebibyte at a time, so a slow disk delays nobody else.
    """

    def __init__(self, folder: Path, file_name: str, *, max_bytes: int) -> None:
        self.path = folder / f"{new_id()}.part"
        self.file_name = display_name(file_name)
        self.size_bytes = 0
        self._max_bytes = max_bytes
        self._digest = hashlib.sha256()
        self._waiting = bytearray()
        self._file: BinaryIO | None = None

    async def __aenter__(self) -> Self:
        self._file = await asyncio.to_thread(_create, self.path)
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
        self.path.unlink(missing_ok=True)

    def add(self, data: bytes) -> None:
        """Take the next bytes. Raises `UploadTooLarge` as soon as there are more than `max_bytes`."""
        self.size_bytes += len(data)
        if self.size_bytes > self._max_bytes:
            raise UploadTooLarge(f"The file is larger than the {self._max_bytes:,} bytes that this server takes.")
        self._waiting += data

    async def flush(self, *, everything: bool = False) -> None:
        """Write what has gathered to disk once it is worth it, or `everything` at the end."""
        if self._waiting and (everything or len(self._waiting) >= _FLUSH_BYTES):
            block, self._waiting = bytes(self._waiting), bytearray()
            await asyncio.to_thread(self._write, block)

    async def finish(self) -> UploadedFile:
        """Write the rest and return the file, complete."""
        await self.flush(everything=True)
        assert self._file is not None  # noqa: S101  entered before it is finished
        self._file.close()
        return UploadedFile(self.path, self.file_name, self.size_bytes, self._digest.digest())

    def _write(self, block: bytes) -> None:
        assert self._file is not None  # noqa: S101  entered before it is written to
        self._digest.update(block)
        self._file.write(block)


def display_name(name: str) -> str:
    """Return what may be shown of a client's file name: no folders, no control characters, at most 200 characters."""
    last = re.split(r"[/\\]", name)[-1]
    shown = _UNSHOWABLE.sub("", last).strip(" .")
    return shown[:MAX_FILE_NAME_CHARS] or DEFAULT_FILE_NAME


def remove_stale(folder: Path, *, older_than_seconds: float) -> int:
    """Remove what killed processes left in the folder of arriving files; return how many files that were."""
    limit, removed = time.time() - older_than_seconds, 0
    for path in folder.glob("*.part"):
        try:
            if path.stat().st_mtime < limit:
                path.unlink()
                removed += 1
        except FileNotFoundError:
            continue  # its request ended at this moment
    return removed


def _create(path: Path) -> BinaryIO:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    return os.fdopen(descriptor, "wb", buffering=0)


def _move_durably(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    _sync(source)
    source.replace(target)
    _sync(target.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
