"""Connections that act for one account after the other: none ever answers for another than was asked."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from db.unit import Database, Unit
from db.wall import ROLE, SETTING
from tests.make import Maker

SIZE, OWNERS, STEPS = 4, 12, 600
NAME = "graphmark-tests-acting"
SOON_SECONDS = 60
WHO = f"SELECT current_user::text, nullif(current_setting('{SETTING}', true), '')::uuid"


@pytest_asyncio.fixture(loop_scope="session")
async def small(database: Database) -> AsyncIterator[Database]:
    """A database with few connections, which is emptied before."""
    few = await Database.connect(database.dsn, size=SIZE, statement_timeout_seconds=20, name=NAME)
    async with asyncio.timeout(SOON_SECONDS):
        yield few
        await few.close()


@pytest_asyncio.fixture(loop_scope="session")
async def owners(make: Maker) -> list[UUID]:
    """Accounts with one tag each, which bears the account's id."""
    viewers = [await make.viewer() for _ in range(OWNERS)]
    for viewer in viewers:
        await make.tag(viewer, str(viewer.id))
    return [viewer.id for viewer in viewers]


async def names(rows: Database | Unit) -> list[str]:
    """Return all tags that can be seen."""
    return [row["name"] for row in await rows.fetch("SELECT name FROM tags ORDER BY name")]


async def test_each_sees_their_own_without_asking_for_it(small: Database, owners: list[UUID]) -> None:
    for owner in owners:
        assert await names(small.of(owner)) == [str(owner)]
        async with small.of(owner).unit() as unit:
            assert await names(unit) == [str(owner)]
    assert await names(small) == sorted(map(str, owners))


async def test_the_same_account_is_lent_the_same_connection(small: Database, owners: list[UUID]) -> None:
    pid = "SELECT pg_backend_pid()"
    first = {owner: await small.of(owner).fetchval(pid) for owner in owners[:2]}
    assert len(set(first.values())) == 1  # one connection serves one after the other
    async with small.of(owners[0]).unit() as unit:
        one = await unit.fetchval(pid)
        other = await small.of(owners[1]).fetchval(pid)
    assert one != other
    for _ in range(5):
        assert await small.of(owners[0]).fetchval(pid) == one
        assert await small.of(owners[1]).fetchval(pid) == other


async def test_the_system_and_accounts_keep_to_their_connections(small: Database, owners: list[UUID]) -> None:
    async def pids(rows: Database) -> int:
        return int(await rows.fetchval("SELECT pg_backend_pid()"))

    system = {await pids(small)}
    accounts = {await pids(small.of(owner)) for owner in owners}
    system.add(await pids(small))
    assert len(system) == len(accounts) == 1
    assert not system & accounts


async def test_whoever_acts_for_one_cannot_turn_to_another(small: Database, owners: list[UUID]) -> None:
    acting = small.of(owners[0])
    assert acting.of(owners[0]) is acting
    with pytest.raises(ValueError, match="cannot act for another"):
        acting.of(owners[1])


async def test_a_failed_unit_leaves_its_connection_in_order(small: Database, owners: list[UUID]) -> None:
    async def fail() -> None:
        async with small.of(owners[0]).unit() as unit:
            await unit.execute("SELECT 1 / 0")

    for _ in range(SIZE * 2):
        with pytest.raises(asyncpg.DivisionByZeroError):
            await fail()
        assert await names(small.of(owners[1])) == [str(owners[1])]
        assert tuple(await small.fetchrow(WHO) or ()) == ("postgres", None)


async def test_no_right_no_row(small: Database, owners: list[UUID]) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await small.of(owners[0]).fetch("SELECT token_hash FROM sessions")
    assert await names(small.of(owners[0])) == [str(owners[0])]


