"""The patience of hosts and the answers that owners share, across workers: each test has several of them."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from db.unit import Database
from db.validation import hosts, results
from db.validation.hosts import Pace

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SLOW = Pace(concurrency=2, spacing_seconds=30.0)
QUICK = Pace(concurrency=2, spacing_seconds=0.000_001)
HOST = "example.org"
DIGEST = bytes(range(32))


async def test_the_second_waits_for_the_spacing(database: Database) -> None:
    assert await hosts.enter(database, HOST, uuid4(), SLOW) == 0.0
    assert 29.0 < await hosts.enter(database, HOST, uuid4(), SLOW) <= 30.0
    assert await hosts.enter(database, "other.example", uuid4(), SLOW) == 0.0


async def test_no_more_than_two_at_once_however_many_ask(database: Database) -> None:
    visits = [uuid4() for _ in range(20)]
    waits = await asyncio.gather(*(hosts.enter(database, HOST, visit, QUICK) for visit in visits))
    assert sum(wait == 0.0 for wait in waits) == 2
    inside = visits[waits.index(0.0)]
    await hosts.leave(database, HOST, inside)
    await hosts.leave(database, HOST, inside)  # twice is once
    waits = await asyncio.gather(*(hosts.enter(database, HOST, uuid4(), QUICK) for _ in range(20)))
    assert sum(wait == 0.0 for wait in waits) == 1


async def test_the_place_of_a_dead_worker_is_free_after_its_lease(database: Database) -> None:
    lost = Pace(concurrency=1, spacing_seconds=0.000_001, lease_seconds=-1.0)
    assert await hosts.enter(database, HOST, uuid4(), lost) == 0.0
    assert await hosts.enter(database, HOST, uuid4(), Pace(1, 0.000_001)) == 0.0
    assert await hosts.enter(database, HOST, uuid4(), Pace(1, 0.000_001)) > 0.0
    (count,) = await database.fetch("SELECT count(*) FROM hosts, jsonb_each(in_flight)")
    assert count["count"] == 1


async def test_a_host_that_asks_for_patience_is_left_alone(database: Database) -> None:
    visit, until = uuid4(), datetime.now(UTC) + timedelta(hours=2)
    await hosts.enter(database, HOST, visit, QUICK)
    await hosts.leave(database, HOST, visit, not_before=until)
    assert 7_100 < await hosts.enter(database, HOST, uuid4(), QUICK) <= 7_200
    await hosts.leave(database, HOST, visit, not_before=until - timedelta(hours=1))  # does not shorten it
    await hosts.leave(database, HOST, visit)
    assert await hosts.enter(database, HOST, uuid4(), QUICK) > 7_100


async def test_going_on_books_the_next_turn_before_others(database: Database) -> None:
    visit = uuid4()
    await hosts.enter(database, HOST, visit, SLOW)
    assert 29.0 < await hosts.go_on(database, HOST, visit, SLOW) <= 30.0
    assert 59.0 < await hosts.go_on(database, HOST, visit, SLOW) <= 60.0
    assert 89.0 < await hosts.enter(database, HOST, uuid4(), SLOW) <= 90.0


async def test_what_a_probe_found_is_remembered_for_a_while(database: Database) -> None:
    await hosts.enter(database, HOST, uuid4(), QUICK)
    assert await hosts.probe_of(database, HOST, within_seconds=60) is None
    await hosts.keep_probe(database, HOST, title="not here", digest=DIGEST, simhash=-7, words=12)
    probe = await hosts.probe_of(database, HOST, within_seconds=60)
    assert probe is not None
    assert (probe.title, probe.digest, probe.simhash, probe.words) == ("not here", DIGEST, -7, 12)
    assert await hosts.probe_of(database, HOST, within_seconds=0) is None
    await hosts.keep_probe(database, HOST, title=None, digest=None, simhash=None, words=None)
    nothing = await hosts.probe_of(database, HOST, within_seconds=60)
    assert nothing is not None
    assert nothing.digest is None


async def test_hosts_are_forgotten_unless_they_ask_for_patience(database: Database) -> None:
    for host in ("a.example", "b.example", "c.example"):
        await hosts.enter(database, host, uuid4(), QUICK)
    await hosts.leave(database, "b.example", uuid4(), not_before=datetime.now(UTC) + timedelta(hours=1))
    await database.execute("UPDATE hosts SET used_at = now() - interval '40 days' WHERE host <> 'c.example'")
    async with database.unit() as unit:
        assert await hosts.purge(unit, older_than_days=30, limit=10) == 1
    assert {row["host"] for row in await database.fetch("SELECT host FROM hosts")} == {"b.example", "c.example"}


async def take(database: Database, who: UUID, *, fresh: float = 60.0, lease: float = 60.0) -> results.ResultRow:
    """Try to be the one who asks."""
    return await results.claim(database, DIGEST, who, fresh_seconds=fresh, lease_seconds=lease)


async def test_an_address_is_asked_by_one_at_a_time(database: Database) -> None:
    workers = [uuid4() for _ in range(10)]
    found = await asyncio.gather(*(take(database, who) for who in workers))
    assert sum(one.is_mine for one in found) == 1
    assert all(0 < one.busy_seconds <= 60 for one in found if not one.is_mine)
    winner = workers[[one.is_mine for one in found].index(True)]
    loser = next(who for who in workers if who != winner)
    assert not await results.keep(database, DIGEST, loser, {"status": "OK"}, NOW)
    assert await results.keep(database, DIGEST, winner, {"status": "OK"}, datetime.now(UTC))
    again = await take(database, uuid4())
    assert (again.is_mine, again.busy_seconds, again.observation) == (False, 0.0, {"status": "OK"})
    assert (await take(database, uuid4(), fresh=-1.0)).is_mine


@pytest.mark.parametrize("lets_go", [True, False])
async def test_a_claim_ends_when_it_is_given_back_or_lost(database: Database, *, lets_go: bool) -> None:
    first, second = uuid4(), uuid4()
    assert (await take(database, first, lease=60.0 if lets_go else -1.0)).is_mine
    if lets_go:
        await results.let_go(database, DIGEST, first)
    assert (await take(database, second)).is_mine
    assert not await results.keep(database, DIGEST, first, {"late": True}, NOW)
    await results.let_go(database, DIGEST, first)
    assert not (await take(database, uuid4())).is_mine


async def test_answers_are_forgotten(database: Database) -> None:
    await take(database, uuid4(), lease=-7_200.0)
    async with database.unit() as unit:
        assert await results.purge(unit, older_than_hours=3, limit=10) == 0
        assert await results.purge(unit, older_than_hours=1, limit=10) == 1
