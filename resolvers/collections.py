"""Collections in the graph."""

from typing import Annotated, Any, cast
from uuid import UUID

import strawberry

from db import collections as rows
from db.bookmarks import BookmarkRow, Home, count_under
from db.collections import CollectionRow, CollectionSort
from db.unit import Unit
from kit.ids import decode_global_id, decode_keys
from kit.paging import page_request
from resolvers.bookmarks import counted_under, listed_under
from resolvers.context import Info, viewer_of
from resolvers.ids import global_ids, optional_key
from resolvers.inputs.collections import (
    AddToCollectionInput,
    CollectionChildrenPolicy,
    CollectionFilter,
    CollectionOrder,
    CreateCollectionInput,
    DeleteCollectionInput,
    MoveCollectionInput,
    RemoveFromCollectionInput,
    UpdateCollectionInput,
)
from resolvers.inputs.paging import OrderDirection
from resolvers.loaders import load_related, load_row
from resolvers.mutation import Payload, change, item_errors, refuse_null
from resolvers.paging import After, Before, ConnectionRows, First, Last, connection
from resolvers.shaped import shape_of
from services import collections
from services.collections import CollectionChanges, NewCollection

TYPE = "Collection"
SOURCE = rows.SOURCE
CHILDREN, OF_BOOKMARK, PARENT = rows.CHILDREN, rows.OF_BOOKMARK, rows.PARENT
BOOKMARK_COUNT = count_under(Home.COLLECTION)
Filter = Annotated[CollectionFilter | None, strawberry.argument(description="Which collections; all when left out.")]
OrderBy = Annotated[
    CollectionOrder | None,
    strawberry.argument(description="In which order; by position when left out.", name="orderBy"),
]
CollectionId = Annotated[strawberry.ID, strawberry.argument(description="The collection's id.")]
Create = Annotated[CreateCollectionInput, strawberry.argument(description="What to make.")]
Update = Annotated[UpdateCollectionInput, strawberry.argument(description="What to change.")]
Move = Annotated[MoveCollectionInput, strawberry.argument(description="What to move where.")]
Delete = Annotated[DeleteCollectionInput, strawberry.argument(description="What to delete.")]
Add = Annotated[AddToCollectionInput, strawberry.argument(description="What to put where.")]
Remove = Annotated[RemoveFromCollectionInput, strawberry.argument(description="What to take out of where.")]
_TIMES = {CollectionSort.CREATED_AT, CollectionSort.UPDATED_AT}

bookmarks_of = listed_under(Home.COLLECTION)
bookmark_count = counted_under(Home.COLLECTION)


async def list_collections(
    info: Info,
    *,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    filter: Filter = None,  # noqa: A002  the name of the API
    order_by: OrderBy = None,
) -> ConnectionRows[CollectionRow]:
    """Return the viewer's collections."""
    viewer, database = viewer_of(info), info.context.database
    sort, descending = _order(order_by)
    name = collections.order_name(sort, descending=descending)
    request = page_request(name, collections.order_kinds(sort), first=first, after=after, last=last, before=before)
    wanted = _filter(filter)
    shape = shape_of(info, TYPE, rows.WHOLE)
    return connection(
        request,
        name,
        await collections.page(database, viewer, wanted, request, sort=sort, descending=descending, shape=shape),
        lambda: collections.count(database, viewer, wanted),
    )


async def find(info: Info, key: UUID) -> CollectionRow | None:
    """Return one collection of the viewer."""
    return await load_row(info, rows.SOURCE, key, shape_of(info, TYPE, rows.WHOLE))


async def collection(info: Info, id: CollectionId) -> CollectionRow | None:  # noqa: A002  the name of the API
    """Return one collection of the viewer."""
    return await find(info, decode_global_id(id, expected=TYPE, field=("id",))[1])


async def parent(row: strawberry.Parent[CollectionRow], info: Info) -> CollectionRow | None:
    """Return what a collection lies below."""
    return None if row.parent_id is None else await find(info, row.parent_id)


async def children(row: strawberry.Parent[CollectionRow], info: Info) -> list[CollectionRow]:
    """Return the collections right below one."""
    return await load_related(info, rows.CHILDREN, row.id, shape_of(info, TYPE, rows.WHOLE))


async def of_bookmark(row: strawberry.Parent[BookmarkRow], info: Info) -> list[CollectionRow]:
    """Return the collections that a bookmark lies in."""
    return await load_related(info, rows.OF_BOOKMARK, row.id, shape_of(info, TYPE, rows.WHOLE))


