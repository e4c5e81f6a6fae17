"""Asks the API as a client does."""

import pytest
import pytest_asyncio

from db.users import UserRow
from resolvers.context import Services
from tests.client import Graph
from tests.make import Maker


@pytest_asyncio.fixture(loop_scope="session")
async def ada(make: Maker) -> UserRow:
    """The account most tests act for."""
    return await make.user("ada@example.org")


@pytest_asyncio.fixture(loop_scope="session")
async def bob(make: Maker) -> UserRow:
    """Somebody else, whose data must never be seen."""
    return await make.user("bob@example.org")


@pytest.fixture
def graph(services: Services) -> Graph:
    """The schema, to be asked as anybody."""
    return Graph(services)
