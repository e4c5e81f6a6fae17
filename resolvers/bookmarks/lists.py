"""Finding bookmarks: one, a list, the list under a collection or a tag."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any, cast
from uuid import UUID

import strawberry

from db import bookmarks as rows
from db.bookmarks import BookmarkRow, BookmarkSort, Home, Placed
from kit.errors import BadInput
from kit.ids import decode_global_id
from kit.paging import page_request
from resolvers.context import Info, viewer_of
from resolvers.ids import optional_key
from resolvers.inputs.bookmarks import BookmarkFilter, BookmarkOrder
from resolvers.inputs.paging import OrderDirection
from resolvers.inputs.scalars import Url
from resolvers.loaders import load, load_row
from resolvers.paging import After, Before, ConnectionRows, First, Last, connection
from resolvers.shaped import shape_of
from services import bookmarks

TYPE = "Bookmark"
SOURCE = rows.SOURCE
Filter = Annotated[BookmarkFilter | None, strawberry.argument(description="Which bookmarks; all outside the trash.")]
OrderBy = Annotated[
    BookmarkOrder | None, strawberry.argument(description="In which order; newest first when left out.", name="orderBy")
]
BookmarkId = Annotated[strawberry.ID, strawberry.argument(description="The bookmark's id.")]
Address = Annotated[Url, strawberry.argument(description="An address in any spelling that means the same page.")]
_TIMES = {BookmarkSort.ADDED_AT, BookmarkSort.CREATED_AT, BookmarkSort.UPDATED_AT, BookmarkSort.DELETED_AT}


async def list_bookmarks(
    info: Info,
    *,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    filter: Filter = None,  # noqa: A002  the name of the API
    order_by: OrderBy = None,
) -> ConnectionRows[BookmarkRow]:
    """Return the viewer's bookmarks."""
    viewer, database, order = viewer_of(info), info.context.database, _order(order_by)
    request = page_request(order.name, order.kinds, first=first, after=after, last=last, before=before)
    wanted = await _resolved(info, filter, order)
    placed = await bookmarks.page(database, viewer, wanted, order, request, shape_of(info, TYPE, rows.WHOLE))
    return connection(request, order.name, placed, lambda: bookmarks.count(database, viewer, wanted))


def listed_under(home: Home) -> Any:
    """Return the resolver of the bookmarks of one collection or tag; those of many are fetched together."""

    async def bookmarks_under(
        parent: strawberry.Parent[Any],
        info: Info,
        *,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        filter: Filter = None,  # noqa: A002  the name of the API
        order_by: OrderBy = None,
    ) -> ConnectionRows[BookmarkRow]:
        viewer, order = viewer_of(info), _order(order_by)
        request = page_request(order.name, order.kinds, first=first, after=after, last=last, before=before)
        wanted = await _resolved(info, filter, order)
        if home is Home.COLLECTION and wanted.collection_id is not None:
            raise BadInput("The collection is given already.", field=("filter", "collectionId"))

        shape = shape_of(info, TYPE, rows.WHOLE)

        async def fetch(database: Any, _owner: UUID, keys: Sequence[UUID]) -> dict[UUID, list[Placed[BookmarkRow]]]:
            return await bookmarks.pages_under(
                database, viewer, home, keys, wanted=wanted, order=order, request=request, shape=shape
            )

        async def total() -> int:
            return await _counted(info, home, parent.id, wanted)

        name = ("bookmarks under", home, wanted, order, request, shape)
        return connection(request, order.name, await load(info, name, parent.id, fetch) or [], total)

    return bookmarks_under


def counted_under(home: Home) -> Any:
    """Return the resolver of how many bookmarks outside the trash one collection or tag has, direct links only."""

    async def bookmark_count(parent: strawberry.Parent[Any], info: Info) -> int:
        return await _counted(info, home, parent.id, rows.BookmarkFilter())

    return bookmark_count


async def find(info: Info, key: UUID) -> BookmarkRow | None:
    """Return one bookmark of the viewer, in the trash or not."""
    return await load_row(info, rows.SOURCE, key, shape_of(info, TYPE, rows.WHOLE))


async def bookmark(info: Info, id: BookmarkId) -> BookmarkRow | None:  # noqa: A002  the name of the API
    """Return one bookmark of the viewer, in the trash or not."""
    return await find(info, decode_global_id(id, expected=TYPE, field=("id",))[1])


async def bookmark_by_url(info: Info, url: Address) -> BookmarkRow | None:
    """Return the viewer's bookmark of an address, unless it lies in the trash."""
    return await bookmarks.by_url(info.context.database, viewer_of(info), url, shape_of(info, TYPE, rows.WHOLE))


async def _counted(info: Info, home: Home, key: UUID, wanted: rows.BookmarkFilter) -> int:
    """Count the bookmarks of one collection or tag together with those of others that are asked for."""
    viewer = viewer_of(info)

    async def fetch(database: Any, _owner: UUID, keys: Sequence[UUID]) -> dict[UUID, int]:
        return await bookmarks.counts_under(database, viewer, home, keys, wanted)

    return await load(info, ("bookmarks counted under", home, wanted), key, fetch) or 0


def _order(given: BookmarkOrder | None) -> bookmarks.BookmarkOrder:
    if given is None:
        return bookmarks.BookmarkOrder()
    descending = given.field in _TIMES if given.direction is None else given.direction is OrderDirection.DESC
    return bookmarks.BookmarkOrder(given.field, descending)


def _filter(given: BookmarkFilter | None) -> rows.BookmarkFilter:
    if given is None:
        return rows.BookmarkFilter()
    return rows.BookmarkFilter(
        in_trash=given.in_trash,
        collection_id=optional_key(given.collection_id, "Collection", ("filter", "collectionId")),
        include_descendants=given.include_descendants,
        domain=given.domain,
        is_favorite=given.is_favorite,
        is_archived=given.is_archived,
        is_unread=given.is_unread,
        is_tagged=given.is_tagged,
        added_after=given.added_after,
        added_before=given.added_before,
        url_contains=given.url_contains,
        title_contains=given.title_contains,
        source=None if given.source is None else given.source.value,
    )


async def _resolved(info: Info, given: BookmarkFilter | None, order: bookmarks.BookmarkOrder) -> rows.BookmarkFilter:
    """Return the filter as the database takes it, resolved once however many lists of an operation share it."""
    if given is None:
        return await bookmarks.resolve(info.context.database, viewer_of(info), rows.BookmarkFilter(), order)
    name = f"filter {given!r} {order!r}"
    loaders = info.context.loaders
    if name not in loaders:
        resolving = bookmarks.resolve(
            info.context.database,
            viewer_of(info),
            _filter(given),
            order,
            any_tags=given.any_tag_names,
            all_tags=given.all_tag_names or (),
        )
        task = loaders[name] = asyncio.ensure_future(resolving)
        # Whoever waited may have been cancelled: somebody has to look at a refusal.
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
    # Shielded, as in resolvers.loaders: others wait for the same answer.
    return cast("rows.BookmarkFilter", await asyncio.shield(loaders[name]))
