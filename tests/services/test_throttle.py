"""Guesses: a few are free, then they wait, and nobody is locked out by others."""

import asyncio
from dataclasses import replace

import pytest

from db import throttle as rows
from db.throttle import Rule
from db.unit import Database
from kit.errors import RateLimited
from kit.settings import Settings
from services import throttle
from services.throttle import Attempt, Secret
from tests.make import Maker

HERE, THERE, ELSEWHERE = "203.0.113.7", "198.51.100.7", "2001:db8::1"
ADA = "ada@example.org"


async def admitted(database: Database, settings: Settings, count: int, *, address: str = HERE, who: str = ADA) -> int:
    """Return how many of `count` guesses at once may be made."""
    outcomes = await asyncio.gather(
        *(throttle.admit(database, settings, Secret.PASSWORD, who, address) for _ in range(count)),
        return_exceptions=True,
    )
    assert [outcome for outcome in outcomes if not isinstance(outcome, Attempt | RateLimited)] == []
    return sum(isinstance(outcome, Attempt) for outcome in outcomes)


async def later(database: Database, seconds: float) -> None:
    """Let time pass for everything that is counted."""
    await database.execute(
        """
        UPDATE failed_tries SET counted_at = counted_at - $1 * interval '1 second',
            blocked_until = blocked_until - $1 * interval '1 second', forget_at = forget_at - $1 * interval '1 second'
        """,
        seconds,
    )


async def wait_of(database: Database, settings: Settings, address: str = HERE, who: str = ADA) -> int:
    with pytest.raises(RateLimited) as refused:
        await throttle.admit(database, settings, Secret.PASSWORD, who, address)
    return refused.value.retry_after_seconds


async def test_pauses_double_up_to_a_quarter_of_an_hour(database: Database, settings: Settings) -> None:
    assert await admitted(database, settings, 10) == 10
    pauses = [await wait_of(database, settings)]
    for _ in range(8):
        await later(database, pauses[-1])
        assert await admitted(database, settings, 5) == 1
        pauses.append(await wait_of(database, settings))
    assert pauses == [15, 30, 60, 120, 240, 480, 900, 900, 900]


async def test_asking_during_a_pause_does_not_make_it_longer(database: Database, settings: Settings) -> None:
    await admitted(database, settings, 10)
    before = await database.fetch("SELECT * FROM failed_tries ORDER BY key")
    assert await admitted(database, settings, 30) == 0
    assert {row["blocked_until"] for row in before} == {
        row["blocked_until"] for row in await database.fetch("SELECT * FROM failed_tries")
    }


async def test_the_right_one_begins_anew(database: Database, settings: Settings) -> None:
    assert await admitted(database, settings, 9) == 9
    attempt = await throttle.admit(database, settings, Secret.PASSWORD, ADA, HERE)
    await throttle.passed(database, attempt)
    assert await admitted(database, settings, 30) == 10


async def test_a_day_without_guesses_is_forgotten(database: Database, settings: Settings) -> None:
    assert await admitted(database, settings, 10) == 10
    await later(database, 24 * 3_600 + 20)
    assert await admitted(database, settings, 30) == 10


async def test_a_network_waits_for_all_that_it_guesses(database: Database, settings: Settings) -> None:
    settings = replace(settings, sign_in_failures_per_network=12)
    for number in range(12):
        assert await admitted(database, settings, 1, who=f"person{number}@example.org") == 1
    assert await wait_of(database, settings, who="eve@example.org", address="203.0.113.200") == 15
    assert await admitted(database, settings, 1, who="eve@example.org", address=THERE) == 1
    counted = await database.fetchval("SELECT sum(failures) FROM failed_tries WHERE failures < 2")
    assert counted == 14  # twelve people, eve and the other network: what was refused to eve was given back


async def test_a_network_is_forgiven_as_time_passes(database: Database, settings: Settings) -> None:
    settings = replace(settings, sign_in_failures_per_network=12)
    for number in range(12):
        await admitted(database, settings, 1, who=f"person{number}@example.org")
    await later(database, 5 * 60)  # a third of the quarter of an hour: four guesses
    passed = [await admitted(database, settings, 1, who=f"other{number}@example.org") for number in range(6)]
    assert passed == [1, 1, 1, 1, 0, 0]


