"""What claims respect: pauses, concurrency and rates of agents, and turns of owners, whoever asks at once."""

import asyncio
import time
from typing import Any
from uuid import uuid4

from db import agents as rows
from db.agents import TaskRow
from db.unit import Database
from services.agents import fleet
from services.permissions import Viewer
from tests.make import Maker
from tests.tasks.test_orchestrator import enqueue

KINDS = {"work": 1, "VALIDATION": 1}


async def take(database: Database, limit: int = 1, seconds: float = 60) -> list[TaskRow]:
    async with database.unit() as unit:
        return await rows.claim(unit, uuid4(), lease_seconds=seconds, kinds=KINDS, limit=limit)


async def announce(database: Database, **limits: Any) -> None:
    card = {"name": "VALIDATION", "kind": "VALIDATION", "version": "1", "description": "A toy."}
    async with database.unit() as unit:
        await fleet.register(unit, [card | {"concurrency": 64, "rate_per_minute": None} | limits])


async def test_an_agents_concurrency_is_exact_whoever_claims_at_once(database: Database, make: Maker) -> None:
    await announce(database, concurrency=3)
    viewer = await make.viewer()
    for _ in range(20):
        await enqueue(database, viewer, kind="VALIDATION")
    found = await asyncio.gather(*(take(database, 2) for _ in range(8)))
    taken = [task for tasks in found for task in tasks]
    assert len(taken) == 3
    assert await take(database, 5) == []
    await database.execute("UPDATE a2a_tasks SET lease_until = now() - interval '1 s' WHERE id = $1", taken[0].id)
    assert len(await take(database, 5)) == 1  # whose worker died runs no more


async def test_a_paused_agent_gets_nothing_and_others_do(database: Database, make: Maker) -> None:
    await announce(database)
    viewer = await make.viewer()
    await enqueue(database, viewer, kind="VALIDATION", priority=10)
    other = await enqueue(database, viewer)
    await database.execute("UPDATE agent_registrations SET is_paused = true")
    assert [task.id for task in await take(database, 5)] == [other.id]


async def test_an_agents_rate_spaces_its_claims(database: Database, make: Maker) -> None:
    await announce(database, rate_per_minute=60)
    viewer = await make.viewer()
    for _ in range(3):
        await enqueue(database, viewer, kind="VALIDATION")
    assert len(await take(database, 5)) == 1
    assert await take(database, 5) == []
    await database.execute("UPDATE agent_registrations SET rate_next_at = rate_next_at - interval '1 s'")
    assert len(await take(database, 5)) == 1


async def test_several_slots_are_shared_out_as_single_ones(database: Database, make: Maker) -> None:
    greedy, modest = await make.viewer(), await make.viewer()
    many = [await enqueue(database, greedy) for _ in range(10)]
    small = await enqueue(database, modest)
    urgent = await enqueue(database, greedy, priority=5)
    found = {task.id for task in await take(database, 4)}
    assert found == {urgent.id, small.id, many[0].id, many[1].id}


async def test_a_hundred_thousand_of_one_do_not_slow_the_ten_of_another(database: Database, make: Maker) -> None:
    """F17: a claim takes as long as ever, and the small owner is served at once."""
    giant, small = await make.viewer(), await make.viewer()
    await fill(database, giant, 100_000)
    await fill(database, small, 10)
    await database.execute("ANALYZE a2a_tasks")
    taken: list[TaskRow] = []
    began = time.monotonic()
    for _ in range(10):
        taken += await take(database, 2)
    assert time.monotonic() - began < 2
    assert [task.owner_id for task in taken].count(small.id) == 10


async def fill(database: Database, viewer: Viewer, number: int) -> None:
    await database.execute(
        """
        INSERT INTO a2a_tasks (id, owner_id, workflow, kind, max_attempts)
        SELECT gen_random_uuid(), $1, 'TEST', 'work', 3 FROM generate_series(1, $2)
        """,
        viewer.id,
        number,
    )
