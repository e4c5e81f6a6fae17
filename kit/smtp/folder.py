"""The mail server of a server that has none: messages become files that its operator can read and pass on."""

import asyncio
import os
from datetime import UTC
from email.message import EmailMessage
from itertools import islice
from pathlib import Path
from typing import Final

from kit.smtp.failures import NotNow

FOLDER: Final = "mail"
"""Where the files lie, in the data folder."""

_SCANNED = 10_000


class Folder:
    """Writes each message to a file of its own, readable by this user only; of `max_files` the newest are kept."""

    def __init__(self, folder: Path, *, max_files: int) -> None:
        self._folder = folder
        self._max_files = max_files

    async def deliver(self, message: EmailMessage) -> None:
        """Write the message, durably and under a name that it always has. Raises `NotNow` when that cannot be done."""
        try:
            await asyncio.to_thread(self._write, message)
        except OSError as error:
            raise NotNow(f"cannot write to {self._folder}: {error.strerror}") from error

    async def check(self) -> str:
        """Say where messages go."""
        return f"no mail server is set; messages are written to {self._folder.absolute()}"

    def _write(self, message: EmailMessage) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        written_at = message["Date"].datetime.astimezone(UTC)
        key = message["Message-ID"].strip("<>").partition("@")[0]
        path = self._folder / f"{written_at:%Y%m%dT%H%M%SZ}-{key}.eml"
        unfinished = path.with_suffix(".part")
        unfinished.unlink(missing_ok=True)
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(message.as_bytes())
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
        for old in waiting_files(self._folder)[: -self._max_files]:
            old.unlink(missing_ok=True)


def waiting_files(folder: Path) -> list[Path]:
    """Return the messages in a folder, the oldest first; of more than 10,000 files some are left out."""
    return sorted(islice(folder.glob("*.eml"), _SCANNED))


def remove_old(folder: Path, *, before: float) -> int:
    """Remove messages, and what killed processes left, last written before a time in seconds; return how many."""
    removed = 0
    for path in islice(folder.glob("*.*"), _SCANNED):
        try:
            if path.stat().st_mtime < before:
                path.unlink()
                removed += 1
        except FileNotFoundError:
            continue  # another process was faster
    return removed
