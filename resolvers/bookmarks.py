"""Bookmarks in the graph."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated, Any, cast
from uuid import UUID

import strawberry

from db import bookmarks as rows
from db.bookmarks import BookmarkRow, BookmarkSort, Home, Placed
from db.unit import Unit
from kit.errors import BadInput
from kit.ids import decode_global_id, decode_keys, encode_global_id
from kit.paging import PageRequest, page_request
from resolvers.context import Info, viewer_of
from resolvers.inputs.bookmarks import (
    BookmarkFilter,
    BookmarkOrder,
    CreateBookmarkInput,
    DeleteBookmarksInput,
    RestoreBookmarksInput,
    UpdateBookmarkInput,
)
from resolvers.inputs.paging import OrderDirection
from resolvers.inputs.scalars import Url
from resolvers.loaders import load, load_row
from resolvers.mutation import Payload, UserError, change
from resolvers.paging import After, Before, ConnectionRows, First, Last, connection
from services import bookmarks, events
from services.batches import Missing
from services.bookmarks import BookmarkChanges
from services.events import BookmarkChange, Happening, Topic

TYPE = "Bookmark"
Filter = Annotated[BookmarkFilter | None, strawberry.argument(description="Which bookmarks; all outside the trash.")]
OrderBy = Annotated[
    BookmarkOrder | None, strawberry.argument(description="In which order; newest first when left out.", name="orderBy")
]
BookmarkId = Annotated[strawberry.ID, strawberry.argument(description="The bookmark's id.")]
Address = Annotated[Url, strawberry.argument(description="An address in any spelling that means the same page.")]
Resume = Annotated[
    str | None, strawberry.argument(description="Begin behind this event's `cursor`; now when left out.")
]
Create = Annotated[CreateBookmarkInput, strawberry.argument(description="What to save.")]
Update = Annotated[UpdateBookmarkInput, strawberry.argument(description="What to change.")]
Delete = Annotated[DeleteBookmarksInput, strawberry.argument(description="What to delete.")]
Restore = Annotated[RestoreBookmarksInput, strawberry.argument(description="What to restore.")]
_TIMES = {BookmarkSort.ADDED_AT, BookmarkSort.CREATED_AT, BookmarkSort.UPDATED_AT, BookmarkSort.DELETED_AT}
_NOT_NULL = {"url": "An address", "is_favorite": "A flag", "is_archived": "A flag", "is_unread": "A flag"}


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
    placed = await bookmarks.page(database, viewer, wanted, order, request)
    return _cut(request, order, placed, lambda: bookmarks.count(database, viewer, wanted))


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

        async def fetch(database: Any, _owner: UUID, keys: Sequence[UUID]) -> dict[UUID, list[Placed]]:
            return await bookmarks.pages_under(
                database, viewer, home, keys, wanted=wanted, order=order, request=request
            )

        async def count(database: Any, _owner: UUID, keys: Sequence[UUID]) -> dict[UUID, int]:
            return await bookmarks.counts_under(database, viewer, home, keys, wanted)

        async def total() -> int:
            return await load(info, f"bookmarks counted under {home} {wanted!r}", parent.id, count) or 0

        name = f"bookmarks under {home} {wanted!r} {order!r} {request!r}"
        return _cut(request, order, await load(info, name, parent.id, fetch) or [], total)

    return bookmarks_under


async def find(info: Info, key: UUID) -> BookmarkRow | None:
    """Return one bookmark of the viewer, in the trash or not."""
    return cast("BookmarkRow | None", await load_row(info, "bookmark", key, rows.by_ids))


async def bookmark(info: Info, id: BookmarkId) -> BookmarkRow | None:  # noqa: A002  the name of the API
    """Return one bookmark of the viewer, in the trash or not."""
    return await find(info, decode_global_id(id, expected=TYPE, field=("id",))[1])


async def bookmark_by_url(info: Info, url: Address) -> BookmarkRow | None:
    """Return the viewer's bookmark of an address, unless it lies in the trash."""
    return await bookmarks.by_url(info.context.database, viewer_of(info), url)


async def create_bookmark(info: Info, input: Create) -> Payload:  # noqa: A002  the name of the API
    """Save an address."""
    viewer = viewer_of(info)

    async def work(unit: Unit) -> Payload:
        saved = await bookmarks.create(
            unit,
            viewer,
            _given(input),
            on_duplicate=input.on_duplicate,
            settings=info.context.settings,
            idempotency_key=input.idempotency_key,
        )
        return Payload(bookmark=saved.bookmark, created=saved.created)

    return await change(info, work)


async def update_bookmark(info: Info, input: Update) -> Payload:  # noqa: A002  the name of the API
    """Change a bookmark."""
    viewer = viewer_of(info)

    async def work(unit: Unit) -> Payload:
        key = decode_global_id(input.id, expected=TYPE, field=("input", "id"))[1]
        row = await bookmarks.update(unit, viewer, key, _changed(input), expected_version=input.expected_version)
        return Payload(bookmark=row)

    return await change(info, work)


async def delete_bookmarks(info: Info, input: Delete) -> Payload:  # noqa: A002  the name of the API
    """Move bookmarks to the trash, or remove them for ever."""
    viewer = viewer_of(info)

    async def work(unit: Unit) -> Payload:
        keys = decode_keys(input.ids, TYPE, field=("input", "ids"))
        done, missing = await bookmarks.delete(unit, viewer, keys, permanently=input.permanently)
        return Payload(deleted_ids=global_ids(TYPE, done), user_errors=item_errors(missing, "ids"))

    return await change(info, work)


