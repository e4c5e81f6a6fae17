"""Lending connections: never more than allowed, in turn, and in order whatever happens to a loan."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
import pytest
import pytest_asyncio

from db import connections
from db.unit import Database

SIZE, FLOOR = 3, 2
NAME = "graphmark-tests-lending"
SOON_SECONDS = 10
_PIDS = f"SELECT pid FROM pg_stat_activity WHERE application_name = '{NAME}'"


@pytest_asyncio.fixture(loop_scope="session")
async def small(dsn: str) -> AsyncIterator[Database]:
    """A database with few connections."""
    database = await Database.connect(dsn, size=SIZE, statement_timeout_seconds=20, name=NAME)
    async with asyncio.timeout(SOON_SECONDS):
        yield database
        await database.close()


async def test_many_share_a_few(small: Database) -> None:
    pids = await asyncio.gather(*(small.fetchval("SELECT pg_backend_pid() FROM pg_sleep(0.01)") for _ in range(50)))
    assert len(set(pids)) == SIZE


async def test_one_after_the_other_uses_one(small: Database) -> None:
    assert len({await small.fetchval("SELECT pg_backend_pid()") for _ in range(20)}) == 1


async def test_a_statement_that_fails_costs_no_connection(small: Database) -> None:
    for _ in range(SIZE * 3):
        with pytest.raises(asyncpg.DivisionByZeroError):
            await small.fetchval("SELECT 1 / 0")
    assert await asyncio.gather(*(small.fetchval("SELECT 7 FROM pg_sleep(0.01)") for _ in range(9))) == [7] * 9


async def test_a_cancelled_statement_costs_no_connection(small: Database) -> None:
    sleepers = [asyncio.create_task(small.fetchval("SELECT pg_sleep(30)")) for _ in range(SIZE)]
    waiting = [asyncio.create_task(small.fetchval("SELECT 7")) for _ in range(SIZE)]
    await until(lambda: _count(small.dsn, "active"), SIZE)
    waiting[0].cancel()  # one that has no connection yet
    for sleeper in sleepers:
        sleeper.cancel()
    results = await asyncio.gather(*sleepers, *waiting, return_exceptions=True)
    assert [type(result) for result in results[: SIZE + 1]] == [asyncio.CancelledError] * (SIZE + 1)
    assert results[SIZE + 1 :] == [7] * (SIZE - 1)
    assert await asyncio.gather(*(small.fetchval("SELECT 8 FROM pg_sleep(0.01)") for _ in range(9))) == [8] * 9


async def test_whoever_is_cancelled_with_a_connection_in_hand_passes_it_on(small: Database) -> None:
    lender = connections.Connections(small.pool, size=1)
    held = await lender.borrow()
    first, second = asyncio.create_task(lender.borrow()), asyncio.create_task(lender.borrow())
    await asyncio.sleep(0)
    lender.give_back(held)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert await second is held
    await lender.send_back(held)


async def test_turns_come_in_order(small: Database) -> None:
    lender, order = connections.Connections(small.pool, size=1), []
    held = await lender.borrow()

    async def ask(number: int) -> None:
        connection = await lender.borrow()
        order.append(number)
        lender.give_back(connection)

    asking = [asyncio.create_task(ask(number)) for number in range(6)]
    await asyncio.sleep(0)
    assert order == []
    lender.give_back(held)
    await asyncio.gather(*asking)
    assert order == list(range(6))
    await lender.close()


async def test_connections_that_the_server_closed_are_replaced(small: Database) -> None:
    await asyncio.gather(*(small.fetchval("SELECT 1 FROM pg_sleep(0.01)") for _ in range(9)))
    outside = await asyncpg.connect(small.dsn)
    await outside.execute(f"SELECT pg_terminate_backend(pid) FROM ({_PIDS}) AS all_of_them")
    await outside.close()
    await until(_idle(small), FLOOR)  # it has heard, and made as many anew as it always has
    assert await asyncio.gather(*(small.fetchval("SELECT 7 FROM pg_sleep(0.01)") for _ in range(9))) == [7] * 9


async def test_what_was_used_just_now_is_kept_for_the_next(small: Database) -> None:
    await asyncio.gather(*(small.fetchval("SELECT 1 FROM pg_sleep(0.01)") for _ in range(9)))
    assert small.pool.get_idle_size() == 0


async def test_what_nobody_needs_goes_back_to_the_pool(small: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "UNUSED_SECONDS", 0.05)
    await asyncio.gather(*(small.fetchval("SELECT 1 FROM pg_sleep(0.01)") for _ in range(9)))
    await until(_idle(small), SIZE)


async def test_closing_waits_for_what_is_lent(dsn: str) -> None:
    database = await Database.connect(dsn, size=1, statement_timeout_seconds=20, name=NAME)
    running = asyncio.create_task(database.fetchval("SELECT 7 FROM pg_sleep(0.1)"))
    await until(lambda: _count(dsn, "active"), 1)
    await asyncio.wait_for(database.close(), SOON_SECONDS)
    assert await running == 7


async def until(look: Callable[[], Awaitable[int]], wanted: int) -> None:
    """Wait until `look` gives `wanted`."""
    async with asyncio.timeout(SOON_SECONDS):
        while await look() != wanted:  # noqa: ASYNC110  what is waited for happens in PostgreSQL
            await asyncio.sleep(0.01)


async def _count(dsn: str, state: str) -> int:
    """Return how many of the connections are in a state."""
    connection = await asyncpg.connect(dsn)
    try:
        return len(await connection.fetch(f"{_PIDS} AND state = $1", state))
    finally:
        await connection.close()


def _idle(database: Database) -> Callable[[], Awaitable[int]]:
    """Look how many open connections the pool has to itself."""

    async def look() -> int:
        return int(database.pool.get_idle_size())

    return look
