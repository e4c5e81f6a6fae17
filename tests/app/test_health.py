"""Probes and metrics."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from app.health import Readiness
from kit.bus import Bus
from resolvers.context import Services
from tests.app.graphql.toy import Running, serving, toy_schema


@pytest_asyncio.fixture(loop_scope="session")
async def server(services: Services) -> AsyncIterator[Running]:
    """The real application with the small schema."""
    async with serving(services, toy_schema()) as running:
        yield running


async def test_alive_and_ready(server: Running) -> None:
    assert (await server.http.get("/health/live")).json() == {"status": "ok"}
    answer = await server.http.get("/health/ready")
    assert (answer.status_code, answer.json()) == (
        200,
        {"status": "ok", "checks": {"database": "ok", "bus": "ok", "schema": "ok"}},
    )


async def test_each_missing_dependency_is_named(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refused(*_: object) -> None:
        raise ConnectionRefusedError("10.0.0.5:5432 user=graphmark")

    async def two_missing(_dsn: str) -> list[str]:
        return ["one", "two"]

    async def never() -> Bus:
        raise ConnectionRefusedError

    monkeypatch.setattr("db.unit.Database.fetchval", refused)
    monkeypatch.setattr("app.health.pending", two_missing)
    services.bus = Bus(never, ())
    async with serving(services, toy_schema()) as server:
        answer = await server.http.get("/health/ready")
    assert (answer.status_code, answer.json()) == (
        503,
        {
            "status": "unavailable",
            "checks": {
                "database": "away",
                "bus": "not listening",
                "schema": "2 migrations are missing: run `graphmark migrate`",
            },
        },
    )


async def test_dependencies_are_asked_once_however_many_ask() -> None:
    asked = 0

    async def check() -> None:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0)

    readiness = Readiness({"one": check})
    assert await asyncio.gather(*(readiness.ask() for _ in range(50))) == [{"one": "ok"}] * 50
    assert asked == 1


async def test_a_dependency_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.health.CHECK_SECONDS", 0.01)

    async def hang() -> None:
        await asyncio.Event().wait()

    assert await Readiness({"one": hang}).ask() == {"one": "no answer within 0.01 seconds"}


async def test_metrics_count_operations_and_name_nothing_that_a_client_chose(server: Running) -> None:
    await server.ask("query VeryPrivateName { hello }")
    await server.ask("query VeryPrivateName { nope }")
    text = (await server.http.get("/metrics")).text
    assert 'graphmark_graphql_operations_total{outcome="ok",type="query"}' in text
    assert 'graphmark_graphql_operations_total{outcome="BAD_USER_INPUT",type="refused"}' in text
    assert 'graphmark_graphql_seconds_bucket{le="0.5",type="query"}' in text
    assert "graphmark_websockets" in text
    assert "VeryPrivateName" not in text
