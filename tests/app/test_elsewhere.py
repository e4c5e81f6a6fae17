"""Signing in by the proxy in front, and a server that takes no passwords."""

import dataclasses
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_network
from typing import Any

import httpx
import pytest

from app.elsewhere import CODE_PATH
from resolvers.context import Services
from resolvers.server import OIDC_PATH, PROXY_PATH
from services.auth import Accounts
from tests.app.graphql import toy
from tests.client import the_schema
from tests.factors import Clock, enrolled
from tests.factors import clock as clock  # noqa: PLC0414  a fixture
from tests.make import Maker

ADA = {"remote-email": "Ada@example.org"}
HERE = (ip_network("127.0.0.0/8"),)
ELSEWHERE = (ip_network("10.0.0.0/8"),)


@asynccontextmanager
async def browser(services: Services, **changes: Any) -> AsyncIterator[httpx.AsyncClient]:
    settings = dataclasses.replace(services.settings, **changes)
    async with toy.serving(dataclasses.replace(services, settings=settings), the_schema()) as running:
        yield running.http


async def state(services: Services) -> list[tuple[Any, ...]]:
    """Return every account with the number of its sessions and what was written down."""
    rows = await services.database.fetch(
        """
        SELECT email, (SELECT count(*) FROM sessions WHERE user_id = users.id) AS sessions,
            ARRAY(SELECT action FROM audit_entries WHERE subject_id = users.id ORDER BY seq) AS acts
        FROM users ORDER BY email
        """
    )
    return [tuple(row) for row in rows]


async def test_the_proxy_names_who_has_signed_in(services: Services) -> None:
    async with browser(services, proxy_auth_header="Remote-Email", proxy_auth_networks=HERE) as there:
        for _ in range(2):
            answer = await there.get(PROXY_PATH, params={"next": "/graphql"}, headers=ADA)
            assert (answer.status_code, answer.headers["location"]) == (303, "/graphql")
            cookie = answer.headers["set-cookie"]
            assert cookie.startswith("__Host-graphmark=gms_")
            assert {"Path=/", "Secure", "HttpOnly"} <= set(cookie.split("; "))
    assert await state(services) == [("Ada@example.org", 2, ["REGISTERED", "SIGNED_IN", "SIGNED_IN"])]


@pytest.mark.parametrize(
    ("changes", "headers", "status"),
    [
        ({"proxy_auth_header": "Remote-Email", "proxy_auth_networks": ELSEWHERE}, {"remote-email": "a@b.org"}, 403),
        (
            {"proxy_auth_header": "Remote-Email", "proxy_auth_networks": ELSEWHERE},
            {"remote-email": "a@b.org", "x-forwarded-for": "10.0.0.1", "forwarded": "for=10.0.0.1"},
            403,
        ),
        ({"proxy_auth_header": "Remote-Email"}, {"remote-email": "a@b.org"}, 403),
        ({"proxy_auth_header": "Remote-Email", "proxy_auth_networks": HERE}, {}, 401),
        ({"proxy_auth_header": "Remote-Email", "proxy_auth_networks": HERE}, {"remote-email": "nobody"}, 400),
        ({"proxy_auth_networks": HERE}, {"remote-email": "a@b.org"}, 404),
        (
            {"proxy_auth_header": "Remote-Email", "proxy_auth_networks": HERE},
            [("remote-email", "sent@by.client"), ("remote-email", "added@by.proxy")],
            403,
        ),
    ],
)
async def test_nobody_else_does(
    services: Services, changes: dict[str, Any], headers: dict[str, str] | list[tuple[str, str]], status: int
) -> None:
    async with browser(services, **changes) as there:
        assert (await there.get(PROXY_PATH, headers=headers)).status_code == status
    assert await state(services) == []


async def test_a_refused_sign_in_is_written_down(services: Services, make: Maker) -> None:
    await make.user("ada@example.org")  # whose mailbox nobody has confirmed
    async with browser(services, proxy_auth_header="Remote-Email", proxy_auth_networks=HERE) as there:
        assert (await there.get(PROXY_PATH, headers=ADA)).status_code == 409
    rows = await services.database.fetch("SELECT action, actor, succeeded, details FROM audit_entries")
    told = {"factor": "elsewhere", "issuer": "proxy", "reason": "CONFLICT"}
    assert [tuple(row) for row in rows] == [("SIGNED_IN", "", False, told)]


async def test_where_passwords_are_off_they_open_nothing(services: Services, make: Maker) -> None:
    ada = await make.user()
    login = "mutation($input: LoginInput!) { login(input: $input) { session { token } userErrors { code } } }"
    info = "{ serverInfo { signInMethods { kind name path } } }"
    async with browser(
        services, password_login=False, oidc_issuer="https://id.example.org", oidc_client_id="g"
    ) as there:
        answer = await there.post(
            "/graphql", json={"query": login, "variables": {"input": {"email": ada.email, "password": "any at all"}}}
        )
        told = await there.post("/graphql", json={"query": info})
    assert answer.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert told.json()["data"]["serverInfo"]["signInMethods"] == [
        {"kind": "OIDC", "name": "single sign-on", "path": OIDC_PATH}
    ]


async def test_a_second_factor_of_ones_own_is_asked_for(services: Services, clock: Clock) -> None:
    person = await enrolled(Accounts(services.database, services.passwords, services.settings), clock)
    await services.database.execute("DELETE FROM sessions")
    async with browser(services, proxy_auth_header="Remote-Email", proxy_auth_networks=HERE) as there:
        asked = await there.get(PROXY_PATH, params={"next": "/graphql"}, headers=ADA)
        assert (asked.status_code, "set-cookie" in asked.headers) == (200, False)
        challenge = re.search(r'name="challenge" value="(gmc_[^"]+)"', asked.text)
        assert challenge is not None
        form = {"challenge": challenge[1], "next": "/graphql", "code": "000000"}
        wrong = await there.post(CODE_PATH, data=form)
        foreign = await there.post(
            CODE_PATH, data={**form, "code": person.app.code()}, headers={"origin": "https://evil.example"}
        )
        assert (wrong.status_code, foreign.status_code) == (401, 403)
        assert await services.database.fetchval("SELECT count(*) FROM sessions") == 0
        right = await there.post(CODE_PATH, data={**form, "code": person.app.code()})
        assert (right.status_code, right.headers["location"]) == (303, "/graphql")
        again = await there.post(CODE_PATH, data={**form, "code": person.app.code()})
        assert again.status_code == 401
    assert await services.database.fetchval("SELECT count(*) FROM sessions") == 1


async def test_without_a_provider_there_is_no_such_page(services: Services) -> None:
    async with browser(services) as there:
        assert (await there.get(OIDC_PATH)).status_code == 404
        assert (await there.get(f"{OIDC_PATH}/callback", params={"code": "a", "state": "b"})).status_code in {403, 404}
