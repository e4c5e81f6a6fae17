"""Tasks in the graph: one, many, and what belongs to one."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import orjson
import strawberry

from db import agents as rows
from db.agents import FateRow, MessageRow, ResultRow, StepRow, TaskRow
from db.bookmarks import BookmarkRow
from db.users import UserRow
from kit.errors import BadInput
from kit.ids import decode_global_id
from kit.paging import page_request
from kit.text import sought
from resolvers import bookmarks, users
from resolvers.context import Info, viewer_of
from resolvers.ids import optional_key
from resolvers.inputs.agents import TaskBookmarkFilter, TaskFilter, TaskMessageFilter, TaskOrder
from resolvers.inputs.paging import OrderDirection
from resolvers.loaders import load, load_row
from resolvers.paging import After, Before, ConnectionRows, First, Last, connection
from resolvers.shaped import shape_of
from services.agents import lists
from services.permissions import own

TYPE = "Task"
SOURCE = rows.SOURCE
_MAX_WORKFLOWS = 20
TaskId = Annotated[strawberry.ID, strawberry.argument(description="The task's id.")]
Filter = Annotated[TaskFilter | None, strawberry.argument(description="Which tasks; all when left out.")]
Order = Annotated[TaskOrder | None, strawberry.argument(description="How to order them; newest first when left out.")]
FateFilter = Annotated[TaskBookmarkFilter | None, strawberry.argument(description="Which; all when left out.")]
MessageFilter = Annotated[TaskMessageFilter | None, strawberry.argument(description="Which; all when left out.")]


async def find(info: Info, key: UUID) -> TaskRow | None:
    """Return one task of the viewer."""
    return await load_row(info, rows.SOURCE, key, shape_of(info, TYPE, rows.WHOLE))


async def task(info: Info, id: TaskId) -> TaskRow | None:  # noqa: A002  the name of the API
    """Return one task of the viewer."""
    return await find(info, decode_global_id(id, expected=TYPE, field=("id",))[1])


async def list_tasks(
    info: Info,
    *,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    filter: Filter = None,  # noqa: A002  the name of the API
    order_by: Order = None,
) -> ConnectionRows[TaskRow]:
    """Return the viewer's tasks."""
    return await _listed(info, _wanted(filter), _order(order_by), first, after, last, before)


async def of_bookmark(
    row: strawberry.Parent[BookmarkRow],
    info: Info,
    *,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    order_by: Order = None,
) -> ConnectionRows[TaskRow]:
    """Return the workflows that have or had a bookmark among theirs."""
    return await _listed(info, rows.TaskFilter(bookmark_id=row.id), _order(order_by), first, after, last, before)


async def owner(row: strawberry.Parent[TaskRow], info: Info) -> UserRow | None:
    """Return whose a task is."""
    return await users.find(info, row.owner_id)


async def steps(row: strawberry.Parent[TaskRow], info: Info) -> list[StepRow]:
    """Return the steps of a workflow."""
    return await load(info, "steps of tasks", row.id, lists.steps) or []


async def bookmarks_of(
    row: strawberry.Parent[TaskRow],
    info: Info,
    *,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    filter: FateFilter = None,  # noqa: A002  the name of the API
) -> ConnectionRows[FateRow]:
    """Return the bookmarks of a workflow, step by step."""
    owned, database = own(viewer_of(info), row, "task"), info.context.database
    chosen: dict[str, Any] = {
        "statuses": None if filter is None else filter.status,
        "agents": None if filter is None else filter.agent,
    }
    request = page_request(lists.FATES, (int, int), first=first, after=after, last=last, before=before)
    found = await lists.fates(database, owned, request, **chosen)
    return connection(
        request,
        lists.FATES,
        [(fate, fate.step, fate.position) for fate in found],
        lambda: lists.count_fates(database, owned, **chosen),
    )


async def fate_bookmark(fate: strawberry.Parent[FateRow], info: Info) -> BookmarkRow | None:
    """Return the bookmark, None when it is gone."""
    return await bookmarks.find(info, fate.bookmark_id)


async def messages(
    row: strawberry.Parent[TaskRow],
    info: Info,
    *,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    filter: MessageFilter = None,  # noqa: A002  the name of the API
) -> ConnectionRows[MessageRow]:
    """Return what was said about a task, the oldest first."""
    owned, database = own(viewer_of(info), row, "task"), info.context.database
    kinds = None if filter is None else filter.kind
    request = page_request(lists.MESSAGES, (int,), first=first, after=after, last=last, before=before)
    found = await lists.messages(database, owned, request, kinds=kinds)
    return connection(
        request,
        lists.MESSAGES,
        [(message, message.id) for message in found],
        lambda: lists.count_messages(database, owned, kinds=kinds),
    )


async def artifacts(
    row: strawberry.Parent[TaskRow],
    info: Info,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> ConnectionRows[ResultRow]:
    """Return what the agents of a workflow made, the oldest first."""
    owned, database = own(viewer_of(info), row, "task"), info.context.database
    request = page_request(lists.RESULTS, (UUID,), first=first, after=after, last=last, before=before)
    return connection(
        request,
        lists.RESULTS,
        [(result, result.id) for result in await lists.results(database, owned, request)],
        lambda: lists.count_results(database, owned),
    )


def artifact_content(result: strawberry.Parent[ResultRow]) -> Any:
    """Return the JSON of an artifact."""
    return orjson.loads(result.content)


def artifact_digest(result: strawberry.Parent[ResultRow]) -> str:
    """Return the SHA-256 of the stored JSON in hexadecimal."""
    return result.sha256.hex()


async def _listed(
    info: Info,
    wanted: rows.TaskFilter,
    order: lists.TaskOrder,
    *page: Any,
) -> ConnectionRows[TaskRow]:
    """Return the page of tasks that `page` asks for: first, after, last, before."""
    viewer, database = viewer_of(info), info.context.database
    first, after, last, before = page
    request = page_request(order.name, (datetime, UUID), first=first, after=after, last=last, before=before)
    shape = shape_of(info, TYPE, rows.WHOLE)
    return connection(
        request,
        order.name,
        await lists.page(database, viewer, wanted, request, order=order, shape=shape),
        lambda: lists.count(database, viewer, wanted),
    )


def _order(given: TaskOrder | None) -> lists.TaskOrder:
    if given is None:
        return lists.TaskOrder()
    return lists.TaskOrder(given.field, descending=given.direction is not OrderDirection.ASC)


def _wanted(given: TaskFilter | None) -> rows.TaskFilter:
    if given is None:
        return rows.TaskFilter()
    if len(given.workflow or ()) > _MAX_WORKFLOWS:
        raise BadInput(f"Give at most {_MAX_WORKFLOWS} workflows.", field=("filter", "workflow"))
    for name in given.workflow or ():
        sought(name, "workflow")
    return rows.TaskFilter(
        statuses=None if given.status is None else [status.value for status in given.status],
        workflows=given.workflow,
        bookmark_id=optional_key(given.bookmark_id, bookmarks.TYPE, ("filter", "bookmarkId")),
    )
