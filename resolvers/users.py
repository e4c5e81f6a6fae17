"""Accounts in the graph."""

from uuid import UUID

from db import users as rows
from db.users import UserRow
from kit.paging import page_request
from resolvers.context import Info, viewer_of
from resolvers.paging import After, Before, ConnectionRows, First, Last, connection
from resolvers.shaped import shape_of
from services import users

TYPE = "User"
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
    info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
) -> ConnectionRows[UserRow]:
    """All accounts, newest first."""
    asking, database = viewer_of(info), info.context.unwalled
    request = page_request(users.ORDER, users.KINDS, first=first, after=after, last=last, before=before)
    placed = await users.page(database, asking, request, shape_of(info, TYPE, rows.WHOLE))
    return connection(request, users.ORDER, placed, lambda: users.count(database, asking))
