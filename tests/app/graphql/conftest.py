"""A running server of the small schema, and somebody signed in."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest
import pytest_asyncio
import strawberry

from kit.settings import Settings
from resolvers.context import Services
from tests.app.graphql import toy
from tests.make import Maker


@pytest.fixture(scope="session")
def toy_schema() -> strawberry.Schema:
    """The small schema, built once."""
    return toy.toy_schema()


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Settings whose limits a test can reach, and that are not in the way of the others."""
    return replace(
        settings,
        max_upload_bytes=300_000,
        websocket_init_timeout_seconds=0.3,
        request_timeout_seconds=1.0,
        max_subscription_backlog=20,
        max_subscriptions_per_websocket=3,
        max_websockets_per_user=3,
    )


@pytest_asyncio.fixture(loop_scope="session")
async def server(services: Services, toy_schema: strawberry.Schema) -> AsyncIterator[toy.Running]:
    """The real application on a free port, serving the small schema."""
    toy.BOARD = toy.Switchboard()
    async with toy.serving(services, toy_schema) as running:
        yield running


@dataclass(frozen=True)
class Person:
    """Somebody with an open session."""

    id: str
    token: str

    @property
    def bearer(self) -> dict[str, str]:
        """The header that signs a request."""
        return {"authorization": f"Bearer {self.token}"}

    @property
    def cookie(self) -> dict[str, str]:
        """The header that a browser sends by itself."""
        return {"cookie": f"__Host-graphmark={self.token}"}


@pytest_asyncio.fixture(loop_scope="session")
async def ada(make: Maker) -> Person:
    """Somebody signed in."""
    user = await make.user()
    return Person(str(user.id), await make.session(user))