async def create_collection(info: Info, input: Create) -> Payload:  # noqa: A002  the name of the API
    """Make a collection."""
    viewer = viewer_of(info)

    async def work(unit: Unit) -> Payload:
        new = NewCollection(
            name=input.name,
            parent_id=optional_key(input.parent_id, TYPE, ("input", "parentId")),
            description=input.description,
            color=input.color,
            icon=input.icon,
            position=input.position,
            idempotency_key=input.idempotency_key,
        )
        hours = info.context.settings.idempotency_hours
        return Payload(collection=await collections.create(unit, viewer, new, idempotency_hours=hours))

    return await change(info, work)


async def update_collection(info: Info, input: Update) -> Payload:  # noqa: A002  the name of the API
    """Change what a collection is called and looks like."""
    viewer = viewer_of(info)

    async def work(unit: Unit) -> Payload:
        key = decode_global_id(input.id, expected=TYPE, field=("input", "id"))[1]
        return Payload(collection=await collections.update(unit, viewer, key, _changed(input)))

    return await change(info, work)


async def move_collection(info: Info, input: Move) -> Payload:  # noqa: A002  the name of the API
    """Put a collection elsewhere in the tree."""
    viewer = viewer_of(info)

    async def work(unit: Unit) -> Payload:
        key = decode_global_id(input.id, expected=TYPE, field=("input", "id"))[1]
        if input.parent_id is None:
            row = await collections.reposition(unit, viewer, key, position=input.position)
        else:
            parent_id = optional_key(input.parent_id.value, TYPE, ("input", "parentId"))
            row = await collections.move(unit, viewer, key, parent_id=parent_id, position=input.position)
        return Payload(collection=row)

    return await change(info, work)


async def delete_collection(info: Info, input: Delete) -> Payload:  # noqa: A002  the name of the API
    """Delete a collection; bookmarks stay."""
    viewer = viewer_of(info)

    async def work(unit: Unit) -> Payload:
        key = decode_global_id(input.id, expected=TYPE, field=("input", "id"))[1]
        with_children = input.children is CollectionChildrenPolicy.DELETE
        gone = await collections.delete(unit, viewer, key, with_children=with_children)
        return Payload(deleted_ids=global_ids(TYPE, gone))

    return await change(info, work)


async def add_to_collection(info: Info, input: Add) -> Payload:  # noqa: A002  the name of the API
    """Put bookmarks into a collection."""
    viewer = viewer_of(info)

    async def work(unit: Unit) -> Payload:
        return _moved(await collections.add_bookmarks(unit, viewer, *_pair(input)))

    return await change(info, work)


async def remove_from_collection(info: Info, input: Remove) -> Payload:  # noqa: A002  the name of the API
    """Take bookmarks out of a collection."""
    viewer = viewer_of(info)

    async def work(unit: Unit) -> Payload:
        return _moved(await collections.remove_bookmarks(unit, viewer, *_pair(input)))

    return await change(info, work)


def _pair(given: AddToCollectionInput | RemoveFromCollectionInput) -> tuple[UUID, list[UUID]]:
    key = decode_global_id(given.collection_id, expected=TYPE, field=("input", "collectionId"))[1]
    return key, decode_keys(given.bookmark_ids, "Bookmark", field=("input", "bookmarkIds"))


def _moved(answer: tuple[CollectionRow, list[UUID], Any]) -> Payload:
    row, keys, missing = answer
    return Payload(
        collection=row,
        changed_bookmark_ids=global_ids("Bookmark", keys),
        user_errors=item_errors(missing, "bookmarkIds"),
    )


def _order(given: CollectionOrder | None) -> tuple[CollectionSort, bool]:
    if given is None:
        return CollectionSort.POSITION, False
    if given.direction is None:
        return given.field, given.field in _TIMES
    return given.field, given.direction is OrderDirection.DESC


def _filter(given: CollectionFilter | None) -> rows.CollectionFilter:
    if given is None:
        return rows.CollectionFilter()
    return rows.CollectionFilter(
        parent_id=optional_key(given.parent_id, TYPE, ("filter", "parentId")),
        roots_only=given.roots_only,
        name_contains=given.name_contains,
    )


def _changed(new: UpdateCollectionInput) -> CollectionChanges:
    changes: dict[str, Any] = {}
    for name in ("name", "description", "color", "icon"):
        given = getattr(new, name)
        if given is None:
            continue
        if given.value is None and name == "name":
            raise refuse_null(name, "A name")
        changes[name] = given.value
    return cast("CollectionChanges", changes)
