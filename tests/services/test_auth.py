"""Opening accounts, signing in and out."""

import asyncio

import argon2
import pytest

from db import auth as rows_of
from db.unit import Database
from kit.crypto import PasswordHasher, fingerprint
from kit.errors import BadInput, Conflict, Forbidden, NotFound, Unauthenticated
from kit.settings import Registration, Settings
from services import auth
from services.auth import Accounts, Device, SignedIn
from services.permissions import Role, Viewer
from tests.make import Maker

PHONE = Device(user_agent="a phone", network_address="127.0.0.1")
SECRET = "correct horse battery"


@pytest.fixture
def accounts(database: Database, passwords: PasswordHasher, settings: Settings) -> Accounts:
    return Accounts(database, passwords, settings)


async def open_account(
    accounts: Accounts, email: str = "Ada@Example.org", *, invite_token: str | None = None
) -> SignedIn:
    return await auth.register(
        accounts, email=email, password=SECRET, name=" Ada  L ", invite_token=invite_token, device=PHONE
    )


async def test_register_opens_an_account_and_a_session(accounts: Accounts) -> None:
    signed_in = await open_account(accounts)
    assert (signed_in.user.email, signed_in.user.name, signed_in.user.role) == ("Ada@Example.org", "Ada L", "USER")
    viewer = await auth.authenticate(accounts.database, accounts.settings, signed_in.token)
    assert viewer is not None
    assert (viewer.id, viewer.role) == (signed_in.user.id, Role.USER)
    stored = await accounts.database.fetchrow("SELECT token_hash, user_agent FROM sessions")
    assert stored is not None
    assert (bytes(stored["token_hash"]), stored["user_agent"]) == (fingerprint(signed_in.token), "a phone")
    assert SECRET not in await accounts.database.fetchval("SELECT password_hash FROM users")


@pytest.mark.parametrize("email", ["ada@example.org", "ADA@EXAMPLE.ORG", "  Ada@example.org ", "ａda@example.org"])
async def test_an_address_is_taken_however_it_is_written(accounts: Accounts, email: str) -> None:
    await open_account(accounts)
    with pytest.raises(Conflict) as refused:
        await open_account(accounts, email)
    assert refused.value.field == ("input", "email")
    assert await accounts.database.fetchval("SELECT count(*) FROM users") == 1


