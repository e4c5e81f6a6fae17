"""Changing a password, setting a new one by mail, confirming an address."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from db.users import UserRow
from kit.errors import BadInput, Conflict, Forbidden, RateLimited, Unauthenticated
from resolvers.context import Services
from services import auth
from services.auth import Accounts, Challenge, Device, SignedIn
from services.mail import MailKind
from services.permissions import ApiScope, Viewer
from tests.factors import PASSWORD, PHONE, Clock, clock, enrolled
from tests.mailbox import Mailbox
from tests.make import Maker

__all__ = ["clock"]
NEW = "a boat under seven bridges"


@pytest.fixture
def accounts(services: Services) -> Accounts:
    return Accounts(services.database, services.passwords, services.settings)


@pytest.fixture
def mailbox(services: Services) -> Mailbox:
    return Mailbox(services.database, services.settings)


async def ada_of(accounts: Accounts, make: Maker) -> UserRow:
    return await make.user("ada@example.org", password_hash=await accounts.passwords.hash(PASSWORD))


async def login(accounts: Accounts, password: str) -> SignedIn | Challenge:
    return await auth.login(accounts, email="ada@example.org", password=password, device=PHONE)


async def actions(accounts: Accounts) -> list[tuple[str, bool, str | None]]:
    found = await accounts.database.fetch(
        "SELECT action, succeeded, details->>'reason' FROM audit_entries ORDER BY seq"
    )
    return [tuple(row) for row in found]


async def change(accounts: Accounts, viewer: Viewer, current: str = PASSWORD, new: str = NEW) -> None:
    await auth.change_password(accounts, viewer, current_password=current, new_password=new, device=PHONE)


async def test_a_changed_password_counts_at_once_and_ends_every_other_session(
    accounts: Accounts, make: Maker, mailbox: Mailbox
) -> None:
    ada, bob = await ada_of(accounts, make), await make.user("bob@example.org")
    tokens = [await make.session(one) for one in (ada, ada, bob)]
    here = await auth.authenticate(accounts.database, accounts.settings, tokens[0])
    assert here is not None
    await change(accounts, here)
    alive = [await auth.authenticate(accounts.database, accounts.settings, token) for token in tokens]
    assert [one is not None for one in alive] == [True, False, True]
    with pytest.raises(Unauthenticated):
        await login(accounts, PASSWORD)
    assert isinstance(await login(accounts, NEW), SignedIn)
    assert await mailbox.kinds() == [("PASSWORD_CHANGED", "ada@example.org")]
    assert ("PASSWORD_CHANGED", True, None) in await actions(accounts)


@pytest.mark.parametrize("is_outdated", [False, True])
async def test_a_password_that_is_replaced_while_it_is_compared_opens_nothing(
    accounts: Accounts, make: Maker, monkeypatch: pytest.MonkeyPatch, *, is_outdated: bool
) -> None:
    ada = await ada_of(accounts, make)
    compare = accounts.passwords.verify

    async def verify(encoded: str | None, password: str) -> bool:
        fits = await compare(encoded, password)
        await accounts.database.execute("UPDATE users SET password_hash = 'another' WHERE id = $1", ada.id)
        return fits

    monkeypatch.setattr(accounts.passwords, "verify", verify)
    monkeypatch.setattr(accounts.passwords, "is_outdated", lambda _encoded: is_outdated)
    with pytest.raises(Unauthenticated):
        await login(accounts, PASSWORD)
    assert await accounts.database.fetchval("SELECT password_hash FROM users") == "another"
    assert await accounts.database.fetch("SELECT FROM sessions") == []


async def test_an_account_that_is_closed_while_its_password_is_compared_stays_closed(
    accounts: Accounts, make: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await ada_of(accounts, make)
    compare = accounts.passwords.verify

    async def verify(encoded: str | None, password: str) -> bool:
        fits = await compare(encoded, password)
        await accounts.database.execute("UPDATE users SET disabled_at = now() WHERE id = $1", ada.id)
        return fits

    monkeypatch.setattr(accounts.passwords, "verify", verify)
    with pytest.raises(Unauthenticated):
        await login(accounts, PASSWORD)
    await accounts.database.execute("UPDATE users SET disabled_at = NULL")
    assert await accounts.database.fetch("SELECT FROM sessions") == []


async def test_what_changes_no_password(accounts: Accounts, make: Maker, mailbox: Mailbox) -> None:
    ada = await ada_of(accounts, make)
    viewer = Viewer(ada.id)
    before = await accounts.database.fetchval("SELECT password_hash FROM users")
    refused: list[tuple[type[Exception], str, str, str]] = [
        (Unauthenticated, "wrong wrong", NEW, "currentPassword"),
        (BadInput, PASSWORD, "short", "newPassword"),
        (BadInput, PASSWORD, "password123", "newPassword"),
        (BadInput, PASSWORD, "ADA@example.org", "newPassword"),
        (BadInput, PASSWORD, PASSWORD, "newPassword"),
    ]
    for kind, current, new, field in refused:
        with pytest.raises(kind) as error:
            await change(accounts, viewer, current, new)
        assert getattr(error.value, "field", None) == ("input", field)
    key = replace(viewer, scopes=frozenset(ApiScope))
    with pytest.raises(Forbidden):
        await change(accounts, key)
    closed = replace(accounts, settings=replace(accounts.settings, password_login=False))
    with pytest.raises(Forbidden, match="takes no passwords"):
        await change(closed, viewer)
    assert await accounts.database.fetchval("SELECT password_hash FROM users") == before
    assert await mailbox.kinds() == []
    assert await actions(accounts) == [("PASSWORD_CHANGED", False, "WRONG_PASSWORD")]


async def test_guessing_the_current_password_is_throttled(accounts: Accounts, make: Maker) -> None:
    viewer = Viewer((await ada_of(accounts, make)).id)
    for _ in range(accounts.settings.password_failures_per_account):
        with pytest.raises(Unauthenticated):
            await change(accounts, viewer, "wrong wrong")
    with pytest.raises(RateLimited):
        await change(accounts, viewer)


async def test_of_two_changes_at_once_one_counts(accounts: Accounts, make: Maker) -> None:
    viewer = Viewer((await ada_of(accounts, make)).id)
    outcomes = await asyncio.gather(
        change(accounts, viewer), change(accounts, viewer, new="eight other words"), return_exceptions=True
    )
    assert sorted(type(one).__name__ for one in outcomes) in (["Conflict", "NoneType"], ["NoneType", "Unauthenticated"])


async def test_a_reset_never_bypasses_the_second_factor(accounts: Accounts, clock: Clock, mailbox: Mailbox) -> None:
    ada = await enrolled(accounts, clock)
    await auth.request_reset(accounts, email=ada.user.email, device=PHONE)
    token = await mailbox.token(MailKind.PASSWORD_RESET)
    clock.next_step()

    async def reset(code: str | None) -> None:
        await auth.reset_password(accounts, token=token, new_password=NEW, code=code, device=PHONE)

    with pytest.raises(BadInput, match="second factor") as missing:
        await reset(None)
    assert missing.value.field == ("input", "code")
    with pytest.raises(Unauthenticated):
        await reset("000000" if ada.app.code() != "000000" else "000001")
    assert await auth.authenticate(accounts.database, accounts.settings, ada.session.token) is not None
    code = ada.app.code()
    await reset(code)
    assert isinstance(await login(accounts, NEW), Challenge), "it is still asked for"
    assert await auth.authenticate(accounts.database, accounts.settings, ada.session.token) is None
    with pytest.raises(BadInput, match="used or has expired"):
        await reset(code)


async def test_a_recovery_code_serves_for_a_reset_and_is_used_up_only_by_one_that_succeeds(
    accounts: Accounts, clock: Clock, mailbox: Mailbox
) -> None:
    ada = await enrolled(accounts, clock)
    left = "SELECT count(*) FROM recovery_codes"
    await auth.request_reset(accounts, email=ada.user.email, device=PHONE)
    token = await mailbox.token(MailKind.PASSWORD_RESET)
    for code, password in ((ada.recovery_codes[0], "password1"), (ada.recovery_codes[0], NEW)):
        before = await accounts.database.fetchval(left)
        try:
            await auth.reset_password(accounts, token=token, new_password=password, code=code, device=PHONE)
        except BadInput:
            assert await accounts.database.fetchval(left) == before
    assert await accounts.database.fetchval(left) == 9


async def test_a_reset_frees_an_account_that_was_guessed_at(accounts: Accounts, make: Maker, mailbox: Mailbox) -> None:
    await ada_of(accounts, make)
    for _ in range(accounts.settings.password_failures_per_account):
        with pytest.raises(Unauthenticated):
            await login(accounts, "wrong wrong")
    with pytest.raises(RateLimited):
        await login(accounts, PASSWORD)
    await auth.request_reset(accounts, email="ada@example.org", device=Device("", "198.51.100.1"))
    token = await mailbox.token(MailKind.PASSWORD_RESET)
    await auth.reset_password(accounts, token=token, new_password=NEW, code=None, device=PHONE)
    assert isinstance(await login(accounts, NEW), SignedIn)


@pytest.mark.parametrize("token", ["", "gmr_nonsense", "x" * 10_000, "gmr_\x00"])
async def test_what_is_no_link_opens_nothing(accounts: Accounts, token: str) -> None:
    with pytest.raises(BadInput, match="used or has expired"):
        await auth.reset_password(accounts, token=token, new_password=NEW, code=None, device=PHONE)
    with pytest.raises(BadInput, match="used or has expired"):
        await auth.verify_email(accounts, token=token, device=PHONE)


async def test_an_address_is_confirmed_by_the_link_of_its_registration_once(
    accounts: Accounts, mailbox: Mailbox
) -> None:
    registered = await auth.register(
        accounts, email="ada@example.org", password=PASSWORD, name="Ada", invite_token=None, device=PHONE
    )
    database = accounts.database
    assert registered.user.is_email_verified is False
    (letter,) = await mailbox.read()
    assert (letter.kind, letter.to) == (MailKind.EMAIL_VERIFICATION, "ada@example.org")
    assert letter.link is not None
    token = letter.link.partition("token=")[2]
    before = await snapshot(accounts)
    verified = await auth.verify_email(accounts, token=token, device=PHONE)
    assert (verified.id, verified.is_email_verified) == (registered.user.id, True)
    assert await snapshot(accounts) == before, "and nothing else has changed"
    with pytest.raises(BadInput, match="used or has expired"):
        await auth.verify_email(accounts, token=token, device=PHONE)
    with pytest.raises(Conflict):
        await auth.request_verification(accounts, Viewer(verified.id))
    assert await auth.authenticate(database, accounts.settings, registered.token) is not None


async def snapshot(accounts: Accounts) -> Any:
    return await accounts.database.fetch("SELECT id, email, role, password_hash, disabled_at FROM users")


async def test_another_link_voids_the_first_and_an_address_that_changed_is_not_confirmed(
    accounts: Accounts, make: Maker, mailbox: Mailbox
) -> None:
    viewer = Viewer((await make.user("ada@example.org")).id)
    tokens = []
    for _ in range(2):
        await auth.request_verification(accounts, viewer)
        tokens.append(await mailbox.token(MailKind.EMAIL_VERIFICATION))
    await accounts.database.execute("UPDATE users SET email_key = 'moved@example.org'")
    for token in tokens:
        with pytest.raises(BadInput):
            await auth.verify_email(accounts, token=token, device=PHONE)
    await accounts.database.execute("UPDATE users SET email_key = 'ada@example.org'")
    with pytest.raises(BadInput):
        await auth.verify_email(accounts, token=tokens[0], device=PHONE)
    with pytest.raises(BadInput):
        await auth.reset_password(accounts, token=tokens[1], new_password=NEW, code=None, device=PHONE)
    assert (await auth.verify_email(accounts, token=tokens[1], device=PHONE)).is_email_verified


FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:{}.0) Gecko/20100101 Firefox/{}.0"


async def test_a_sign_in_from_somewhere_new_is_told_once(accounts: Accounts, make: Maker, mailbox: Mailbox) -> None:
    await ada_of(accounts, make)

    async def sign_in(version: int, address: str, password: str = PASSWORD) -> list[tuple[str, str]]:
        device = Device(FIREFOX.format(version, version), address)
        await auth.login(accounts, email="ada@example.org", password=password, device=device)
        return await mailbox.kinds()

    assert await sign_in(140, "192.0.2.7") == [], "the first one"
    assert await sign_in(141, "192.0.2.99") == [], "a new version, the same network"
    assert await sign_in(141, "198.51.100.7") == [("NEW_SIGN_IN", "ada@example.org")]
    assert await sign_in(142, "198.51.100.8") == []
    device = Device("curl/8.5.0", "192.0.2.7")
    await auth.login(accounts, email="ada@example.org", password=PASSWORD, device=device)
    (letter,) = await mailbox.read()
    assert "From: curl, network address 192.0.2.7." in letter.paragraphs[1]
    with pytest.raises(Unauthenticated):
        await sign_in(140, "203.0.113.9", "wrong wrong")
    assert await mailbox.kinds() == []


async def test_guessing_at_an_account_is_told_to_it_once_a_day_and_to_nobody_else(
    accounts: Accounts, make: Maker, mailbox: Mailbox
) -> None:
    await ada_of(accounts, make)
    for email, told in (("ada@example.org", [("LOCKED_OUT", "ada@example.org")]), ("nobody@example.org", [])):
        waits = 0
        for number in range(accounts.settings.password_failures_per_account + 3):
            device = Device("", f"198.51.{number}.1")
            with pytest.raises((Unauthenticated, RateLimited)) as refused:
                await auth.login(accounts, email=email, password="wrong wrong", device=device)
            waits += refused.type is not Unauthenticated
        assert waits == 3
        assert await mailbox.kinds() == told
    with pytest.raises(RateLimited):
        await login(accounts, PASSWORD)
    assert await mailbox.kinds() == []
