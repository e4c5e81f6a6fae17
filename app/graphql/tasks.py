"""Ending asyncio tasks so that nothing of them is left behind."""

import asyncio
from typing import Any


async def cancelled(*tasks: "asyncio.Future[Any]") -> None:
    """Cancel the tasks and wait until each has ended; what they raised while ending is of no interest any more."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
