"""What changes while somebody signs in: what was compared must still be true when the session begins."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import argon2
import pytest

from db import auth as rows_of
from db import users
from db.unit import Unit
from kit.errors import Conflict, Unauthenticated
from resolvers.context import Services
from services import auth
from services.auth import Accounts, Challenge, Person, SignedIn
from tests.factors import PASSWORD, PHONE, Clock, clock, enrolled
from tests.make import Maker

__all__ = ["clock"]
NEW = "a boat under seven bridges"
WAITING = """
    SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE NOT granted AND datname = current_database()
"""
Change = Callable[[Unit, UUID, str], Awaitable[Any]]


@pytest.fixture
def accounts(services: Services) -> Accounts:
    return Accounts(services.database, services.passwords, services.settings)


async def replaced(unit: Unit, key: UUID, password_hash: str) -> None:
    """Do what another password does to what is open."""
    await users.set_password_hash(unit, key, password_hash)
    await rows_of.revoke_sessions(unit, key)


async def closed(unit: Unit, key: UUID, _password_hash: str) -> None:
    """Do what closing an account does."""
    await unit.execute("UPDATE users SET disabled_at = now() WHERE id = $1", key)
    await rows_of.revoke_sessions(unit, key)


async def meanwhile(accounts: Accounts, key: UUID, change: Change, act: Callable[[], Awaitable[Any]]) -> Any:
    """Return how `act` ends when `change` is done as it begins and committed once it waits for that."""
    password_hash = await accounts.passwords.hash(NEW)
    async with accounts.database.unit() as unit:
        await change(unit, key, password_hash)
        task = asyncio.ensure_future(act())
        async with asyncio.timeout(20):
            while not await accounts.database.fetchval(WAITING):  # noqa: ASYNC110  it happens in the database
                await asyncio.sleep(0.005)
    return (await asyncio.gather(task, return_exceptions=True))[0]


async def standing(accounts: Accounts) -> int:
    """Count the sessions that were not ended."""
    return int(await accounts.database.fetchval("SELECT count(*) FROM sessions WHERE revoked_at IS NULL"))


@pytest.mark.parametrize("change", [replaced, closed])
async def test_a_password_that_is_not_right_any_more_opens_nothing(
    accounts: Accounts, make: Maker, change: Change
) -> None:
    ada = await make.user("ada@example.org", password_hash=await accounts.passwords.hash(PASSWORD))

    async def login() -> Any:
        return await auth.login(accounts, email=ada.email, password=PASSWORD, device=PHONE)

    assert isinstance(await meanwhile(accounts, ada.id, change, login), Unauthenticated)
    assert await standing(accounts) == 0
    last = await accounts.database.fetchrow("SELECT succeeded, details FROM audit_entries ORDER BY seq DESC LIMIT 1")
    assert last is not None
    assert last["succeeded"] is False
    assert last["details"]["reason"] == "CHANGED_MEANWHILE"


async def test_a_hash_that_is_made_anew_brings_no_old_password_back(accounts: Accounts, make: Maker) -> None:
    weak = argon2.PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1).hash(PASSWORD)
    ada = await make.user("ada@example.org", password_hash=weak)

    async def login() -> Any:
        return await auth.login(accounts, email=ada.email, password=PASSWORD, device=PHONE)

    assert isinstance(await meanwhile(accounts, ada.id, replaced, login), Unauthenticated)
    kept = await accounts.database.fetchval("SELECT password_hash FROM users")
    assert await accounts.passwords.verify(kept, NEW)


@pytest.mark.parametrize("change", [replaced, closed])
async def test_a_challenge_of_an_old_password_opens_nothing(accounts: Accounts, clock: Clock, change: Change) -> None:
    person = await enrolled(accounts, clock)
    asked = await auth.login(accounts, email=person.user.email, password=PASSWORD, device=PHONE)
    assert isinstance(asked, Challenge)
    clock.next_step()

    async def verify() -> Any:
        return await auth.verify(accounts, challenge_token=asked.token, code=person.app.code(), device=PHONE)

    assert isinstance(await meanwhile(accounts, person.user.id, change, verify), Unauthenticated)
    assert await standing(accounts) == 0


async def test_a_closed_account_is_not_opened_from_elsewhere(accounts: Accounts, make: Maker) -> None:
    ada = await make.user("ada@example.org")
    await accounts.database.execute("UPDATE users SET email_verified_at = now()")
    person = Person("https://id.example", "ada", ada.email, is_email_verified=True, name="", role=None)

    async def sign_in() -> Any:
        return await auth.sign_in_elsewhere(accounts, person, PHONE)

    assert isinstance(await meanwhile(accounts, ada.id, closed, sign_in), Unauthenticated)
    assert await standing(accounts) == 0


async def test_a_mailbox_that_only_looks_the_same_is_somebody_elses(accounts: Accounts, make: Maker) -> None:
    await make.user("bob@fass.example")
    await accounts.database.execute("UPDATE users SET email_verified_at = now()")
    for address in ("bob@fa\u00df.example", "bo\uff42@fass.example"):
        person = Person("https://id.example", address, address, is_email_verified=True, name="", role=None)
        with pytest.raises(Conflict, match="looks like yours"):
            await auth.sign_in_elsewhere(accounts, person, PHONE)
    assert await accounts.database.fetch("SELECT FROM identities") == []
    same = Person("https://id.example", "bob", "Bob@Fass.example", is_email_verified=True, name="", role=None)
    assert isinstance(await auth.sign_in_elsewhere(accounts, same, PHONE), SignedIn)


async def test_nothing_behind_the_longest_password_is_cut_off(accounts: Accounts, make: Maker) -> None:
    longest = "correct " * 128
    await make.user("ada@example.org", password_hash=await accounts.passwords.hash(longest))
    with pytest.raises(Unauthenticated):
        await auth.login(accounts, email="ada@example.org", password=longest + "!", device=PHONE)


@pytest.mark.parametrize("typed", ["a\x00@example.org", "\ud800@example.org", "", "\x00", "a\u200b@b.org", "<a@b.org>"])
async def test_what_is_no_address_is_a_wrong_one(accounts: Accounts, typed: str) -> None:
    with pytest.raises(Unauthenticated):
        await auth.login(accounts, email=typed, password=PASSWORD, device=PHONE)
