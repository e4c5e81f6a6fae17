"""One import as a user starts it: the command in processes of its own, their memory watched."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
import psutil

from benchmarks.lab import EMAIL, Library
from benchmarks.load.usage import memory_bytes
from kit.settings import environment_with

ROOT: Final = Path(__file__).parents[1]
IMPORT_SECONDS: Final = 600
_LOOK_SECONDS: Final = 0.05


@dataclass(frozen=True, slots=True)
class Imported:
    """What the command said, and the most memory that its processes held."""

    summary: dict[str, Any]
    peak_bytes: int

    @property
    def seconds(self) -> float:
        """From the first byte of the file to the last row searchable."""
        return float(self.summary["seconds"])


async def import_file(library: Library, path: Path) -> Imported:
    """Import by the command line, in processes of its own, watching their memory."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app", "import", str(path), "--user", EMAIL, "--wait", "--json"),
        cwd=ROOT,
        env=environment_with(DATABASE_URL=library.dsn, DATA_DIR=str(path.parent / "import-data"), LOG_LEVEL="warning"),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        with watched(process.pid) as peak:
            async with asyncio.timeout(IMPORT_SECONDS):
                out, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, f"the import ended with {process.returncode}: {out.decode(errors='replace')}"
    summary = orjson.loads(out)
    parts = sum(summary[name] for name in ("created", "merged", "skipped", "errors"))
    assert summary["total"] == parts, f"rows without a fate: {summary}"
    return Imported(summary, peak.held)


@dataclass
class Peak:
    """The most bytes that a process and its children held together."""

    held: int = 0


@contextmanager
def watched(pid: int) -> Iterator[Peak]:
    """Look at the memory of a process tree every 50 ms while the block runs."""
    peak = Peak()

    async def look() -> None:
        while True:
            with suppress(psutil.NoSuchProcess):
                peak.held = max(peak.held, memory_bytes(pid))
            await asyncio.sleep(_LOOK_SECONDS)

    looking = asyncio.create_task(look())
    try:
        yield peak
    finally:
        looking.cancel()
