"""Statements A1 to A4 and A16: passwords, and new ones by mail."""

import asyncio
from dataclasses import replace
from typing import Any

import argon2
import httpx
import pytest

from db.unit import Database
from kit.crypto import PasswordHasher, fingerprint
from kit.errors import BadInput, RateLimited, Unauthenticated
from kit.wordlist import common_passwords, is_common
from resolvers.context import Services
from services import auth
from services.auth import RESET_MINUTES, Accounts, Device, check_password
from services.mail import MailKind
from tests.app.graphql import toy
from tests.client import Graph, the_schema
from tests.mailbox import Mailbox
from tests.make import Maker

PHONE = Device("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "192.0.2.7")
SECRET, NEW = "correct horse battery", "a boat under seven bridges"
RESET = """
mutation ($input: ResetPasswordInput!) { resetPassword(input: $input) { reset userErrors { code field message } } }
"""
FORGOT = """
mutation ($input: RequestPasswordResetInput!) {
  requestPasswordReset(input: $input) { accepted userErrors { code field message } }
}
"""
LOGIN = (
    "mutation ($input: LoginInput!) { login(input: $input) { session { token } userErrors { code field message } } }"
)


class CountingHasher(PasswordHasher):
    """Counts the work."""

    def __init__(self) -> None:
        super().__init__(threads=2, queue=100)
        self.verified = self.hashed = 0

    async def verify(self, encoded: str | None, password: str) -> bool:
        self.verified += 1
        return await super().verify(encoded, password)

    async def hash(self, password: str) -> str:
        self.hashed += 1
        return await super().hash(password)


@pytest.fixture
def graph(services: Services) -> Graph:
    return Graph(services)


@pytest.fixture
def accounts(services: Services) -> Accounts:
    return Accounts(services.database, services.passwords, services.settings)


@pytest.fixture
def mailbox(services: Services) -> Mailbox:
    return Mailbox(services.database, services.settings)


async def ada_of(accounts: Accounts, make: Maker, email: str = "ada@example.org") -> Any:
    """An account with the password `SECRET`."""
    return await make.user(email, password_hash=await accounts.passwords.hash(SECRET))


async def signs_in(accounts: Accounts, password: str, email: str = "ada@example.org") -> bool:
    try:
        await auth.login(accounts, email=email, password=password, device=PHONE)
    except Unauthenticated:
        return False
    return True


async def hash_of(database: Database) -> str:
    return str(await database.fetchval("SELECT password_hash FROM users"))


async def test_a1_argon2id_with_the_least_parameters_in_a_bounded_pool_beside_the_loop() -> None:
    hasher = PasswordHasher(threads=2, queue=3)
    try:
        encoded = await hasher.hash(SECRET)
        parameters = argon2.extract_parameters(encoded)
        assert parameters.type is argon2.Type.ID
        assert (parameters.memory_cost, parameters.time_cost, parameters.parallelism) == (19_456, 2, 1)

        one = asyncio.create_task(hasher.verify(encoded, SECRET))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not one.done(), "the loop goes on meanwhile"
        assert await one is True
        many = await asyncio.gather(*(hasher.verify(encoded, SECRET) for _ in range(20)), return_exceptions=True)
        assert [one for one in many if one is True] == [True] * 5, "2 threads, and 3 that wait"
        assert len([one for one in many if isinstance(one, RateLimited)]) == 15
        assert hasher._threads._max_workers == 2  # noqa: SLF001  what bounds the memory: 2 of 19 MiB
        assert await hasher.verify(encoded, SECRET) is True
    finally:
        hasher.close()


async def test_a2_a_hash_with_other_parameters_still_opens_and_is_made_anew(accounts: Accounts, make: Maker) -> None:
    weak = argon2.PasswordHasher(time_cost=1, memory_cost=1_024, parallelism=2).hash(SECRET)
    await make.user("ada@example.org", password_hash=weak)
    assert await signs_in(accounts, "wrong wrong") is False
    assert await hash_of(accounts.database) == weak
    assert await signs_in(accounts, SECRET) is True
    renewed = await hash_of(accounts.database)
    assert renewed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert await signs_in(accounts, SECRET) is True
    assert await hash_of(accounts.database) == renewed


async def test_a3_an_unknown_address_costs_the_same_work_and_gets_the_same_answer(
    graph: Graph, services: Services, accounts: Accounts, make: Maker
) -> None:
    await ada_of(accounts, make)
    gone = await ada_of(accounts, make, "gone@example.org")
    await services.database.execute("UPDATE users SET disabled_at = now() WHERE id = $1", gone.id)
    await make.user("elsewhere@example.org", password_hash="!")
    counting = CountingHasher()
    services.passwords = counting
    told = set()
    for email, password in (
        ("ada@example.org", "wrong wrong"),
        ("nobody@example.org", SECRET),
        ("gone@example.org", SECRET),
        ("elsewhere@example.org", SECRET),
    ):
        before = counting.verified
        answer = (await graph.ask(LOGIN, input={"email": email, "password": password}))["login"]
        assert (counting.verified - before, counting.hashed) == (1, 0), email
        told.add(str(answer))
    counting.close()
    assert len(told) == 1
    assert "UNAUTHENTICATED" in told.pop()


async def test_a4_long_passwords_of_any_kind_but_none_of_those_that_everybody_tries(
    accounts: Accounts, make: Maker
) -> None:
    assert len(common_passwords()) > 3_000
    for common in ("12345678", "PASSWORD", "iloveyou1", "ＰＡＳＳＷＯＲＤ", "aaaaaaaaaaaaaaaa", "abababab"):
        with pytest.raises(BadInput, match="tried first"):
            check_password(common)
    for known in (
        "ada.lovelace@example.org",
        "ADA.LOVELACE",
        "example.org",
        "countess ada",
        "CountessAda",
        "Graphmark",
    ):
        with pytest.raises(BadInput, match="known to whoever"):
            check_password(known, email="Ada.Lovelace@Example.org", name="Countess Ada")
    for short in ("", "1234567", "x" * 1_025):
        with pytest.raises(BadInput, match="8 to 1,024"):
            check_password(short)
    for fine in (
        "lower case",
        "ÜBUNG macht",
        "只有中文的密码八",
        "🐎🔋📎🐴🐎🔋📎🐴",
        "y" + "x" * 1_022 + "z",
        NEW,
        SECRET,
    ):
        check_password(fine, email="Ada.Lovelace@Example.org", name="Countess Ada")
    assert not is_common(NEW)

    long = "a" + "b" * 71 + "c" * 100
    await make.user("ada@example.org", password_hash=await accounts.passwords.hash(long))
    assert await signs_in(accounts, long[:72]) is False, "nothing is cut off"
    assert await signs_in(accounts, long) is True
    await make.user("u@example.org", password_hash=await accounts.passwords.hash("A\u030angstro\u0308m"))
    assert await signs_in(accounts, "Ångström", "u@example.org") is True, "NFKC"


async def test_a16_a_reset_link_is_secret_short_lived_single_use_and_bound(
    accounts: Accounts, make: Maker, mailbox: Mailbox, services: Services
) -> None:
    database = accounts.database
    ada = await ada_of(accounts, make)
    session = await make.session(ada)

    async def ask() -> str:
        await auth.request_reset(accounts, email="ADA@example.org", device=PHONE)
        return await mailbox.token(MailKind.PASSWORD_RESET)

    async def reset(token: str, password: str = NEW) -> None:
        await auth.reset_password(accounts, token=token, new_password=password, code=None, device=PHONE)

    async def is_void(token: str) -> bool:
        before = await hash_of(database)
        with pytest.raises(BadInput, match="used or has expired"):
            await reset(token)
        return await hash_of(database) == before

    first = await ask()
    row = await database.fetchrow("SELECT *, expires_at - created_at AS life FROM one_time_tokens")
    assert row is not None
    assert len(first) == len("gmr_") + 43, "256 bits"
    assert (row["token_hash"], row["life"].total_seconds()) == (fingerprint(first), RESET_MINUTES * 60)
    assert first.encode() not in b"".join(value for value in row.values() if isinstance(value, bytes))

    second = await ask()
    assert await is_void(first), "a second request voids the first"
    await database.execute("UPDATE one_time_tokens SET expires_at = now()")
    assert await is_void(second), "it expires"

    third = await ask()
    await database.execute("UPDATE users SET password_hash = $1", await accounts.passwords.hash("another one since"))
    assert await is_void(third), "it is bound to the password"
    fourth = await ask()
    await database.execute("UPDATE users SET email_key = 'moved@example.org'")
    assert await is_void(fourth), "and to the address"
    await database.execute("UPDATE users SET email_key = 'ada@example.org'")
    fifth = await ask()
    await database.execute("UPDATE users SET disabled_at = now()")
    assert await is_void(fifth), "and opens no account that is disabled"
    await database.execute("UPDATE users SET disabled_at = NULL")

    sixth = await ask()
    with pytest.raises(BadInput, match="tried first") as weak:
        await reset(sixth, "password1")
    assert weak.value.field == ("input", "newPassword")
    outcomes = await asyncio.gather(reset(sixth), reset(sixth, "eight other words"), return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["BadInput", "NoneType"], "once"
    assert await auth.authenticate(database, services.settings, session) is None, "all sessions end"
    assert await database.fetchval("SELECT count(*) FROM sessions WHERE revoked_at IS NULL") == 0, "nobody is signed in"
    assert await mailbox.kinds() == [("PASSWORD_CHANGED", "ada@example.org")]


async def test_a16_the_same_answer_and_work_for_an_unknown_address(
    graph: Graph, accounts: Accounts, make: Maker, mailbox: Mailbox
) -> None:
    await ada_of(accounts, make)
    gone = await make.user("gone@example.org")
    database = accounts.database
    await database.execute("UPDATE users SET disabled_at = now() WHERE id = $1", gone.id)
    answers = []
    for email in ("ada@example.org", "nobody@example.org", "gone@example.org"):
        answers.append(await graph.ask(FORGOT, input={"email": email}))
        assert await database.fetchval("SELECT count(*) FROM mail_messages") == 0, "a worker finds out, later"
        assert await database.fetchval("SELECT count(*) FROM one_time_tokens") == 0
    assert answers == [{"requestPasswordReset": {"accepted": True, "userErrors": []}}] * 3
    assert await database.fetchval("SELECT count(*) FROM mail_requests") == 3
    assert await mailbox.kinds() == [("PASSWORD_RESET", "ada@example.org")]
    assert await database.fetchval("SELECT count(*) FROM mail_requests") == 0
    entries = await database.fetch("SELECT action, actor_id, subject_id IS NOT NULL AS has FROM audit_entries")
    assert [tuple(entry) for entry in entries] == [("PASSWORD_RESET_REQUESTED", None, True)]


async def test_a16_the_page_tells_nobody_and_the_link_is_not_what_a_request_calls_the_server(
    services: Services, accounts: Accounts, make: Maker
) -> None:
    await ada_of(accounts, make)
    services.settings = replace(services.settings, base_url="https://links.example.org")
    async with toy.serving(services, the_schema()) as running:
        query = {"query": FORGOT, "variables": {"input": {"email": "ada@example.org"}}}
        asked = await running.http.post("/graphql", json=query, headers={"host": "evil.example"})
        assert asked.json()["data"]["requestPasswordReset"]["accepted"] is True
        (letter,) = await Mailbox(services.database, services.settings).read()
        assert letter.link is not None
        assert letter.link.startswith("https://links.example.org/reset-password?token=gmr_")
        shown = await running.http.get("/reset-password", params=httpx.URL(letter.link).params)
    assert shown.status_code == 200
    assert shown.headers["referrer-policy"] == "no-referrer"
    assert shown.headers["cache-control"] == "no-store"


async def test_a16_mails_are_throttled_for_any_address_alike(graph: Graph, accounts: Accounts, make: Maker) -> None:
    await ada_of(accounts, make)
    most = accounts.settings.rate_mails_per_address_hour
    for email in ("ada@example.org", "nobody@example.org"):
        answers = [await graph.ask(FORGOT, input={"email": email}) for _ in range(most + 1)]
        *accepted, refused = [answer["requestPasswordReset"] for answer in answers]
        assert all(one["accepted"] for one in accepted)
        assert (refused["accepted"], [error["code"] for error in refused["userErrors"]]) == (None, ["RATE_LIMITED"])
