"""The outbox: numbers without gaps that become visible in order, and followers that miss and repeat nothing."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import aclosing
from uuid import UUID

import pytest

from db import events as rows_of
from db.unit import Database
from kit.errors import BadInput
from resolvers.context import Services
from services import events
from services.events import EventDraft, Happening, Topic
from tests.make import Maker


def draft(number: int, *, topic: Topic = Topic.BOOKMARK, subject: UUID | None = None) -> EventDraft:
    return EventDraft(topic, subject, {"number": number})


async def record(database: Database, owner: UUID, *drafts: EventDraft) -> None:
    async with database.unit() as unit:
        await events.record(unit, owner, drafts)


async def take(stream: AsyncIterator[Happening], count: int) -> list[Happening]:
    taken = []
    async with asyncio.timeout(20), aclosing(stream) as happenings:  # type: ignore[type-var]  # a generator
        async for happening in happenings:
            taken.append(happening)
            if len(taken) == count:
                break
    return taken


async def test_numbers_have_no_gaps_even_after_a_rollback(services: Services, make: Maker) -> None:
    owner, database = (await make.user()).id, services.database
    await record(database, owner, draft(1), draft(2))

    async def fail() -> None:
        async with database.unit() as unit:
            await events.record(unit, owner, [draft(3)])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    await record(database, owner, draft(4))
    found = await rows_of.after(database, owner, Topic.BOOKMARK, 0, limit=10)
    assert [(row.seq, row.payload["number"]) for row in found] == [(1, 1), (2, 2), (3, 4)]
    assert await rows_of.horizon(database, owner) == (0, 3)


async def test_a_follower_sees_what_concurrent_writers_commit_in_order_without_gap(
    services: Services, make: Maker
) -> None:
    owner, database = (await make.user()).id, services.database
    seed = random.randrange(2**32)
    print("seed", seed)  # noqa: T201  so that a failure can be repeated
    dice = random.Random(seed)

    async def write(writer: int) -> None:
        for step in range(10):
            async with database.unit() as unit:
                await unit.fetchval("SELECT pg_sleep($1)", dice.random() / 200)
                await events.record(unit, owner, [draft(writer * 100 + step)] * dice.randint(1, 3))

    follower = asyncio.create_task(
        take(events.follow(database, services.bus, owner, Topic.BOOKMARK, after=events.cursor_of(0)), 60)
    )
    await asyncio.gather(*(write(writer) for writer in range(6)))
    seen = [happening.event.seq for happening in await follower if happening.event]
    assert seen == list(range(1, 61))


async def test_a_cursor_resumes_exactly_behind_it(services: Services, make: Maker) -> None:
    owner, database = (await make.user()).id, services.database
    await record(database, owner, *(draft(number) for number in range(5)))
    start = events.cursor_of(0)
    first = await take(events.follow(database, services.bus, owner, Topic.BOOKMARK, after=start), 3)
    rest = await take(events.follow(database, services.bus, owner, Topic.BOOKMARK, after=first[-1].cursor), 2)
    assert [happening.event.payload["number"] for happening in [*first, *rest] if happening.event] == [0, 1, 2, 3, 4]


async def test_only_the_topic_subject_and_owner_asked_for(services: Services, make: Maker) -> None:
    owner, other, database = (await make.user()).id, (await make.user()).id, services.database
    await record(database, other, draft(1, subject=owner))
    await record(database, owner, draft(2), draft(3, subject=owner, topic=Topic.IMPORT), draft(4, subject=owner))
    stream = events.follow(database, services.bus, owner, Topic.BOOKMARK, subject_id=owner, after=events.cursor_of(0))
    (happening,) = await take(stream, 1)
    assert happening.event is not None
    assert happening.event.payload == {"number": 4}


async def test_a_pruned_gap_is_told_and_not_hidden(services: Services, make: Maker) -> None:
    owner, database = (await make.user()).id, services.database
    await record(database, owner, draft(1), draft(2))
    await database.execute("UPDATE events SET created_at = now() - interval '100 hours' WHERE seq = 1")
    async with database.unit() as unit:
        assert await rows_of.prune(unit, older_than_hours=72, limit=100) == 1
    assert await rows_of.horizon(database, owner) == (1, 2)
    (told,) = await take(events.follow(database, services.bus, owner, Topic.BOOKMARK, after=events.cursor_of(0)), 1)
    assert told == Happening(events.cursor_of(2), None, resync=True)
    (kept,) = await take(events.follow(database, services.bus, owner, Topic.BOOKMARK, after=events.cursor_of(1)), 1)
    assert kept.event is not None
    assert kept.event.seq == 2


async def test_a_cursor_from_the_future_means_a_restored_database(services: Services, make: Maker) -> None:
    owner = (await make.user()).id
    stream = events.follow(services.database, services.bus, owner, Topic.BOOKMARK, after=events.cursor_of(99))
    assert await take(stream, 1) == [Happening(events.cursor_of(0), None, resync=True)]


@pytest.mark.parametrize("after", ["", "nonsense", events.cursor_of(1)[:-3]])
async def test_a_bad_cursor_is_refused(services: Services, make: Maker, after: str) -> None:
    owner = (await make.user()).id
    with pytest.raises(BadInput):
        await take(events.follow(services.database, services.bus, owner, Topic.BOOKMARK, after=after), 1)


async def test_a_lost_listening_connection_loses_no_event(services: Services, make: Maker) -> None:
    owner, database = (await make.user()).id, services.database
    follower = asyncio.create_task(
        take(events.follow(database, services.bus, owner, Topic.BOOKMARK, after=events.cursor_of(0)), 2)
    )
    await record(database, owner, draft(1))
    services.bus.ready.clear()
    await database.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        " AND datname = current_database() AND query LIKE 'LISTEN%'"
    )
    await record(database, owner, draft(2))
    seen = [happening.event.payload["number"] for happening in await follower if happening.event]
    assert seen == [1, 2]
