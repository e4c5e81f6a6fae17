"""The resolvers with other timing: what else they could have answered.

Where several fields below one null fail, GraphQL (6.4.4) wants one error, and graphql-core takes the first to come. So
an executor may name another one than the resolvers did: one that they would have named had it come first.
"""

import asyncio
import random
from collections.abc import Awaitable
from typing import Any

from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from app.graphql.engine import Engine

TRIES = 40
_TURNS = 12


class JitteryExecutor(StrawberryGraphQLCoreExecutionContext):
    """Answers as its base does, but lets every field that has to wait begin some turns of the loop later."""

    def execute_field(
        self, parent_type: Any, source: Any, field_details_list: Any, path: Any, position_context: Any
    ) -> Any:
        """See graphql-core's `Executor.execute_field`."""
        result = super().execute_field(parent_type, source, field_details_list, path, position_context)
        return _late(result) if self.is_awaitable(result) else result


async def _late(result: Awaitable[Any]) -> Any:
    for _ in range(random.choice((0, 0, 1, random.randrange(_TURNS)))):
        await asyncio.sleep(0)
    return await result


def jittery(engine: Engine) -> Engine:
    """Let an engine answer in random order."""
    engine._executor = JitteryExecutor  # noqa: SLF001  nothing else has a need to exchange it
    return engine
