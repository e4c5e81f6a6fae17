"""One account must not keep the others from the database."""

import asyncio

from db import collections
from db.users import UserRow
from resolvers.context import Services
from tests.client import Graph

CREATE = 'mutation { createCollection(input: {name: "x"}) { collection { id } userErrors { message } } }'


async def test_changes_that_wait_for_each_other_leave_connections_to_others(
    graph: Graph, services: Services, ada: UserRow, bob: UserRow
) -> None:
    async with services.database.unit() as unit:
        await collections.reshape(unit, ada.id)
        changes = [asyncio.create_task(graph.ask(CREATE, ada)) for _ in range(3 * services.settings.database_pool_size)]
        async with asyncio.timeout(5):
            assert await graph.ask("{ bookmarks { totalCount } }", bob) == {"bookmarks": {"totalCount": 0}}
        assert not any(change.done() for change in changes)
    made = await asyncio.gather(*changes)
    assert all(one["createCollection"]["collection"] for one in made)
