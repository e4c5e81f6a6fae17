"""The toys' worker with a doorbell that triples every message, late and out of order, with nonsense in between.

Run with `python -m tests.faults.bells`.
"""

import asyncio
import random
from collections.abc import AsyncGenerator
from typing import Any

import app.cli.work
from app.cli.support import run, service_settings
from services.agents import BELL
from tasks.broker import make_broker
from tests.faults.toys import AGENTS

LATEST_SECONDS = 0.4
NONSENSE = (
    b"",
    b"{",
    b"\xff\xfe\x00",
    b"[]",
    b'{"task_id": 1}',
    b'{"task_id": "1", "task_name": "from.the.future", "labels": {}, "args": [], "kwargs": {}}',
    b'{"task_id": "1", "task_name": "%s", "labels": {}, "args": [1, 2], "kwargs": {"x": 1}}' % BELL.encode(),
    b'{"task_id": "1", "task_name": "%s", "labels": {"delay": "x"}, "args": {}, "kwargs": []}' % BELL.encode(),
)


def make_unreliable(*given: Any) -> Any:
    """Return the broker that the settings ask for, badly connected."""
    broker: Any = make_broker(*given)
    listen = broker.listen

    async def hear() -> AsyncGenerator[bytes, None]:
        heard: asyncio.Queue[bytes] = asyncio.Queue()
        loop = asyncio.get_running_loop()

        async def pass_on() -> None:
            async for message in listen():
                for one in (message, message, message, random.choice(NONSENSE)):
                    loop.call_later(random.uniform(0, LATEST_SECONDS), heard.put_nowait, one)

        passing = asyncio.create_task(pass_on())
        try:
            while True:
                yield await heard.get()
        finally:
            passing.cancel()

    broker.listen = hear
    return broker


if __name__ == "__main__":
    vars(app.cli.work)["make_broker"] = make_unreliable
    run(app.cli.work.run_worker(service_settings(), AGENTS))
