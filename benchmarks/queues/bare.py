"""A worker of taskiq-redis' list broker and nothing else: no row, no lease, no result, no second try."""

import asyncio
import contextlib
import signal
from typing import Final

from redis.asyncio import Redis
from taskiq import TaskiqMessage
from taskiq.api import run_receiver_task
from taskiq_redis import ListQueueBroker

from benchmarks.queues import DONE, EMPTY, QUEUE, READY, SLOTS

_COUNT_SECONDS: Final = 0.02


def messages(url: str, count: int) -> list[bytes]:
    """Return `count` jobs as the broker sends them."""
    broker = ListQueueBroker(url, queue_name=QUEUE)
    made = (
        TaskiqMessage(task_id=broker.id_generator(), task_name=EMPTY, labels={}, args=[], kwargs={})
        for _ in range(count)
    )
    return [broker.formatter.dumps(message).message for message in made]


async def work(url: str) -> None:
    """Work until SIGTERM. What was done is counted in Redis now and then, which the jobs do not wait for."""
    done = 0

    async def empty() -> None:
        nonlocal done
        done += 1

    broker = ListQueueBroker(url, queue_name=QUEUE, socket_timeout=None)  # BRPOP waits for as long as it takes
    broker.register_task(empty, task_name=EMPTY)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    receiving = asyncio.create_task(run_receiver_task(broker, run_startup=True, max_async_tasks=SLOTS))
    print(READY, flush=True)
    told = 0
    async with Redis.from_url(url) as redis:
        while not stop.is_set():
            if done > told:
                now = done
                await redis.incrby(DONE, now - told)
                told = now
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _COUNT_SECONDS)
    receiving.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await receiving
    await broker.shutdown()
