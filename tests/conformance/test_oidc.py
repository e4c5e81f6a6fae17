"""Signing in at a certified OpenID provider, step by step as a browser goes."""

import asyncio
import dataclasses
import html
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx
import orjson
import pytest
import pytest_asyncio

from app.elsewhere import CALLBACK_PATH
from resolvers.context import Services
from resolvers.server import OIDC_PATH
from tests.app.graphql import toy
from tests.client import the_schema
from tests.conformance.conftest import HERE
from tests.make import Maker

HOME = "http://127.0.0.1:8000"  # what the settings call this server; the test goes to where it really runs
SECRET = "a client's secret of forty characters, here"
PEOPLE = {
    "ada": {"email": "ada@example.org", "email_verified": True, "name": "Ada", "groups": ["readers"]},
    "root": {"email": "root@example.org", "email_verified": True, "name": "Root", "groups": ["admins"]},
    "eve": {"email": "ada@example.org", "email_verified": False, "name": "Eve", "groups": ["readers"]},
    "out": {"email": "out@example.org", "email_verified": True, "name": "Out", "groups": []},
}
SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Browser:
    """Somebody's browser between this server and the provider; cookies as both set them."""

    here: httpx.AsyncClient
    there: httpx.AsyncClient

    async def leave(self, path: str = OIDC_PATH) -> httpx.Response:
        """Begin; return what this server answers."""
        return await self.here.get(path)

    async def sign_in(self, login: str, *, path: str = OIDC_PATH) -> httpx.Response:
        """Go the whole way as `login`; return what this server answers in the end."""
        self.there.cookies.clear()  # or the provider would remember who was there before
        start = await self.leave(path)
        assert start.status_code == 303, start.text
        query = await self.consent(start.headers["location"], login)
        return await self.here.get(f"{CALLBACK_PATH}?{query}", headers={"cookie": cookie_of(start)})

    async def consent(self, url: str, login: str) -> str:
        """Fill in the provider's forms; return the query that it sends the browser home with."""
        answer = await self.there.get(url)
        while True:
            if answer.is_redirect:
                url = urljoin(str(answer.url), answer.headers["location"])
                if url.startswith(HOME):
                    return urlsplit(url).query
                answer = await self.there.get(url)
                continue
            action = re.search(r'action="([^"]+)"', answer.text)
            prompt = re.search(r'name="prompt" value="([^"]+)"', answer.text)
            assert action is not None, answer.text
            assert prompt is not None, answer.text
            fields = {"prompt": prompt[1], "login": login, "password": "any"}
            answer = await self.there.post(urljoin(str(answer.url), html.unescape(action[1])), data=fields)