async def test_nothing_is_mixed_up_in_a_crowd(small: Database, owners: list[UUID]) -> None:
    """Statements, units, errors, cancellations and killed backends, of many accounts and the system, on few lines."""
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")  # noqa: T201  shown when the test fails
    dice = random.Random(seed)
    everybody = sorted(map(str, owners))
    waiting = asyncio.Semaphore(SIZE * 4)

    async def look(rows: Database | Unit, owner: UUID | None, rest: float) -> None:
        found = await rows.fetch(
            f"SELECT name, who.* FROM tags, ({WHO}) AS who (role, owner), pg_sleep({rest}) ORDER BY 1"
        )
        assert [row["name"] for row in found] == (everybody if owner is None else [str(owner)])
        wanted = ("postgres", None) if owner is None else (ROLE, owner)
        assert {(row["role"], row["owner"]) for row in found} == {wanted}

    async def step(owner: UUID | None, kind: str, rest: float) -> None:
        rows = small if owner is None else small.of(owner)
        async with waiting:
            match kind:
                case "unit":
                    async with rows.unit() as unit:
                        await look(unit, owner, rest)
                        await look(unit, owner, 0)
                case "error":
                    with pytest.raises(asyncpg.DivisionByZeroError):
                        await rows.fetchval("SELECT 1 / 0")
                case "kill":
                    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
                        await rows.fetchval("SELECT pg_terminate_backend(pg_backend_pid()) FROM tags, pg_sleep(0.001)")
                case _:
                    await look(rows, owner, rest)

    kinds = dice.choices(["look", "unit", "error", "cancel", "kill"], weights=[60, 25, 8, 8, 1], k=STEPS)
    tasks = []
    for kind in kinds:
        owner = None if dice.random() < 0.15 else dice.choice(owners)
        if kind == "kill":
            owner = None  # who acts for an account may not end sessions
        task = asyncio.create_task(step(owner, kind, dice.choice([0, 0, 0.002])))
        tasks.append(task)
        if kind == "cancel":
            asyncio.get_running_loop().call_later(dice.random() * 0.5, task.cancel)
    results = await asyncio.gather(*tasks, return_exceptions=True)
    for kind, result in zip(kinds, results, strict=True):
        allowed = (asyncio.CancelledError,) if kind == "cancel" else ()
        assert result is None or isinstance(result, allowed), (kind, result)
    assert small.pool.get_size() <= SIZE
    await until(lambda: _open(small.dsn), at_most=SIZE)
    await asyncio.gather(*(look(small.of(owner), owner, 0) for owner in owners))


async def test_an_account_that_is_cancelled_while_it_is_named_leaves_nothing(
    small: Database, owners: list[UUID]
) -> None:
    for _ in range(20):
        one = asyncio.create_task(names(small.of(owners[0])))
        for _ in range(random.randrange(6)):
            await asyncio.sleep(0)
        one.cancel()
        assert await names(small.of(owners[1])) == [str(owners[1])]
        assert await names(small) == sorted(map(str, owners))
        await asyncio.gather(one, return_exceptions=True)


async def test_statements_are_planned_for_whom_they_run(small: Database, owners: list[UUID]) -> None:
    """A prepared statement goes on to be right when its connection changes between the system and accounts."""
    async with small.unit() as unit:
        connection = unit.connection
        counting = await connection.prepare("SELECT count(*) FROM tags")
        for _ in range(8):
            assert await counting.fetchval() == OWNERS
        await connection.execute(f"SET LOCAL ROLE {ROLE}; SET LOCAL {SETTING} = '{owners[0]}'")
        assert await counting.fetchval() == 1
        await connection.execute("SET LOCAL ROLE none")
        assert await counting.fetchval() == OWNERS


async def until(look: Callable[[], Awaitable[int]], *, at_most: int) -> None:
    """Wait until `look` gives no more than `at_most`."""
    async with asyncio.timeout(SOON_SECONDS):
        while await look() > at_most:  # noqa: ASYNC110  what is waited for happens in PostgreSQL
            await asyncio.sleep(0.01)


async def _open(dsn: str) -> int:
    connection = await asyncpg.connect(dsn)
    try:
        sql = "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1"
        return int(await connection.fetchval(sql, NAME))
    finally:
        await connection.close()
