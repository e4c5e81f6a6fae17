"""The page behind the one-time link of a fresh server."""

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from resolvers.context import Services
from services import auth
from tests.app.graphql import toy
from tests.client import the_schema
from tests.make import Maker

FORM = {"email": "root@example.org", "name": "Root", "password": "correct horse battery"}


@pytest_asyncio.fixture(loop_scope="session")
async def browser(services: Services) -> AsyncIterator[httpx.AsyncClient]:
    async with toy.serving(services, the_schema()) as running:
        yield running.http


async def new_link(services: Services) -> str:
    async with services.database.unit() as unit:
        token = await auth.create_setup_token(unit)
    assert token is not None
    return token


async def test_the_bare_address_leads_to_the_page(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/")
    assert (answer.status_code, answer.headers["location"]) == (307, "/graphql")


async def test_the_link_opens_a_form_that_makes_the_administrator_once(
    browser: httpx.AsyncClient, services: Services
) -> None:
    token = await new_link(services)
    form = await browser.get("/setup", params={"token": token})
    assert form.status_code == 200
    assert f'name="token" value="{token}"' in form.text
    made = await browser.post("/setup", data={**FORM, "token": token})
    assert made.status_code == 201
    assert "root@example.org" in made.text
    again = await browser.post("/setup", data={**FORM, "email": "second@example.org", "token": token})
    assert again.status_code == 400
    assert "has been used or has expired" in again.text
    users = await services.database.fetch("SELECT email, role FROM users")
    assert [tuple(user) for user in users] == [("root@example.org", "ADMIN")]


async def test_a_mistake_shows_the_form_again_and_keeps_the_link(
    browser: httpx.AsyncClient, services: Services
) -> None:
    token = await new_link(services)
    short = await browser.post("/setup", data={**FORM, "password": "short", "token": token})
    assert short.status_code == 400
    assert 'role="alert"' in short.text
    assert 'value="root@example.org"' in short.text
    assert "short" not in short.text.replace("short of", "")
    assert (await browser.post("/setup", data={**FORM, "token": token})).status_code == 201


async def test_what_is_typed_is_text_and_never_markup(browser: httpx.AsyncClient) -> None:
    evil = '"><script>alert(1)</script>'
    for answer in (
        await browser.get("/setup", params={"token": evil}),
        await browser.post("/setup", data={**FORM, "email": evil, "name": evil, "token": evil}),
    ):
        assert "<script>" not in answer.text
        assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src")
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize("data", [{}, {"token": ""}, {"email": "a@example.org", "password": "long enough"}])
async def test_without_a_link_nothing_is_opened(
    browser: httpx.AsyncClient, services: Services, data: dict[str, str]
) -> None:
    assert (await browser.get("/setup")).status_code == 400
    assert (await browser.post("/setup", data=data)).status_code in {400, 403}
    assert await services.database.fetchval("SELECT count(*) FROM users") == 0


async def test_a_form_of_another_site_is_refused(browser: httpx.AsyncClient, services: Services) -> None:
    token = await new_link(services)
    for headers in ({"origin": "https://evil.test"}, {"sec-fetch-site": "cross-site"}):
        answer = await browser.post("/setup", data={**FORM, "token": token}, headers=headers)
        assert answer.status_code == 403
    assert await services.database.fetchval("SELECT count(*) FROM users") == 0


async def test_a_huge_form_is_refused(browser: httpx.AsyncClient) -> None:
    assert (await browser.post("/setup", data={**FORM, "name": "x" * 20_000, "token": "t"})).status_code == 413


async def test_a_second_administrator_does_not_come_from_an_old_link(
    browser: httpx.AsyncClient, services: Services, make: Maker
) -> None:
    token = await new_link(services)
    user = await make.user()
    await services.database.execute("UPDATE users SET role = 'ADMIN' WHERE id = $1", user.id)
    answer = await browser.post("/setup", data={**FORM, "token": token})
    assert answer.status_code == 400
    assert "has an administrator already" in answer.text
