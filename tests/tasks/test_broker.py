"""The doorbell: heard everywhere, never trusted, never in the way."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from taskiq import AsyncBroker
from taskiq.api import run_receiver_task

from db.unit import Database
from kit.settings import Settings
from services.agents import BELL
from tasks.broker import answer, make_broker
from tasks.ringer import make_ringer
from tests.needs import redis_on

SOON_SECONDS = 10.0


@pytest.fixture(params=["postgres", "redis"])
def doorbell(request: pytest.FixtureRequest, settings: Settings, tmp_path: Path) -> Iterator[Settings]:
    """Settings for each kind of doorbell; Redis is a private server on a socket."""
    if request.param == "postgres":
        yield settings
        return
    with redis_on(tmp_path) as url:
        yield replace(settings, redis_url=url)


@asynccontextmanager
async def listening(broker: AsyncBroker) -> AsyncIterator[asyncio.Queue[None]]:
    """Listen as a worker does and give the rings that were heard."""
    heard: asyncio.Queue[None] = asyncio.Queue()
    answer(broker, lambda: heard.put_nowait(None))
    receiving = asyncio.create_task(run_receiver_task(broker, run_startup=True, max_async_tasks=1))
    try:
        yield heard
    finally:
        receiving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await receiving
        await broker.shutdown()


async def heard_soon(heard: "asyncio.Queue[None]") -> None:
    await asyncio.wait_for(heard.get(), SOON_SECONDS)


@pytest.fixture(autouse=True)
def _ringer_stays(database: Database) -> Iterator[None]:
    """Give the shared database its ringer back."""
    before = database.ringer
    yield
    database.ringer = before


async def ring_until_heard(database: Database, settings: Settings, heard: "asyncio.Queue[None]") -> None:
    """Ring as a committed transaction does, until it is heard: a ring while nobody listens yet may be lost."""
    async with asyncio.timeout(SOON_SECONDS), make_ringer(settings, database) as ringer:
        while True:
            database.ringer = ringer
            async with database.unit() as unit:
                unit.ring(BELL)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(heard.get(), 0.5)
                return


async def test_a_ring_reaches_every_worker(database: Database, doorbell: Settings) -> None:
    settings = replace(doorbell, task_sweep_seconds=1000.0)
    one, two = make_broker(settings, database), make_broker(settings, database)
    async with listening(one) as first, listening(two) as second:
        for heard in (first, second):
            await heard_soon(heard)  # the look at the start
            while not heard.empty():
                heard.get_nowait()
        await ring_until_heard(database, settings, first)
        await heard_soon(second)


async def test_a_worker_looks_without_any_ring(database: Database, doorbell: Settings) -> None:
    async with listening(make_broker(replace(doorbell, task_sweep_seconds=0.05), database)) as heard:
        for _ in range(4):
            await heard_soon(heard)


async def test_a_doorbell_that_is_away_stops_nobody(database: Database, settings: Settings, tmp_path: Path) -> None:
    away = replace(settings, redis_url=f"unix://{tmp_path / 'nothing.sock'}", task_sweep_seconds=0.05)
    async with make_ringer(away, database) as ringer:
        database.ringer = ringer
        async with database.unit() as unit:
            unit.ring(BELL)
            await unit.execute("UPDATE users SET name = name")
    async with listening(make_broker(away, database)) as heard:
        await heard_soon(heard)
