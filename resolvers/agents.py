"""Tasks in the graph."""

from typing import Annotated
from uuid import UUID

import strawberry

from db import agents as rows
from db.agents import TaskRow
from kit.ids import decode_global_id
from resolvers.context import Info
from resolvers.loaders import load_row
from resolvers.shaped import shape_of

TYPE = "Task"
SOURCE = rows.SOURCE
TaskId = Annotated[strawberry.ID, strawberry.argument(description="The task's id.")]


async def find(info: Info, key: UUID) -> TaskRow | None:
    """Return one task of the viewer."""
    return await load_row(info, rows.SOURCE, key, shape_of(info, TYPE, rows.WHOLE))


async def task(info: Info, id: TaskId) -> TaskRow | None:  # noqa: A002  the name of the API
    """Return one task of the viewer."""
    return await find(info, decode_global_id(id, expected=TYPE, field=("id",))[1])