async def restore_bookmarks(info: Info, input: Restore) -> Payload:  # noqa: A002  the name of the API
    """Take bookmarks out of the trash."""
    viewer = viewer_of(info)

    async def work(unit: Unit) -> Payload:
        found, missing = await bookmarks.restore(unit, viewer, decode_keys(input.ids, TYPE, field=("input", "ids")))
        return Payload(bookmarks=found, user_errors=item_errors(missing, "ids"))

    return await change(info, work)


async def empty_trash(info: Info) -> Payload:
    """Remove everything in the trash for ever."""
    viewer = viewer_of(info)

    async def work(unit: Unit) -> Payload:
        return Payload(purged_count=await bookmarks.empty_trash(unit, viewer))

    return await change(info, work)


@dataclass(frozen=True, slots=True)
class BookmarkEventRow:
    """One event of `bookmarkChanged`."""

    cursor: str
    resync: bool
    change: BookmarkChange | None
    keys: tuple[UUID, ...]


async def bookmark_changed(info: Info, after: Resume = None) -> AsyncGenerator[BookmarkEventRow, None]:
    """Yield what happens to the viewer's bookmarks."""
    context = info.context
    following = events.follow(context.database, context.services.bus, viewer_of(info).id, Topic.BOOKMARK, after=after)
    async with aclosing(cast("AsyncGenerator[Happening, None]", following)) as happenings:
        async for happening in happenings:
            context.loaders.clear()  # what they remember was true at the event before
            yield _event(happening)


def event_ids(event: strawberry.Parent[BookmarkEventRow]) -> list[strawberry.ID]:
    """Return the ids of the bookmarks that an event is about."""
    return global_ids(TYPE, event.keys)


async def event_bookmark(event: strawberry.Parent[BookmarkEventRow], info: Info) -> BookmarkRow | None:
    """Return the one bookmark that an event is about, as it is now."""
    return await find(info, event.keys[0]) if len(event.keys) == 1 else None


def global_ids(type_name: str, keys: Sequence[UUID]) -> list[strawberry.ID]:
    """Return keys as clients know them."""
    return [strawberry.ID(encode_global_id(type_name, key)) for key in keys]


def optional_key(global_id: str | None, type_name: str, field: tuple[str, ...]) -> UUID | None:
    """Return the key of an id that may be left out. Raises `BadInput` naming `field`."""
    return None if global_id is None else decode_global_id(global_id, expected=type_name, field=field)[1]


def item_errors(missing: Sequence[Missing], name: str) -> tuple[UserError, ...]:
    """Return why nothing was done with some items of the input list called `name`; the others were done."""
    return tuple(
        UserError(code=item.reason.code, message=item.reason.message, field=["input", name, str(item.index)])
        for item in missing
    )


def refuse_null(name: str, what: str) -> BadInput:
    """Return the error for a field that may be left out but not be null."""
    head, *tail = name.split("_")
    return BadInput(
        f"{what} cannot be null; leave it out to keep it.", field=("input", head + "".join(map(str.title, tail)))
    )


def _event(happening: Happening) -> BookmarkEventRow:
    if happening.event is None:
        return BookmarkEventRow(happening.cursor, resync=True, change=None, keys=())
    payload = happening.event.payload
    return BookmarkEventRow(
        happening.cursor,
        resync=bool(payload.get("resync")),
        change=BookmarkChange(payload["change"]),
        keys=tuple(UUID(key) for key in payload["ids"]),
    )


def _cut(
    request: PageRequest, order: bookmarks.BookmarkOrder, placed: Sequence[Placed], count: Any
) -> ConnectionRows[BookmarkRow]:
    values = {row.id: value for row, value in placed}
    return connection(request, order.name, [row for row, _ in placed], lambda row: (values[row.id], row.id), count)


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
    name = f"filter {given!r} {order!r}"
    loaders = info.context.loaders
    if name not in loaders:
        loaders[name] = asyncio.ensure_future(
            bookmarks.resolve(
                info.context.database,
                viewer_of(info),
                _filter(given),
                order,
                any_tags=None if given is None else given.any_tag_names,
                all_tags=(given and given.all_tag_names) or (),
            )
        )
    return cast("rows.BookmarkFilter", await loaders[name])


def _given(new: CreateBookmarkInput) -> BookmarkChanges:
    """Return what `createBookmark` was given; null means nothing was."""
    names = ("url", "title", "description", "notes", "is_favorite", "is_archived", "is_unread", "tags")
    changes = {name: value for name in names if (value := getattr(new, name)) is not None}
    if new.collection_ids is not None:
        changes["collection_ids"] = decode_keys(new.collection_ids, "Collection", field=("input", "collectionIds"))
    return cast("BookmarkChanges", changes)


def _changed(new: UpdateBookmarkInput) -> BookmarkChanges:
    """Return what `updateBookmark` was given; a set that is null becomes empty."""
    changes: dict[str, Any] = {}
    for name in ("url", "title", "description", "notes", "is_favorite", "is_archived", "is_unread"):
        given = getattr(new, name)
        if given is None:
            continue
        if given.value is None and name in _NOT_NULL:
            raise refuse_null(name, _NOT_NULL[name])
        changes[name] = given.value
    if new.tags is not None:
        changes["tags"] = new.tags.value or []
    if new.collection_ids is not None:
        ids = new.collection_ids.value or []
        changes["collection_ids"] = decode_keys(ids, "Collection", field=("input", "collectionIds"))
    return cast("BookmarkChanges", changes)
