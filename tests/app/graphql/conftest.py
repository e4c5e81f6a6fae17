"""A running server of the small schema, and somebody signed in."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
import strawberry

from app.wiring import CHANNELS
from db.unit import Database, dial
from kit.bus import Bus
from kit.crypto import PasswordHasher
from kit.settings import Settings
from resolvers.context import Services
from tests.app.graphql import toy
from tests.make import Maker


@pytest.fixture(scope="session")
def toy_schema() -> strawberry.Schema:
    """The small schema, built once."""
    return toy.toy_schema()


@pytest.fixture(scope="session")
def live_settings(dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings whose limits a test can reach, and that are not in the way of the others."""
    return Settings(
        data_dir=tmp_path_factory.mktemp("data"),
        database_url=dsn,
        port=0,
        max_upload_bytes=300_000,
        websocket_init_timeout_seconds=0.3,
        request_timeout_seconds=1.0,
        max_subscription_backlog=20,
        max_subscriptions_per_websocket=3,
        max_websockets_per_user=3,
    )


@pytest.fixture
def settings(live_settings: Settings) -> Settings:
    """The settings of the running server."""
    return live_settings


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def live(
    pool: Database, passwords: PasswordHasher, live_settings: Settings, toy_schema: strawberry.Schema
) -> AsyncIterator[toy.Running]:
    """The real application on a free port, serving the small schema for the whole run."""
    bus = Bus(lambda: dial(pool.dsn, name="graphmark-tests-bus"), CHANNELS)
    await bus.start()
    services = Services(settings=live_settings, database=pool, bus=bus, passwords=passwords)
    async with toy.serving(services, toy_schema) as running:
        yield running
    await bus.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def server(live: toy.Running, database: Database) -> toy.Running:  # noqa: ARG001  asked for, so that it is empty
    """The running server, on an empty database and with nothing left over from the test before."""
    await toy.until(lambda: not toy.BOARD.running)
    toy.BOARD = toy.Switchboard()
    return live


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
