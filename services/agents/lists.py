"""Lists of tasks and of what belongs to one, as their owner sees them; dead letters, as administrators do."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast
from uuid import UUID

from typing_extensions import TypeVar

from db import agents as tasks
from db.agents import FateRow, MessageRow, ResultRow, StepRow, TaskFilter, TaskRow, TaskSort
from db.shapes import Shape
from db.unit import Rows, Unit
from kit.errors import BadInput, Conflict, NotFound
from kit.paging import PageRequest
from services.agents.names import AgentName, ItemStatus, MessageKind
from services.agents.steering import retry
from services.agents.work import get
from services.permissions import Owned, Role, Viewer, require_role

R = TypeVar("R", default=TaskRow)
FATES, MESSAGES, RESULTS = "task-bookmarks", "task-messages", "task-artifacts"
MAX_REPLAYED: Final = 1_000
"""Most tasks that one replay takes up again."""


@dataclass(frozen=True, slots=True)
class TaskOrder:
    """How to order tasks; ties are broken by the id."""

    sort: TaskSort = TaskSort.CREATED_AT
    descending: bool = True

    @property
    def name(self) -> str:
        """The name by which cursors of this order know it."""
        return f"tasks:{self.sort}:{'DESC' if self.descending else 'ASC'}"


async def page(
    rows: Rows,
    viewer: Viewer,
    wanted: TaskFilter,
    request: PageRequest,
    *,
    order: TaskOrder,
    shape: Shape[R] = tasks.WHOLE.by_default,
) -> list[tuple[R, datetime, UUID]]:
    """Return one page of the viewer's tasks in the direction of reading, and one more when there are more."""
    return await tasks.page(
        rows,
        viewer.id,
        wanted,
        sort=order.sort,
        descending=order.descending != request.backward,
        position=cast("tuple[datetime, UUID] | None", request.position),
        limit=request.limit + 1,
        shape=shape,
    )


async def count(rows: Rows, viewer: Viewer, wanted: TaskFilter) -> int:
    """Return how many tasks of the viewer meet `wanted`."""
    return await tasks.count(rows, viewer.id, wanted)


async def steps(rows: Rows, owner_id: UUID, keys: Sequence[UUID]) -> dict[UUID, list[StepRow]]:
    """Return the steps of the owner's workflows among `keys`, in their order."""
    found: dict[UUID, list[StepRow]] = {key: [] for key in keys}
    for step in await tasks.steps_of_owner(rows, owner_id, keys):
        found[step.task_id].append(step)
    return found


async def fates(
    rows: Rows,
    task: Owned[TaskRow],
    request: PageRequest,
    *,
    statuses: Sequence[ItemStatus] | None,
    agents: Sequence[AgentName] | None,
) -> list[FateRow]:
    """Return one page of the bookmarks of a task, step by step, and one more when there are more."""
    return await tasks.fates_page(
        rows,
        task.row.id,
        statuses=statuses,
        agents=agents,
        position=cast("tuple[int, int] | None", request.position),
        backward=request.backward,
        limit=request.limit + 1,
    )


async def count_fates(
    rows: Rows, task: Owned[TaskRow], *, statuses: Sequence[ItemStatus] | None, agents: Sequence[AgentName] | None
) -> int:
    """Return how many bookmarks of the steps of a task there are of these."""
    return await tasks.count_all_fates(rows, task.row.id, statuses=statuses, agents=agents)


async def messages(
    rows: Rows, task: Owned[TaskRow], request: PageRequest, *, kinds: Sequence[MessageKind] | None
) -> list[MessageRow]:
    """Return one page of what was said about a task, the oldest first, and one more when there are more."""
    return await tasks.messages_page(
        rows, task.row.id, kinds=kinds, position=_first(request), backward=request.backward, limit=request.limit + 1
    )


async def count_messages(rows: Rows, task: Owned[TaskRow], *, kinds: Sequence[MessageKind] | None) -> int:
    """Return how many messages of a task are kept."""
    return await tasks.count_messages(rows, task.row.id, kinds=kinds)


async def results(rows: Rows, task: Owned[TaskRow], request: PageRequest) -> list[ResultRow]:
    """Return one page of the artifacts of a task, the oldest first, and one more when there are more."""
    return await tasks.results_page(
        rows, task.row.id, position=_first(request), backward=request.backward, limit=request.limit + 1
    )


async def count_results(rows: Rows, task: Owned[TaskRow]) -> int:
    """Return how many artifacts a task has."""
    return await tasks.count_results(rows, task.row.id)


async def replay(unit: Unit, viewer: Viewer, *, agent: AgentName | None, limit: int) -> int:
    """Try again what failed for good, of all accounts, the latest first: at most `limit` tasks; return how many.

    What its owner or somebody else took up, or removed, in the meantime is left alone and does not stop the others.
    Raises `Forbidden` unless the viewer is an administrator, `BadInput` when `limit` is not between 1 and 1,000.
    """
    require_role(viewer, Role.ADMIN)
    if not 1 <= limit <= MAX_REPLAYED:
        raise BadInput(f"`limit` must be between 1 and {MAX_REPLAYED:,}; it is {limit:,}.", field=("input", "limit"))
    found = sorted(await tasks.with_failures(unit, agent=None if agent is None else agent.value, limit=limit))
    replayed = 0
    for owner_id, key in found:  # sorted: each owner's events are locked in one order
        with contextlib.suppress(NotFound, Conflict):  # neither has written anything
            await retry(unit, await get(unit, Viewer(owner_id), key))
            replayed += 1
    return replayed


def _first(request: PageRequest) -> Any:
    return None if request.position is None else request.position[0]
