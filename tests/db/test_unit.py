"""The door to PostgreSQL: units, bells and what a connection is prepared for."""

import asyncio
import uuid
from typing import Any

import asyncpg
import pytest

from db.unit import Database, Unit
from kit.errors import BadInput, Unavailable
from resolvers.context import Context, Services
from resolvers.mutation import Payload, change
from services.permissions import Viewer
from tests.conftest import Rung


async def test_bells_ring_once_each_after_the_commit(database: Database, rung: Rung) -> None:
    async with database.unit() as unit:
        unit.ring("work")
        unit.ring("work")
        unit.ring("other")
        assert rung.bells == []
    assert rung.bells == ["work", "other"]


async def test_nothing_rings_and_nothing_stays_after_a_failure(database: Database, rung: Rung) -> None:
    async def fail(unit: Unit) -> None:
        await unit.execute("INSERT INTO users (id, email, email_key, name) VALUES ($1, 'a', 'a', 'A')", uuid.uuid4())
        unit.ring("work")
        raise BadInput("no")

    async def attempt() -> None:
        async with database.unit() as unit:
            await fail(unit)

    with pytest.raises(BadInput):
        await attempt()
    assert rung.bells == []
    assert await database.fetchval("SELECT count(*) FROM users") == 0


async def test_json_comes_and_goes_as_objects(database: Database) -> None:
    value = {"a": [1, None, "é"]}
    assert await database.fetchval("SELECT $1::jsonb", value) == value
    assert await database.fetchval("SELECT $1::jsonb[]", [value, value]) == [value, value]


async def test_a_statement_that_takes_too_long_is_ended(dsn: str) -> None:
    impatient = await Database.connect(dsn, size=1, statement_timeout_seconds=0.1)
    try:
        with pytest.raises(asyncpg.QueryCanceledError):
            await impatient.fetchval("SELECT pg_sleep(10)")
        assert await impatient.fetchval("SELECT 1") == 1
    finally:
        await impatient.close()


async def test_a_server_that_is_not_there_is_one_clear_sentence() -> None:
    with pytest.raises(Unavailable, match="Cannot reach the database"):
        await Database.connect("postgresql://nobody@127.0.0.1:1/none", size=1, statement_timeout_seconds=1)


class FakeInfo:
    """As much of Strawberry's Info as `change` reads; each is somebody else's."""

    def __init__(self, services: Services) -> None:
        self.context = Context(services=services, viewer=Viewer(id=uuid.uuid4()), request_id="test")


async def test_a_deadlock_is_tried_again_and_nobody_notices(services: Services) -> None:
    database = services.database
    keys = sorted(uuid.uuid4() for _ in range(2))
    await database.execute(
        "INSERT INTO users (id, email, email_key, name)"
        " SELECT key, key::text, key::text, '' FROM unnest($1::uuid[]) key",
        keys,
    )
    first_locks = asyncio.Barrier(2)
    tries = 0

    async def lock_both(one: uuid.UUID, other: uuid.UUID) -> Payload:
        async def work(unit: Unit) -> Payload:
            nonlocal tries
            tries += 1
            await unit.execute("UPDATE users SET name = name || 'x' WHERE id = $1", one)
            if tries <= 2:
                await first_locks.wait()
            await unit.execute("UPDATE users SET name = name || 'x' WHERE id = $1", other)
            return Payload(done=True)

        info: Any = FakeInfo(services)
        return await change(info, work, database=database)

    async with asyncio.timeout(30):
        payloads = await asyncio.gather(lock_both(*keys), lock_both(*reversed(keys)))
    assert [payload.user_errors for payload in payloads] == [(), ()]
    assert tries == 3
    assert [row["name"] for row in await database.fetch("SELECT name FROM users")] == ["xx", "xx"]
