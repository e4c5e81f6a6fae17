"""A18 and A19 in a real browser: pages of other origins against somebody who is signed in by the session cookie.

The attacker has a page on another site, one on a neighbour of the same site, and one on another port of the same host.
The browser sends the cookie along from the latter two, so that only the server stands in their way.
"""

import dataclasses
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from db.unit import Database
from kit.settings import Settings
from resolvers.context import Services
from resolvers.server import PROXY_PATH
from services.bookmarks import BookmarkChanges
from services.permissions import Viewer
from tests.app.graphql import toy
from tests.client import the_schema
from tests.e2e.attacker import BESIDE, ELSEWHERE, FLAGS, FRAMES, HOME, SCRIPT, SOCKETS, Passed, Web, two_sites
from tests.e2e.browser import Page, open_page
from tests.make import Maker
from tests.needs import program
from tests.snapshot import snapshot

pytestmark = pytest.mark.browser

EMAIL, MARK = "ada@example.org", "marked-private"
MUTATION = (
    'mutation { register(input: {email: "eve@example.org", password: "correct horse battery", name: "E"})'
    ' { userErrors { code } } createCollection(input: {name: "evil"}) { collection { name } } }'
)
QUERY = "{ viewer { email } bookmarks(first: 5) { nodes { title } } }"
PATIENCE_SECONDS = 240.0
SAME_SITE = (BESIDE, HOME)
REFUSALS = {403, 405, 406, 415}
OTHER_PROTOCOL = "closed 1006"  # how a browser tells that the server took none of the protocols that it was offered


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A server behind a proxy that names people."""
    return dataclasses.replace(settings, proxy_auth_header="X-Who", proxy_auth_networks=(ip_network("127.0.0.0/8"),))


@dataclass
class Victim:
    """Somebody signed in, with a private bookmark, in a browser that now visits other pages."""

    page: Page
    web: Web
    database: Database

    async def visit(self, address: str) -> None:
        """Open a page and wait until it is there."""
        await self.page.call("Page.navigate", url=address)
        origin = "/".join(address.split("/")[:3])
        await self.page.until(f"location.origin === {json.dumps(origin)} && document.readyState === 'complete'")

    async def lured(self, host: str) -> None:
        """Visit a page of the attacker; what was passed on before is forgotten."""
        await self.visit(self.web.evil(host) + "/")
        self.web.passed.clear()

    async def run(self, script: str, *given: object) -> Any:
        """Run a script as one of the page."""
        words = ", ".join(json.dumps(one) for one in given)
        return await self.page.evaluate(f"{script}({words})", patience=PATIENCE_SECONDS)

    async def state(self) -> tuple[Any, ...]:
        """Return all that an attack could have changed."""
        counts = await self.database.fetch(
            "SELECT (SELECT count(*) FROM users) AS users, (SELECT count(*) FROM sessions) AS sessions,"
            " (SELECT count(*) FROM imports) AS imports, (SELECT count(*) FROM audit_entries) AS acts"
        )
        return tuple(counts[0].values()), await snapshot(self.database)


@pytest_asyncio.fixture(loop_scope="session")
async def victim(services: Services, make: Maker, tmp_path: Path) -> AsyncIterator[Victim]:
    """Sign somebody in through the page that does so, with a cookie that only the browser has."""
    chromium = program("browser", "chromium", "chromium-browser", "google-chrome")
    async with (
        toy.serving(services, the_schema()) as running,
        two_sites(running.port) as web,
        open_page(chromium, tmp_path / "profile", *FLAGS) as page,
    ):
        await page.open("about:blank")
        await page.call("Network.setExtraHTTPHeaders", headers={"X-Who": EMAIL})
        someone = Victim(page, web, services.database)
        await someone.visit(f"{web.home}{PROXY_PATH}?next=/graphql")
        await page.call("Network.setExtraHTTPHeaders", headers={})
        [row] = await services.database.fetch("SELECT id FROM users WHERE email = $1", EMAIL)
        await make.bookmark(Viewer(id=row["id"]), BookmarkChanges(url="https://a.test/", title=MARK))
        yield someone


def answered(passed: list[Passed]) -> list[Passed]:
    """Return what came from another origin with the cookie and was not refused.

    What asks for HTML, as frames and prefetches do, is left out: it is given the page that is the same for everybody.
    """
    return [
        one
        for one in passed
        if one.is_foreign
        and one.is_signed_in
        and one.status not in REFUSALS
        and not (one.method == "GET" and one.headers.get("accept", "").startswith("text/html"))
    ]


async def test_its_own_page_may_do_all_of_it(victim: Victim) -> None:
    """Without this the refusals below could have any reason."""
    ask = (
        "(async (query) => (await fetch('/graphql', { method: 'POST', headers: { 'content-type': 'application/json' },"
        " body: JSON.stringify({ query }) })).text())"
    )
    assert json.loads(await victim.run(ask, QUERY)) == {
        "data": {"viewer": {"email": EMAIL}, "bookmarks": {"nodes": [{"title": MARK}]}}
    }
    assert json.loads(await victim.run(ask, MUTATION))["data"] == {
        "register": {"userErrors": []},
        "createCollection": {"collection": {"name": "evil"}},
    }
    told = await victim.run(SOCKETS, victim.web.home, QUERY)
    assert (MARK in told[0], MARK in told[1], told[2]) == (True, True, OTHER_PROTOCOL)
    assert "gms_" not in str(await victim.page.evaluate("document.cookie + JSON.stringify({ ...localStorage })"))


@pytest.mark.parametrize("host", [ELSEWHERE, BESIDE, HOME])
async def test_a19_no_page_of_another_origin_changes_or_reads_anything(victim: Victim, host: str) -> None:
    before = await victim.state()
    await victim.lured(host)
    told: dict[str, str] = await victim.run(SCRIPT, victim.web.home, MUTATION, QUERY)
    assert len(told) > 60
    assert MARK not in str(told)
    assert EMAIL not in str(told)
    # Nothing at all is read: not even what the server says to nobody in particular.
    assert [name for name, outcome in told.items() if "data" in outcome or "errors" in outcome] == []
    assert await victim.state() == before
    foreign = [one for one in victim.web.passed if one.is_foreign]
    assert len(foreign) > 40
    preflights = [one for one in foreign if one.method == "OPTIONS"]
    assert preflights
    assert not any(one.headers.get("content-type", "").startswith("application/json") for one in foreign)
    signed_in = [one for one in foreign if one.is_signed_in]
    assert (len(signed_in) > 30) is (host in SAME_SITE)
    assert answered(victim.web.passed) == []


@pytest.mark.parametrize("host", [ELSEWHERE, BESIDE, HOME])
async def test_a18_a_socket_of_another_origin_is_nobody_s(victim: Victim, host: str) -> None:
    before = await victim.state()
    await victim.lured(host)
    told = await victim.run(SOCKETS, victim.web.home, QUERY)
    assert MARK not in str(told)
    assert told[2] == OTHER_PROTOCOL
    if host in SAME_SITE:
        assert told[:2] == ["closed 4403", "closed 4403"]
    else:  # the browser keeps the cookie back, and whoever is there is nobody
        assert ["UNAUTHENTICATED" in one for one in told[:2]] == [True, True]
    assert any(one.is_signed_in for one in victim.web.passed) is (host in SAME_SITE)
    assert await victim.state() == before


@pytest.mark.parametrize("host", [ELSEWHERE, BESIDE])
async def test_a19_a_click_that_leads_here_changes_nothing(victim: Victim, host: str) -> None:
    before = await victim.state()
    address = f"{victim.web.home}/graphql"
    for script in (
        f"location.href = {json.dumps(address)} + '?query=' + encodeURIComponent({json.dumps(MUTATION)})",
        *(
            "(() => { const form = document.createElement('form'); form.method = 'POST';"
            f" form.enctype = {json.dumps(kind)}; form.action = {json.dumps(address)};"
            f" const one = document.createElement('input'); one.name = {json.dumps(name)};"
            f" one.value = {json.dumps(value)};"
            " form.append(one); document.body.append(form); form.submit(); })()"
            for kind, name, value in (
                ("application/x-www-form-urlencoded", "query", MUTATION),
                ("text/plain", json.dumps({"query": MUTATION})[:-1] + ', "x": "', '"}'),
                ("multipart/form-data", "operations", json.dumps({"query": MUTATION})),
            )
        ),
    ):
        await victim.lured(host)
        await victim.page.evaluate(script)
        await victim.page.until(f"location.origin === {json.dumps(victim.web.home)}")
        await victim.page.until("document.readyState === 'complete'")
        [first, *_] = [one for one in victim.web.passed if one.target.startswith("/graphql")]
        assert first.is_foreign
        assert first.is_signed_in is (first.method == "GET" or host in SAME_SITE)
        assert first.status in ({200} if first.method == "GET" else {403, 406, 415})
        assert await victim.state() == before


async def test_no_page_of_ours_can_be_framed(victim: Victim) -> None:
    await victim.lured(ELSEWHERE)
    paths = ["/graphql", "/", "/setup?token=x", "/sign-in/oidc", "/sign-in/proxy", "/health/live", "/nowhere"]
    complaints = victim.page.complaints
    complaints.clear()
    seen = await victim.run(FRAMES, victim.web.home, paths)
    assert not [one for one in seen if one.startswith("loaded") and one != "loaded "]
    framing = [one for one in complaints if "frame" in one.lower()]
    assert len(framing) >= len(paths) - 1, complaints