async def test_right_passwords_of_one_account_do_not_pay_for_guesses_at_others(
    database: Database, settings: Settings
) -> None:
    settings = replace(settings, sign_in_failures_per_network=12)
    for number in range(11):
        await admitted(database, settings, 1, who=f"person{number}@example.org")
        own = await throttle.admit(database, settings, Secret.PASSWORD, "eve@example.org", HERE)
        await throttle.passed(database, own)
    await admitted(database, settings, 1, who="person11@example.org")
    assert await wait_of(database, settings, who="person12@example.org") == 15


async def test_who_is_known_is_not_locked_out_by_others(database: Database, settings: Settings, make: Maker) -> None:
    ada = await make.user(ADA)
    await throttle.signed_in(database, ada.id, HERE)
    assert await admitted(database, settings, 30, address=THERE) == 10
    assert await wait_of(database, settings, address=ELSEWHERE) == 15
    assert await admitted(database, settings, 30, address="203.0.113.99") == 10  # the same network, counted apart
    assert await wait_of(database, settings, address=HERE) == 15


async def test_a_known_network_is_known_for_thirty_days(database: Database, settings: Settings, make: Maker) -> None:
    ada = await make.user(ADA)
    await throttle.signed_in(database, ada.id, HERE)
    await database.execute("UPDATE known_networks SET seen_at = now() - interval '31 days'")
    assert await admitted(database, settings, 30, address=THERE) == 10
    assert await admitted(database, settings, 30, address=HERE) == 0
    async with database.unit() as unit:
        assert await rows.purge(unit, known_days=30, limit=10) == 1
    assert await database.fetchval("SELECT count(*) FROM known_networks") == 0


async def test_networks_can_be_forgotten(database: Database, settings: Settings, make: Maker) -> None:
    ada, bob = await make.user(ADA), await make.user("bob@example.org")
    for user in (ada, bob):
        await throttle.signed_in(database, user.id, HERE)
    await throttle.forget_networks(database, ada.id)
    assert await database.fetchval("SELECT array_agg(user_id) FROM known_networks") == [bob.id]
    assert settings.known_network_days == 30


async def test_codes_are_counted_apart_and_five_are_free(database: Database, settings: Settings) -> None:
    await admitted(database, settings, 10)
    outcomes = await asyncio.gather(
        *(throttle.admit(database, settings, Secret.CODE, ADA, HERE) for _ in range(20)), return_exceptions=True
    )
    assert sum(isinstance(outcome, Attempt) for outcome in outcomes) == 5


async def test_what_was_not_looked_at_does_not_count(database: Database, settings: Settings) -> None:
    for _ in range(30):
        attempt = await throttle.admit(database, settings, Secret.PASSWORD, ADA, HERE)
        await throttle.undone(database, settings, Secret.PASSWORD, attempt)
    assert await admitted(database, settings, 30) == 10


async def test_an_operator_can_clear_both(database: Database, settings: Settings, make: Maker) -> None:
    ada = await make.user(ADA)
    await throttle.signed_in(database, ada.id, HERE)
    settings = replace(settings, sign_in_failures_per_network=12)
    await admitted(database, settings, 10)
    await admitted(database, settings, 10, address=THERE)
    assert await throttle.clear_account(database, ADA)
    assert not await throttle.clear_account(database, ADA)
    assert await admitted(database, settings, 10) == 10
    assert await admitted(database, settings, 10, address=THERE) == 2
    assert await throttle.clear_network(database, "198.51.100.0/24")
    assert not await throttle.clear_network(database, "198.51.100.200")
    assert await admitted(database, settings, 10, address=THERE) == 8


async def test_nothing_is_kept_that_says_whose_account_was_guessed_at(database: Database, settings: Settings) -> None:
    await admitted(database, settings, 3)
    kept = "".join(str(dict(row)) for row in await database.fetch("SELECT * FROM failed_tries"))
    assert "ada" not in kept
    assert "203.0" not in kept


async def test_counts_are_purged_when_their_time_is_over(database: Database) -> None:
    rule = Rule(free=2, pause_seconds=1, max_pause_seconds=2, leak_per_second=0, memory_seconds=60)
    for key in (b"a" * 32, b"b" * 32):
        assert await rows.count(database, key, rule) == 0
    await database.execute("UPDATE failed_tries SET forget_at = now() - interval '1 s' WHERE key = $1", b"a" * 32)
    async with database.unit() as unit:
        assert await rows.purge(unit, known_days=30, limit=10) == 1
    assert await database.fetchval("SELECT array_agg(key) FROM failed_tries") == [b"b" * 32]
