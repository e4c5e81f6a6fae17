"""A server of the product's schema, and somebody who follows what happens."""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from app.graphql.subscriptions import Stream
from db import events as rows_of
from db.unit import Database
from kit.settings import Settings
from resolvers.context import Services
from tests.app.graphql import toy
from tests.app.graphql.fanout.following import BACKLOG, Library, Work, tasks
from tests.app.graphql.toy import Running
from tests.client import the_schema
from tests.make import Maker


@pytest.fixture
def settings(live_settings: Settings) -> Settings:
    """Settings that let one account have many sockets, and a slow one little."""
    return replace(
        live_settings, max_websockets_per_user=100, max_subscription_backlog=BACKLOG, websocket_init_timeout_seconds=10
    )


@pytest_asyncio.fixture(loop_scope="session")
async def server(services: Services) -> AsyncIterator[Running]:
    """The real application with the product's schema. Nothing of its live connections is left at the end."""
    async with toy.serving(services, the_schema()) as running:
        yield running
    assert tasks() == Counter()


@pytest_asyncio.fixture(loop_scope="session")
async def library(make: Maker, database: Database, work: Work) -> Library:
    """Somebody signed in, to whom nothing has happened yet."""
    user = await make.user()
    return Library(user, await make.session(user), database, work)


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Work:
    """Count executions of events and reads of the outbox."""
    counts = Work()
    answer_to, page = Stream.answer_to, rows_of.page

    async def counted_answer(self: Stream, event: Any) -> Any:
        counts.executed += 1
        return await answer_to(self, event)

    async def counted_page(*given: Any, **named: Any) -> Any:
        found = await page(*given, **named)
        counts.pages += 1
        return found

    monkeypatch.setattr(Stream, "answer_to", counted_answer)
    monkeypatch.setattr(rows_of, "page", counted_page)
    return counts
