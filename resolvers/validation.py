"""Links in the graph: how they fare, their history, and what follows."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any, cast
from uuid import UUID

import strawberry

from db.bookmarks import BookmarkRow
from db.unit import Unit
from db.validation import health as check_rows
from db.validation import shown as rows
from db.validation.duplicates import DuplicateReason, DuplicateRow
from db.validation.health import CheckRow, PlacedCheck
from db.validation.shown import LinkHealthRow
from kit.ids import decode_keys
from kit.paging import page_request
from resolvers import bookmarks
from resolvers.context import Info, viewer_of
from resolvers.inputs.validation import AcceptRedirectsInput
from resolvers.loaders import load, load_row
from resolvers.mutation import Payload, change, item_errors
from resolvers.paging import After, Before, ConnectionRows, First, Last, connection
from resolvers.shaped import shape_of
from services.validation import duplicates, lists, moves

TYPE, CHECK_TYPE = "LinkHealth", "LinkCheck"
SOURCE, OF_BOOKMARK, CHECK_SOURCE = rows.SOURCE, rows.OF_BOOKMARK, check_rows.CHECK_SOURCE
By = Annotated[DuplicateReason, strawberry.argument(description="What they are to have in common.")]
Accept = Annotated[AcceptRedirectsInput, strawberry.argument(description="Which bookmarks.")]


async def link_of(row: strawberry.Parent[BookmarkRow], info: Info) -> LinkHealthRow:
    """Return how the link of a bookmark fares. One that was deleted meanwhile has no link any more."""
    found = await load_row(info, SOURCE, row.id, shape_of(info, TYPE, rows.WHOLE))
    return cast("LinkHealthRow", found)


async def link_checks(
    row: strawberry.Parent[BookmarkRow],
    info: Info,
    *,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> ConnectionRows[CheckRow]:
    """Return the checks of a bookmark's link, newest first; those of many bookmarks are fetched together."""
    viewer = viewer_of(info)
    request = page_request(lists.ORDER, lists.KINDS, first=first, after=after, last=last, before=before)

    shape = shape_of(info, CHECK_TYPE, check_rows.CHECKS)

    async def fetch(database: Any, _owner: UUID, keys: Sequence[UUID]) -> dict[UUID, list[PlacedCheck]]:
        return await lists.checks_of(database, viewer, keys, request, shape)

    async def total() -> int:
        return await load(info, "link checks counted", row.id, check_rows.count_checks) or 0

    found = await load(info, ("link checks", request, shape), row.id, fetch) or []
    return connection(request, lists.ORDER, found, total)


async def duplicate_groups(
    info: Info, *, first: First = None, after: After = None, by: By = DuplicateReason.FINAL_URL
) -> ConnectionRows[DuplicateRow]:
    """Return groups of bookmarks that have something in common."""
    viewer, database, order = viewer_of(info), info.context.database, duplicates.order_of(by)
    request = page_request(order, duplicates.KINDS, first=first, after=after)
    found = await duplicates.page(database, viewer, by, request)
    return connection(
        request, order, [(group, group.key) for group in found], lambda: duplicates.count(database, viewer, by)
    )


async def group_bookmarks(group: strawberry.Parent[DuplicateRow], info: Info) -> list[BookmarkRow]:
    """Return the bookmarks of a group that are still there."""
    found = await asyncio.gather(*(bookmarks.find(info, key) for key in group.bookmark_ids))
    return [row for row in found if row is not None]


async def accept_redirects(info: Info, input: Accept) -> Payload:  # noqa: A002  the name of the API
    """Give bookmarks the addresses that are offered."""
    viewer = viewer_of(info)

    async def work(unit: Unit) -> Payload:
        keys = decode_keys(input.ids, "Bookmark", field=("input", "ids"))
        done, missing = await moves.accept_moves(unit, viewer, keys)
        return Payload(bookmarks=done, user_errors=item_errors(missing, "ids"))

    return await change(info, work)
