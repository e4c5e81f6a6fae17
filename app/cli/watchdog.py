"""Ends a process whose event loop hangs: work that never lets go would keep all that runs beside it from ending."""

import asyncio
import contextlib
import os
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import structlog

log = structlog.get_logger(__name__)
EXIT_CODE: Final = 70
"""Of a process that was ended here: an internal software error (sysexits.h)."""

_LOOKS: Final = 10


@asynccontextmanager
async def watched(limit_seconds: float) -> AsyncIterator[None]:
    """End the process when its event loop does nothing for `limit_seconds`, as long as the block lasts.

    Counted in looks of a thread, not by a clock: a process that was stopped as a whole, or a machine that slept, has
    missed as many looks as ticks.
    """
    pause, ended, ticks = limit_seconds / _LOOKS, threading.Event(), [0]

    async def tick() -> None:
        while True:
            ticks[0] += 1
            await asyncio.sleep(pause / 2)

    def watch() -> None:
        seen, missed = -1, 0
        while not ended.wait(pause):
            missed = missed + 1 if ticks[0] == seen else 0
            seen = ticks[0]
            if missed >= _LOOKS:
                log.critical("worker.hangs", seconds=limit_seconds)
                os._exit(EXIT_CODE)

    ticking = asyncio.create_task(tick())
    watching = threading.Thread(target=watch, name="watchdog", daemon=True)
    watching.start()
    try:
        yield
    finally:
        ended.set()
        ticking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await ticking
