"""Rings from PostgreSQL to the readers of a process."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from db.unit import Database, dial
from kit.bus import Bus, Ring

CHANNEL = "bus_test"


@pytest_asyncio.fixture(loop_scope="session")
async def bus(database: Database) -> AsyncIterator[Bus]:
    bus = Bus(lambda: dial(database.dsn, name="bus-test"), (CHANNEL,))
    await bus.start()
    yield bus
    await bus.stop()


async def notify(database: Database, text: str) -> None:
    await database.fetchval("SELECT pg_notify($1, $2)", CHANNEL, text)


async def test_a_ring_reaches_its_reader_and_those_who_hear_everything(bus: Bus, database: Database) -> None:
    async with bus.reader(CHANNEL, "a") as a, bus.reader(CHANNEL, "b") as b, bus.reader(CHANNEL) as everything:
        await notify(database, "a")
        assert await a.wait(10) is True
        assert await everything.wait(10) is True
        assert await b.wait(0.05) is False


async def test_many_rings_before_a_look_are_one() -> None:
    ring = Ring()
    ring.ring()
    ring.ring()
    assert await ring.wait(1) is True
    assert await ring.wait(0.01) is False


async def test_a_ring_of_a_rolled_back_transaction_is_not_heard(bus: Bus, database: Database) -> None:
    async with bus.reader(CHANNEL) as ring:
        async with database.pool.acquire() as connection:
            transaction = connection.transaction()
            await transaction.start()
            await connection.fetchval("SELECT pg_notify($1, 'x')", CHANNEL)
            await transaction.rollback()
        assert await ring.wait(0.2) is False


async def test_after_a_lost_connection_everybody_looks_once_and_rings_arrive_again(
    bus: Bus, database: Database
) -> None:
    async with bus.reader(CHANNEL, "a") as ring:
        await database.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'bus-test'"
        )
        assert await ring.wait(20) is True
        async with asyncio.timeout(10):
            await bus.ready.wait()
        await notify(database, "a")
        assert await ring.wait(10) is True


async def test_it_starts_without_a_database_and_listens_once_there_is_one(database: Database) -> None:
    tries = 0

    async def connect() -> asyncpg.Connection:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise ConnectionRefusedError
        return await dial(database.dsn, name="bus-late")

    bus = Bus(connect, (CHANNEL,))
    await bus.start()
    try:
        assert not bus.ready.is_set()
        async with asyncio.timeout(20), bus.reader(CHANNEL) as ring:
            await bus.ready.wait()
            await notify(database, "x")
            assert await ring.wait(10) is True
    finally:
        await bus.stop()


@pytest.mark.parametrize("steps", range(6))
async def test_a_reader_that_is_cancelled_as_it_rings_ends(steps: int) -> None:
    ring = Ring()
    waiting = asyncio.create_task(ring.wait(10))
    await asyncio.sleep(0)
    ring.ring()
    for _ in range(steps):
        await asyncio.sleep(0)
    if waiting.cancel():
        with pytest.raises(asyncio.CancelledError):
            await waiting
    else:
        assert await waiting is True
