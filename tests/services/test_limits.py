"""Limits that several processes share: in PostgreSQL, in Redis, and while either is away."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from db import limits as rows
from db.unit import Database
from kit.errors import RateLimited, Unavailable
from kit.ids import new_id
from kit.rates.budgets import Charge
from kit.rates.remote import RemoteBuckets
from kit.settings import Settings
from services.limits import Limits
from tests.needs import redis_on

NOWHERE = "redis://127.0.0.1:1/0"
NETWORK = "203.0.113.0/24"
SMALL: dict[str, Any] = {
    "rate_operations_per_account_minute": 40,
    "rate_registrations_per_network_hour": 3,
    "rate_mails_per_address_hour": 2,
    "rate_mails_per_network_hour": 3,
    "rate_uploads_per_account_hour": 0,
}


Opened = Callable[..., Limits]


@pytest.fixture(params=["postgresql", "redis"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str | None]:
    """Where budgets are shared: the address of a Redis, or None for PostgreSQL."""
    if request.param == "postgresql":
        yield None
        return
    with redis_on(tmp_path) as url:
        yield url


@pytest_asyncio.fixture(loop_scope="session")
async def opened(database: Database, settings: Settings, place: str | None) -> AsyncIterator[Opened]:
    """Open the limits of one process more, with small budgets; all are closed at the end."""
    async with AsyncExitStack() as stack:

        def one(**changes: Any) -> Limits:
            made = Limits(replace(settings, **(SMALL | {"redis_url": place} | changes)), database)
            stack.push_async_callback(made.aclose)
            return made

        if place is not None:
            await answering(place)
        yield one


async def answering(url: str) -> None:
    """Wait until a Redis answers."""
    remote = RemoteBuckets(url)
    async with asyncio.timeout(20):
        while True:
            try:
                await remote.take(Charge("ready", 0.001), most=60.0)
                break
            except Unavailable:
                await asyncio.sleep(0.02)
    await remote.aclose()


async def refused(limits: Limits, network: str = NETWORK) -> bool:
    try:
        await limits.registration(network)
    except RateLimited as error:
        return 0 < error.retry_after_seconds <= 1_200
    return False


async def test_parallel_takers_get_exactly_the_amount(opened: Opened) -> None:
    both = [opened(), opened()]
    outcomes = await asyncio.gather(*(refused(both[number % 2]) for number in range(50)))
    assert sorted(outcomes) == [False] * 3 + [True] * 47
    assert not await refused(both[0], "198.51.100.0/24")


async def test_mails_are_counted_by_address_and_by_network(opened: Opened) -> None:
    limits = opened()
    for _ in range(2):
        await limits.mail(email_key="ada@example.org", network=NETWORK)
    with pytest.raises(RateLimited):
        await limits.mail(email_key="ada@example.org", network="198.51.100.0/24")
    await limits.mail(email_key="bob@example.org", network=NETWORK)
    with pytest.raises(RateLimited):
        await limits.mail(email_key="eve@example.org", network=NETWORK)


async def test_an_amount_of_nothing_asks_nobody(opened: Opened, database: Database) -> None:
    limits = opened()
    account = new_id()
    for _ in range(500):
        await limits.upload(account)
    assert await database.fetchval("SELECT count(*) FROM rate_limits") == 0


def operations(limits: Limits, account: UUID, most: int = 1_000) -> int:
    """Return how many operations an account is given at once."""
    for number in range(most):
        try:
            limits.operation(account=account, api_key=None, network=NETWORK)
        except RateLimited:
            return number
    return most


async def test_operations_of_two_processes_share_a_budget(opened: Opened) -> None:
    here, there = opened(), opened()
    account = new_id()
    assert operations(here, account, 30) == 30
    await here.sync()
    assert operations(there, account, 6) == 6  # more than an eighth: so it is told, and hears
    await there.sync()
    assert 4 <= operations(there, account) < 20  # alone it would give 34; some come back on a slow machine
    await here.sync()
    assert operations(here, new_id()) == 40


async def test_redis_away_is_no_way_around(settings: Settings, database: Database) -> None:
    limits = Limits(replace(settings, **(SMALL | {"redis_url": NOWHERE})), database)
    outcomes = [await refused(limits) for _ in range(5)]
    assert outcomes == [False] * 3 + [True] * 2
    assert await database.fetchval("SELECT array_agg(key) FROM rate_limits") == [f"registrations {NETWORK}"]
    await limits.aclose()


async def test_nothing_answers(settings: Settings, dsn: str) -> None:
    database = await Database.connect(dsn, size=1, statement_timeout_seconds=5)
    await database.close()
    limits = Limits(replace(settings, **(SMALL | {"redis_url": NOWHERE})), database)
    with pytest.raises(Unavailable):
        await limits.registration(NETWORK)
    account = new_id()
    assert operations(limits, account, 30) == 30
    await limits.sync()  # nobody can be told, nothing breaks
    assert 10 <= operations(limits, account) < 20
    await limits.aclose()


async def test_spending_is_counted_however_much_is_used(database: Database) -> None:
    charges = [Charge("a", 10.0), Charge("b", 20.0)]
    assert await rows.spend(database, charges) == [pytest.approx(10.0, abs=0.5), pytest.approx(20.0, abs=0.5)]
    assert await rows.spend(database, charges) == [pytest.approx(20.0, abs=1.0), pytest.approx(40.0, abs=1.0)]
    assert await rows.take(database, Charge("a", 10.0), most=25.0) == pytest.approx(5.0, abs=1.0)


async def test_what_is_not_used_is_forgotten(database: Database) -> None:
    await rows.spend(database, [Charge("old", 10.0), Charge("used", 1_000.0)])
    await database.execute("UPDATE rate_limits SET used_until = now() - interval '1 second' WHERE key = 'old'")
    async with database.unit() as unit:
        assert await rows.purge(unit, limit=10) == 1
    assert await database.fetchval("SELECT array_agg(key) FROM rate_limits") == ["used"]


async def test_processes_that_tell_at_once_do_not_lock_each_other_out(database: Database) -> None:
    charges = [Charge(f"k{number:03}", 1.0) for number in range(200)]
    try:
        await asyncio.gather(*(rows.spend(database, charges) for _ in range(8)))
    except asyncpg.DeadlockDetectedError:
        pytest.fail("budgets are locked in different orders")
    assert (await rows.spend(database, charges[:1]))[0] == pytest.approx(9.0, abs=1.0)
