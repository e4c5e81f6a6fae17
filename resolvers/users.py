"""Accounts in the graph."""

from typing import Annotated
from uuid import UUID

import strawberry

from db import users as rows
from db.users import UserFilter as Chosen
from db.users import UserRow
from kit.paging import page_request
from kit.text import fold, sought
from resolvers.context import Info, viewer_of
from resolvers.inputs.admin import UserFilter
from resolvers.paging import After, Before, ConnectionRows, First, Last, connection
from resolvers.shaped import shape_of
from services import users

TYPE = "User"
Filter = Annotated[UserFilter | None, strawberry.argument(description="Which accounts; all when left out.")]
SOURCE = rows.SOURCE


async def viewer(info: Info) -> UserRow | None:
    """Who is signed in; None when nobody is."""
    asking = info.context.viewer
    return (
        None
        if asking is None
        else await users.get(info.context.database, asking, asking.id, shape_of(info, TYPE, rows.WHOLE))
    )


async def find(info: Info, key: UUID) -> UserRow | None:
    """One account by its key, if the viewer may see it."""
    return await users.get(info.context.unwalled, viewer_of(info), key, shape_of(info, TYPE, rows.WHOLE))


async def list_users(
    info: Info,
    *,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    filter: Filter = None,  # noqa: A002  the name of the API
) -> ConnectionRows[UserRow]:
    """All accounts, newest first."""
    asking, database = viewer_of(info), info.context.unwalled
    request = page_request(users.ORDER, users.KINDS, first=first, after=after, last=last, before=before)
    chosen = _chosen(filter)
    shape = shape_of(info, TYPE, rows.WHOLE)
    placed = await users.page(database, asking, request, chosen=chosen, shape=shape)
    return connection(request, users.ORDER, placed, lambda: users.count(database, asking, chosen))


def _chosen(given: UserFilter | None) -> Chosen:
    if given is None:
        return Chosen()
    words = fold(sought(given.search, "search")) if given.search else None
    return Chosen(None if given.role is None else given.role.value, given.is_disabled, words)
