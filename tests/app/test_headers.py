"""What every response says to browsers, asked of every route that the application has."""

import dataclasses
from collections.abc import AsyncIterator
from functools import partial
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from litestar import Litestar
from litestar.routes import HTTPRoute

from app import server
from app.graphql.ide import POLICY, Ide
from app.headers import HEADERS
from app.pages import HEADERS as FORM
from kit.settings import Settings
from resolvers.context import Services
from services import auth
from tests.app.graphql import toy
from tests.client import the_schema

ASSETS = {"content-security-policy": POLICY, "cache-control": "max-age=86400, public"}
DIFFERENT: dict[str, dict[str, str]] = {
    "/graphiql/{file_path:path}": ASSETS,
    "/reset-password": {**FORM, "referrer-policy": "no-referrer"},
    "/setup": dict(FORM),
    "/sign-in/code": dict(FORM),
    "/sign-in/oidc": dict(FORM),
    "/sign-in/oidc/callback": dict(FORM),
    "/sign-in/proxy": dict(FORM),
    "/verify-email": {**FORM, "referrer-policy": "no-referrer"},
}
"""What the answers of a route say in place of the strictest word. A route that is not here says the strictest."""

GRAPHQL: tuple[tuple[str, dict[str, Any]], ...] = (
    ("GET", {"headers": {"accept": "application/graphql-response+json"}, "params": {"query": "{ __typename }"}}),
    ("GET", {"headers": {"accept": "text/event-stream"}, "params": {"query": "{ __typename }"}}),
    ("GET", {"headers": {"accept": "image/png"}}),
    ("GET", {"headers": {"accept": "application/graphql-response+json"}, "params": {"query": "{ nothing }"}}),
    ("POST", {"json": {"query": "{ __typename }"}}),
    ("POST", {"json": {"query": "{ nothing }"}}),
    ("POST", {"data": {"query": "{ __typename }"}}),
    ("POST", {"files": {"0": b"x"}}),
    ("POST", {"json": {"query": "{ __typename }"}, "headers": {"authorization": "Bearer gms_none"}}),
    ("OPTIONS", {"headers": {"origin": "https://evil.example", "access-control-request-method": "POST"}}),
    ("DELETE", {}),
)


@pytest.fixture
def apps(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Litestar]:
    """Every application that is made, which know their routes; GraphiQL is a folder with one file."""
    made: list[Litestar] = []

    def noting(**options: Any) -> Litestar:
        made.append(Litestar(**options))
        return made[-1]

    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "code.js").write_text("1")
    monkeypatch.setattr(server, "Litestar", noting)
    monkeypatch.setattr(server, "Ide", partial(Ide, folder=tmp_path / "web"))
    return made


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A server behind a proxy that speaks TLS and names people."""
    return dataclasses.replace(
        settings, base_url="https://links.example", proxy_auth_header="X-Who", proxy_auth_networks=(LOOPBACK,)
    )


LOOPBACK = ip_network("127.0.0.0/8")


@pytest_asyncio.fixture(loop_scope="session")
async def browser(apps: list[Litestar], services: Services) -> AsyncIterator[httpx.AsyncClient]:  # noqa: ARG001  see apps
    async with toy.serving(services, the_schema()) as running:
        yield running.http


def check(answer: httpx.Response, different: dict[str, str]) -> None:
    """Compare all protective headers of an answer, and that it allows no other site anything."""
    wanted = {**HEADERS, "strict-transport-security": "max-age=31536000", **different}
    where = f"{answer.request.method} {answer.request.url.path}: {answer.status_code}"
    assert {name: answer.headers.get_list(name) for name in wanted} == {
        name: [value] for name, value in wanted.items()
    }, where
    assert not [name for name in answer.headers if name.startswith("access-control") or name == "server"], where


async def test_every_route_says_the_strictest_or_has_a_row(browser: httpx.AsyncClient, apps: list[Litestar]) -> None:
    asked = set()
    for route in apps[0].routes:
        if not isinstance(route, HTTPRoute):
            assert route.path == "/graphql"
            continue
        path = route.path.replace("{name:str}", "x.png").replace("{file_path:path}", "code.js")
        assert "{" not in path, f"say what {route.path} is asked for"
        for method in sorted(route.methods):
            answer = await browser.request(method, path)
            asked.add(route.path)
            # What the framework answers by itself has no page of ours around it.
            is_page = answer.headers.get("content-type", "").startswith("text/html")
            is_ours = method in {"GET", "HEAD"} or is_page or route.path.startswith("/graphiql")
            check(answer, DIFFERENT.get(route.path, {}) if is_ours and answer.status_code != 404 else {})
    assert asked >= DIFFERENT.keys()
    assert {"/", "/health/live", "/health/ready", "/metrics", "/screenshots/{name:str}"} <= asked


async def test_so_does_every_answer_of_graphql(browser: httpx.AsyncClient) -> None:
    statuses = set()
    for method, request in GRAPHQL:
        answer = await browser.request(method, "/graphql", **request)
        statuses.add(answer.status_code)
        check(answer, {})
    assert statuses == {200, 204, 400, 401, 403, 405, 406, 415}
    page = await browser.get("/graphql", headers={"accept": "text/html"})
    check(page, {"content-security-policy": POLICY, "cache-control": "no-cache"})


async def test_so_do_failures_and_what_is_not_there(
    browser: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(auth, "sign_in_elsewhere", fail)
    signing_in = {"x-who": "ada@example.org"}
    for method, path, headers, status in (
        ("GET", "/nowhere", {}, 404),
        ("GET", "/graphiql/index.html", {}, 404),
        ("DELETE", "/health/live", {}, 405),
        ("GET", "/screenshots/x.png", {}, 401),
        ("GET", "/sign-in/proxy", signing_in, 500),
    ):
        answer = await browser.request(method, path, headers=headers)
        assert answer.status_code == status, path
        check(answer, {})


async def test_plain_http_promises_no_tls(services: Services) -> None:
    here = dataclasses.replace(services, settings=dataclasses.replace(services.settings, base_url=""))
    async with toy.serving(here, the_schema()) as running:
        answer = await running.http.get("/health/live")
    assert "strict-transport-security" not in answer.headers


@pytest.mark.parametrize(
    ("networks", "proxies", "headers", "status"),
    [
        ((LOOPBACK,), (), {}, 200),
        ((ip_network("10.0.0.0/8"),), (), {}, 403),
        ((LOOPBACK,), (), {"x-forwarded-for": "127.0.0.1"}, 403),
        ((LOOPBACK,), (), {"forwarded": "for=203.0.113.7"}, 403),
        ((LOOPBACK,), (LOOPBACK,), {"x-forwarded-for": "203.0.113.7"}, 403),
        ((LOOPBACK,), (LOOPBACK,), {"x-forwarded-for": "127.0.0.1, 203.0.113.7"}, 403),
        ((LOOPBACK, ip_network("10.0.0.0/8")), (LOOPBACK,), {"x-forwarded-for": "10.0.0.8"}, 200),
    ],
)
async def test_metrics_are_for_the_networks_that_may_read_them(
    services: Services, networks: Any, proxies: Any, headers: dict[str, str], status: int
) -> None:
    settings = dataclasses.replace(services.settings, metrics_networks=networks, trusted_proxies=proxies)
    async with toy.serving(dataclasses.replace(services, settings=settings), the_schema()) as running:
        answer = await running.http.get("/metrics", headers=headers)
    assert answer.status_code == status
    assert ("graphmark_graphql_operations" in answer.text) is (status == 200)
