"""The pages behind the links in mails."""

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from resolvers.context import Services
from services import auth
from services.auth import Accounts
from services.mail import MailKind
from services.permissions import Viewer
from tests.app.graphql import toy
from tests.client import the_schema
from tests.factors import PHONE, Clock, clock, enrolled
from tests.mailbox import Mailbox
from tests.make import Maker

__all__ = ["clock"]
NEW = "a boat under seven bridges"


@pytest_asyncio.fixture(loop_scope="session")
async def browser(services: Services) -> AsyncIterator[httpx.AsyncClient]:
    async with toy.serving(services, the_schema()) as running:
        yield running.http


@pytest.fixture
def accounts(services: Services) -> Accounts:
    return Accounts(services.database, services.passwords, services.settings)


@pytest.fixture
def mailbox(services: Services) -> Mailbox:
    return Mailbox(services.database, services.settings)


async def reset_link(accounts: Accounts, mailbox: Mailbox, email: str) -> str:
    await auth.request_reset(accounts, email=email, device=PHONE)
    return await mailbox.token(MailKind.PASSWORD_RESET)


async def test_a_link_leads_to_a_form_that_sets_the_password_once(
    browser: httpx.AsyncClient, accounts: Accounts, make: Maker, mailbox: Mailbox
) -> None:
    user = await make.user("ada@example.org")
    token = await reset_link(accounts, mailbox, user.email)
    for _ in range(2):
        form = await browser.get("/reset-password", params={"token": token})
        assert (form.status_code, f'name="token" value="{token}"' in form.text) == (200, True)
    assert 'name="code"' not in form.text
    weak = await browser.post("/reset-password", data={"token": token, "password": "password1"})
    assert (weak.status_code, 'role="alert"' in weak.text, "password1" in weak.text) == (400, True, False)
    headers = {"origin": "null"}  # what a browser sends from a page without a referrer
    done = await browser.post("/reset-password", data={"token": token, "password": NEW}, headers=headers)
    assert (done.status_code, "set-cookie" in done.headers) == (200, False)
    assert "Sign in with the new password" in done.text
    again = await browser.post("/reset-password", data={"token": token, "password": NEW})
    assert (again.status_code, "used or has expired" in again.text) == (400, True)
    opened = await auth.login(accounts, email=user.email, password=NEW, device=PHONE)
    assert isinstance(opened, auth.SignedIn)


async def test_the_form_asks_for_the_second_factor_where_there_is_one(
    browser: httpx.AsyncClient, accounts: Accounts, clock: Clock, mailbox: Mailbox
) -> None:
    ada = await enrolled(accounts, clock)
    token = await reset_link(accounts, mailbox, ada.user.email)
    clock.next_step()
    asked = await browser.post("/reset-password", data={"token": token, "password": NEW})
    assert (asked.status_code, 'name="code"' in asked.text) == (400, True)
    code = ada.app.code()
    done = await browser.post("/reset-password", data={"token": token, "password": NEW, "code": f" {code} "})
    assert done.status_code == 200


async def test_following_a_link_confirms_nothing_before_the_button_is_pressed(
    browser: httpx.AsyncClient, accounts: Accounts, make: Maker, mailbox: Mailbox
) -> None:
    user = await make.user("ada@example.org")
    await auth.request_verification(accounts, Viewer(user.id))
    token = await mailbox.token(MailKind.EMAIL_VERIFICATION)
    verified = "SELECT email_verified_at IS NOT NULL FROM users"
    form = await browser.get("/verify-email", params={"token": token})
    assert (form.status_code, f'value="{token}"' in form.text) == (200, True)
    assert await accounts.database.fetchval(verified) is False
    done = await browser.post("/verify-email", data={"token": token})
    assert (done.status_code, "ada@example.org" in done.text) == (200, True)
    assert await accounts.database.fetchval(verified) is True
    again = await browser.post("/verify-email", data={"token": token})
    assert (again.status_code, "used or has expired" in again.text) == (400, True)


@pytest.mark.parametrize("path", ["/reset-password", "/verify-email"])
async def test_the_pages_hold_no_markup_of_others_and_tell_nobody(browser: httpx.AsyncClient, path: str) -> None:
    evil = '"><script>alert(1)</script>'
    answers = [
        await browser.get(path, params={"token": evil}),
        await browser.post(path, data={"token": evil, "password": evil, "code": evil}),
        await browser.get(path),
    ]
    assert [answer.status_code for answer in answers] == [200, 400, 400]
    for answer in answers:
        assert "<script>" not in answer.text
        assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src")
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize("path", ["/reset-password", "/verify-email"])
async def test_a_form_of_another_site_or_without_bounds_is_refused(browser: httpx.AsyncClient, path: str) -> None:
    for headers in (
        {"origin": "https://evil.test"},
        {"sec-fetch-site": "cross-site"},
        {"origin": "null", "sec-fetch-site": "cross-site"},
    ):
        assert (await browser.post(path, data={"token": "x"}, headers=headers)).status_code == 403
    assert (await browser.post(path, data={"token": "x" * 20_000})).status_code == 413
