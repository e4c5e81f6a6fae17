"""The doorbell: a Taskiq broker that carries one task, `work`, which says that there is work and nothing else.

The work itself is a row (db.agents). So a ring may be lost, doubled or reordered: workers look at the rows after every
ring, once when they start to listen, and once in `task_sweep_seconds` whatever happens.

Without Redis the ring is PostgreSQL's NOTIFY. With Redis it is `taskiq_redis.PubSubBroker`, because a doorbell should
reach every idle worker and leave nothing behind: the list broker would queue a ring for each change while no worker
listens and wake one worker only, the stream broker acknowledges and redelivers, which the rows do better.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError
from taskiq import AsyncBroker, BrokerMessage
from taskiq.kicker import AsyncKicker
from taskiq.message import TaskiqMessage
from taskiq_redis import PubSubBroker

from db import agents as tasks
from db.unit import Database, Ringer, dial
from kit.bus import Bus
from kit.errors import Unavailable
from kit.settings import Settings
from services.agents import BELL

log = structlog.get_logger(__name__)
_RING_SECONDS = 1.0
_RECONNECT_SECONDS = 1.0


class PostgresBroker(AsyncBroker):
    """Rings by NOTIFY and listens with one connection of its own, which heals by itself."""

    def __init__(self, database: Database, *, look_anyway_seconds: float) -> None:
        super().__init__()
        self._database = database
        self._look_anyway_seconds = look_anyway_seconds

    async def kick(self, message: BrokerMessage) -> None:  # noqa: ARG002  a ring has no content
        """Ring."""
        await tasks.ring(self._database)

    async def listen(self) -> AsyncGenerator[bytes, None]:
        """Yield one message now, after every ring, after every reconnect, and at least every so often."""
        bus = Bus(lambda: dial(self._database.dsn, name="graphmark-doorbell"), (tasks.CHANNEL,))
        async with bus.reader(tasks.CHANNEL) as ring:
            await bus.start()
            try:
                while True:
                    yield _message(self)
                    await ring.wait(self._look_anyway_seconds)
            finally:
                await bus.stop()


class RedisBroker(PubSubBroker):
    """Rings by PUBLISH; listening survives the absence of Redis, and looks at the rows meanwhile."""

    def __init__(self, url: str, *, look_anyway_seconds: float) -> None:
        super().__init__(url, queue_name=tasks.CHANNEL, socket_connect_timeout=_RING_SECONDS)
        self._url = url
        self._look_anyway_seconds = look_anyway_seconds

    async def listen(self) -> AsyncGenerator[bytes, None]:
        """Yield one message now, after every ring, after every reconnect, and at least every so often."""
        while True:
            yield _message(self)
            try:
                async with Redis.from_url(self._url) as connection, connection.pubsub() as channel:
                    await channel.subscribe(self.queue_name)
                    while True:
                        yield _message(self)
                        await channel.get_message(timeout=self._look_anyway_seconds)
            except (RedisError, OSError) as error:
                log.warning("doorbell.lost", error=repr(error))
            await asyncio.sleep(_RECONNECT_SECONDS)


def make_broker(settings: Settings, database: Database) -> AsyncBroker:
    """Return the doorbell that the settings ask for. Start and stop it with `startup` and `shutdown`."""
    if settings.redis_url is None:
        return PostgresBroker(database, look_anyway_seconds=settings.task_sweep_seconds)
    return RedisBroker(settings.redis_url, look_anyway_seconds=settings.task_sweep_seconds)


def answer(broker: AsyncBroker, wake: Callable[[], None]) -> None:
    """Let a worker's `wake` answer the bell."""

    async def work() -> None:
        wake()

    broker.register_task(work, task_name=BELL)


@asynccontextmanager
async def redis_ringer(settings: Settings) -> AsyncIterator[Ringer]:
    """Give what rings by Redis; see tasks.ringer for how failures are borne."""
    assert settings.redis_url is not None  # noqa: S101  tasks.ringer rings by PostgreSQL then
    broker = RedisBroker(settings.redis_url, look_anyway_seconds=settings.task_sweep_seconds)
    await broker.startup()

    async def ring(bell: str) -> None:
        await AsyncKicker(task_name=bell, broker=broker, labels={}).kiq()

    try:
        yield ring
    finally:
        await broker.shutdown()


async def require_redis(url: str) -> None:
    """Raise `Unavailable` unless the Redis at `url` answers within a second."""
    try:
        async with asyncio.timeout(_RING_SECONDS), Redis.from_url(url) as connection:
            await connection.execute_command("PING")  # type: ignore[no-untyped-call]  # redis leaves it untyped
    except (RedisError, OSError, ValueError) as error:
        told = str(error).partition("\n")[0] or "no answer in time"
        raise Unavailable(f"Redis does not answer: {told}") from error


def _message(broker: AsyncBroker) -> bytes:
    message = TaskiqMessage(task_id=broker.id_generator(), task_name=BELL, labels={}, args=[], kwargs={})
    return broker.formatter.dumps(message).message