def cookie_of(answer: httpx.Response) -> str:
    """Return the cookies of an answer as a browser sends them; a plain-http client keeps no secure ones."""
    return "; ".join(value.partition(";")[0] for value in answer.headers.get_list("set-cookie"))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def issuer(node: str) -> AsyncIterator[str]:
    process = await asyncio.create_subprocess_exec(
        node,
        str(HERE / "provider.mjs"),
        HOME + CALLBACK_PATH,
        SECRET,
        orjson.dumps(PEOPLE).decode(),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        async with asyncio.timeout(SECONDS):
            started = orjson.loads(await process.stdout.readline())
        yield started["issuer"]
    finally:
        process.stdin.close()
        await process.wait()


@asynccontextmanager
async def browsing(services: Services, issuer: str, **changes: Any) -> AsyncIterator[Browser]:
    """Run this server as a client of `issuer`, and open a browser."""
    settings = dataclasses.replace(
        services.settings,
        base_url=HOME,
        oidc_issuer=issuer,
        oidc_client_id="graphmark",
        oidc_client_secret=SECRET,
        oidc_scopes="openid profile email groups",
        **changes,
    )
    changed = dataclasses.replace(services, settings=settings)
    async with toy.serving(changed, the_schema()) as running, httpx.AsyncClient(timeout=SECONDS) as there:
        yield Browser(running.http, there)


async def accounts(services: Services) -> list[tuple[str, str, int]]:
    """Return every account with its role and the number of its identities."""
    rows = await services.database.fetch(
        """
        SELECT email, role, (SELECT count(*) FROM identities WHERE user_id = users.id) AS identities
        FROM users ORDER BY email
        """
    )
    return [tuple(row) for row in rows]


async def who(browser: Browser, answer: httpx.Response) -> Any:
    """Return whom the cookie of an answer opens the graph for."""
    told = await browser.here.post(
        "/graphql",
        json={"query": "{ viewer { email role } }"},
        headers={"cookie": cookie_of(answer), "sec-fetch-site": "same-origin"},
    )
    return told.json()["data"]["viewer"]


async def test_a_newcomer_gets_an_account_and_comes_back_to_it(services: Services, issuer: str) -> None:
    async with browsing(services, issuer) as browser:
        for _ in range(2):
            answer = await browser.sign_in("ada", path=f"{OIDC_PATH}?next=/graphql%3Fa=1")
            assert (answer.status_code, answer.headers["location"]) == (303, "/graphql?a=1")
            assert await who(browser, answer) == {"email": "ada@example.org", "role": "USER"}
    assert await accounts(services) == [("ada@example.org", "USER", 1)]


async def test_groups_say_who_may_come_in_and_who_administers(services: Services, issuer: str) -> None:
    async with browsing(services, issuer, oidc_user_group="readers", oidc_admin_group="admins") as browser:
        assert await who(browser, await browser.sign_in("root")) == {"email": "root@example.org", "role": "ADMIN"}
    async with browsing(services, issuer, oidc_user_group="readers", oidc_admin_group="admins") as browser:
        refused = await browser.sign_in("out")
        assert refused.status_code == 403
        assert "not in the group" in refused.text
    assert await accounts(services) == [("root@example.org", "ADMIN", 1)]


async def test_the_role_follows_the_groups_but_the_last_administrator_stays(services: Services, issuer: str) -> None:
    async with browsing(services, issuer) as browser:
        await browser.sign_in("root")
        await browser.sign_in("ada")
    async with browsing(services, issuer, oidc_admin_group="admins") as browser:
        assert await who(browser, await browser.sign_in("root")) == {"email": "root@example.org", "role": "ADMIN"}
    async with browsing(services, issuer, oidc_admin_group="readers") as browser:
        await browser.sign_in("root")
        assert await accounts(services) == [("ada@example.org", "USER", 1), ("root@example.org", "ADMIN", 1)]
        await browser.sign_in("ada")
        await browser.sign_in("root")
    assert await accounts(services) == [("ada@example.org", "ADMIN", 1), ("root@example.org", "USER", 1)]
    changes = await services.database.fetch(
        "SELECT actor, details ->> 'after' AS after FROM audit_entries WHERE action = 'ROLE_CHANGED' ORDER BY seq"
    )
    assert [tuple(row) for row in changes] == [
        ("root@example.org", "ADMIN"),
        ("ada@example.org", "ADMIN"),
        ("root@example.org", "USER"),
    ]


async def test_an_account_is_linked_only_when_both_sides_know_the_mailbox(
    services: Services, issuer: str, make: Maker
) -> None:
    ada = await make.user(email="ada@example.org")
    async with browsing(services, issuer) as browser:
        unconfirmed_here = await browser.sign_in("ada")
        assert (unconfirmed_here.status_code, "never confirmed" in unconfirmed_here.text) == (409, True)
    async with browsing(services, issuer) as browser:
        unconfirmed_there = await browser.sign_in("eve")
        assert (unconfirmed_there.status_code, "does not confirm" in unconfirmed_there.text) == (400, True)
    assert await accounts(services) == [("ada@example.org", "USER", 0)]

    await services.database.execute("UPDATE users SET email_verified_at = now() WHERE id = $1", ada.id)
    async with browsing(services, issuer) as browser:
        assert (await browser.sign_in("ada")).status_code == 303
    assert await accounts(services) == [("ada@example.org", "USER", 1)]


async def test_no_account_is_opened_where_that_is_switched_off(services: Services, issuer: str) -> None:
    async with browsing(services, issuer, oidc_registration=False) as browser:
        assert (await browser.sign_in("ada")).status_code == 403
    assert await accounts(services) == []


async def test_a_disabled_account_stays_closed(services: Services, issuer: str) -> None:
    async with browsing(services, issuer) as browser:
        await browser.sign_in("ada")
    await services.database.execute("UPDATE users SET disabled_at = now()")
    async with browsing(services, issuer) as browser:
        answer = await browser.sign_in("ada")
    assert answer.status_code == 401
    assert "account is closed" in answer.text
    assert "__Host-graphmark=" not in cookie_of(answer)


async def test_an_answer_belongs_to_the_browser_that_asked(services: Services, issuer: str) -> None:
    async with browsing(services, issuer) as browser:
        start, other = await browser.leave(), await browser.leave()
        query = await browser.consent(start.headers["location"], "ada")
        for cookie in ("", "__Host-graphmark-oidc=00ff", cookie_of(other)):
            answer = await browser.here.get(f"{CALLBACK_PATH}?{query}", headers={"cookie": cookie})
            assert answer.status_code == 403
        assert (await browser.here.get(f"{CALLBACK_PATH}?{query}", headers={"cookie": cookie_of(start)})).is_redirect
        again = await browser.here.get(f"{CALLBACK_PATH}?{query}", headers={"cookie": cookie_of(start)})
        assert again.status_code == 401  # the provider redeems a code once
    assert await services.database.fetchval("SELECT count(*) FROM sessions") == 1


@pytest.mark.parametrize("path", ["//evil.example", "https://evil.example", "/\\evil.example", "evil", "/a\nb"])
async def test_it_leads_to_no_other_site(services: Services, issuer: str, path: str) -> None:
    async with browsing(services, issuer) as browser:
        answer = await browser.sign_in("ada", path=str(httpx.URL(OIDC_PATH, params={"next": path})))
        assert (answer.status_code, answer.headers["location"]) == (303, "/")


async def test_a_provider_that_is_away_is_told_as_such(services: Services) -> None:
    async with browsing(services, "http://127.0.0.1:1") as browser:
        answer = await browser.leave()
    assert (answer.status_code, "cannot be reached" in answer.text) == (503, True)