async def test_two_at_once_open_one_account(accounts: Accounts) -> None:
    outcomes = await asyncio.gather(*(open_account(accounts) for _ in range(8)), return_exceptions=True)
    assert sum(isinstance(outcome, SignedIn) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 7


@pytest.mark.parametrize("email", ["", "ada", "@example.org", "ada@", "a b@example.org", "x" * 250 + "@example.org"])
async def test_what_is_not_an_address_is_refused(accounts: Accounts, email: str) -> None:
    with pytest.raises(BadInput) as refused:
        await open_account(accounts, email)
    assert refused.value.field == ("input", "email")


@pytest.mark.parametrize("password", ["", "seven77", "x" * 1025])
async def test_a_password_has_8_to_1024_characters(accounts: Accounts, password: str) -> None:
    with pytest.raises(BadInput) as refused:
        await auth.register(
            accounts, email="a@example.org", password=password, name="A", invite_token=None, device=PHONE
        )
    assert refused.value.field == ("input", "password")


async def test_a_long_password_is_not_cut_off(accounts: Accounts) -> None:
    long = "xyz" * 24
    await auth.register(accounts, email="a@example.org", password=long + "y", name="A", invite_token=None, device=PHONE)
    with pytest.raises(Unauthenticated):
        await auth.login(accounts, email="a@example.org", password=long + "z", device=PHONE)


@pytest.mark.parametrize("policy", [Registration.CLOSED, Registration.INVITE])
async def test_registration_may_be_closed(
    database: Database, passwords: PasswordHasher, dsn: str, policy: Registration
) -> None:
    accounts = Accounts(database, passwords, Settings(database_url=dsn, registration=policy))
    with pytest.raises(Forbidden):
        await open_account(accounts)
    assert await database.fetchval("SELECT count(*) FROM users") == 0


async def test_where_passwords_are_off_nobody_opens_an_account_with_one_but_by_a_link(
    database: Database, passwords: PasswordHasher, dsn: str
) -> None:
    accounts = Accounts(database, passwords, Settings(database_url=dsn, password_login=False))
    with pytest.raises(Forbidden):
        await open_account(accounts)
    assert await database.fetchval("SELECT count(*) FROM users") == 0
    async with database.unit() as unit:
        token = await auth.create_setup_token(unit)
    assert (await open_account(accounts, invite_token=token)).user.role == "ADMIN"


async def test_the_setup_link_makes_one_administrator_even_when_registration_is_closed(
    database: Database, passwords: PasswordHasher, dsn: str
) -> None:
    accounts = Accounts(database, passwords, Settings(database_url=dsn, registration=Registration.CLOSED))
    async with database.unit() as unit:
        old = await auth.create_setup_token(unit)
        new = await auth.create_setup_token(unit)
    with pytest.raises(BadInput):
        await open_account(accounts, invite_token=old)
    assert (await open_account(accounts, invite_token=new)).user.role == "ADMIN"
    with pytest.raises(BadInput):
        await open_account(accounts, "b@example.org", invite_token=new)
    async with database.unit() as unit:
        assert await auth.create_setup_token(unit) is None


async def test_a_refused_registration_leaves_the_setup_link_unused(accounts: Accounts) -> None:
    await open_account(accounts)
    async with accounts.database.unit() as unit:
        token = await auth.create_setup_token(unit)
    with pytest.raises(Conflict):
        await open_account(accounts, invite_token=token)
    assert (await open_account(accounts, "b@example.org", invite_token=token)).user.role == "ADMIN"


async def test_login_says_the_same_whatever_is_wrong(accounts: Accounts) -> None:
    await open_account(accounts)
    gone = await open_account(accounts, "gone@example.org")
    await accounts.database.execute("UPDATE users SET disabled_at = now() WHERE id = $1", gone.user.id)
    attempts = [("nobody@example.org", SECRET), ("ada@example.org", "wrong wrong"), ("gone@example.org", SECRET)]
    messages = set()
    for email, password in [*attempts, ("not an address", SECRET)]:
        with pytest.raises(Unauthenticated) as refused:
            await auth.login(accounts, email=email, password=password, device=PHONE)
        messages.add((refused.value.message, refused.value.field))
    assert len(messages) == 1


async def test_login_gives_a_new_token_each_time(accounts: Accounts) -> None:
    first = await open_account(accounts)
    second = await auth.login(accounts, email="ADA@example.org", password=SECRET, device=PHONE)
    assert isinstance(second, SignedIn)
    assert second.token != first.token
    assert second.user.id == first.user.id
    assert await accounts.database.fetchval("SELECT last_login_at IS NOT NULL FROM users")


async def test_an_outdated_hash_is_made_anew_at_login(accounts: Accounts, make: Maker) -> None:

    weak = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(SECRET)
    user = await make.user("old@example.org", password_hash=weak)
    await auth.login(accounts, email="old@example.org", password=SECRET, device=PHONE)
    renewed = await accounts.database.fetchval("SELECT password_hash FROM users WHERE id = $1", user.id)
    assert renewed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    await auth.login(accounts, email="old@example.org", password=SECRET, device=PHONE)


async def test_logout_ends_this_session_only_and_rings(accounts: Accounts, make: Maker) -> None:
    user = await make.user()
    kept, ended = await make.session(user), await make.session(user)
    viewer = await auth.authenticate(accounts.database, accounts.settings, ended)
    assert viewer is not None
    async with accounts.database.unit() as unit:
        assert await auth.logout(unit, viewer, PHONE) is True
    async with accounts.database.unit() as unit:
        assert await auth.logout(unit, viewer, PHONE) is False
    assert await auth.authenticate(accounts.database, accounts.settings, ended) is None
    assert await auth.authenticate(accounts.database, accounts.settings, kept) is not None
    assert await auth.seconds_left(accounts.database, viewer) == 0


@pytest.mark.parametrize("column", ["expires_at", "idle_expires_at"])
async def test_a_session_ends_by_itself(accounts: Accounts, make: Maker, column: str) -> None:
    token = await make.session(await make.user())
    await accounts.database.execute(f"UPDATE sessions SET {column} = now()")
    assert await auth.authenticate(accounts.database, accounts.settings, token) is None


async def test_use_moves_the_idle_limit_at_most_once_a_minute(accounts: Accounts, make: Maker) -> None:
    token = await make.session(await make.user())
    seen = "SELECT last_seen_at FROM sessions"
    before = await accounts.database.fetchval(seen)
    await auth.authenticate(accounts.database, accounts.settings, token)
    assert await accounts.database.fetchval(seen) == before
    await accounts.database.execute("UPDATE sessions SET last_seen_at = now() - interval '61 seconds'")
    await auth.authenticate(accounts.database, accounts.settings, token)
    assert await accounts.database.fetchval(f"{seen} WHERE last_seen_at > now() - interval '10 seconds'") is not None


@pytest.mark.parametrize("token", ["", "gms_nonsense", "x" * 10_000, "gms_\x00"])
async def test_an_unknown_token_speaks_for_nobody(accounts: Accounts, token: str) -> None:
    assert await auth.authenticate(accounts.database, accounts.settings, token) is None


async def test_a_setup_token_is_no_session_token(accounts: Accounts) -> None:
    async with accounts.database.unit() as unit:
        token = await auth.create_setup_token(unit)
    assert token is not None
    assert await rows_of.live_session(accounts.database, fingerprint(token)) is None


async def test_the_command_line_acts_for_an_enabled_account_only(accounts: Accounts, make: Maker) -> None:
    user = await make.user("op@example.org")
    assert await auth.viewer_by_email(accounts.database, "OP@example.org") == Viewer(id=user.id)
    await accounts.database.execute("UPDATE users SET disabled_at = now()")
    with pytest.raises(NotFound):
        await auth.viewer_by_email(accounts.database, "op@example.org")
