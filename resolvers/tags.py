"""Tags in the graph."""

from typing import Annotated, Any, cast
from uuid import UUID

import strawberry

from db import tags as rows
from db.bookmarks import BookmarkRow, Home, count_under
from db.tags import TagRow, TagSort
from db.unit import Unit
from kit.ids import decode_global_id, decode_keys
from kit.paging import page_request
from resolvers.bookmarks import counted_under, listed_under
from resolvers.context import Info, viewer_of
from resolvers.ids import global_ids, optional_key
from resolvers.inputs.paging import OrderDirection
from resolvers.inputs.tags import (
    CreateTagInput,
    DeleteTagsInput,
    MergeTagsInput,
    TagFilter,
    TagOrder,
    UpdateTagInput,
)
from resolvers.loaders import load, load_related, load_row
from resolvers.mutation import Payload, change, item_errors, refuse_null
from resolvers.paging import After, Before, ConnectionRows, First, Last, connection
from resolvers.shaped import shape_of
from services import tags
from services.tags import TagChanges

TYPE = "Tag"
SOURCE = rows.SOURCE
ALIASES, CHILDREN, OF_BOOKMARK, PARENT = rows.ALIASES, rows.CHILDREN, rows.OF_BOOKMARK, rows.PARENT
BOOKMARK_COUNT = count_under(Home.TAG)
Filter = Annotated[TagFilter | None, strawberry.argument(description="Which tags; all when left out.")]
OrderBy = Annotated[
    TagOrder | None, strawberry.argument(description="In which order; by path when left out.", name="orderBy")
]
Name = Annotated[str, strawberry.argument(description="A path such as `dev/python` in any spelling, or an alias.")]
Create = Annotated[CreateTagInput, strawberry.argument(description="What to make.")]
Update = Annotated[UpdateTagInput, strawberry.argument(description="What to change.")]
Merge = Annotated[MergeTagsInput, strawberry.argument(description="What to merge into what.")]
Delete = Annotated[DeleteTagsInput, strawberry.argument(description="What to delete.")]

bookmarks_of = listed_under(Home.TAG)
bookmark_count = counted_under(Home.TAG)


async def list_tags(
    info: Info,
    *,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    filter: Filter = None,  # noqa: A002  the name of the API
    order_by: OrderBy = None,
) -> ConnectionRows[TagRow]:
    """Return the viewer's tags."""
    viewer, database = viewer_of(info), info.context.database
    sort, descending = _order(order_by)
    name = tags.order_name(sort, descending=descending)
    request = page_request(name, tags.order_kinds(sort), first=first, after=after, last=last, before=before)
    wanted = _filter(filter)
    shape = shape_of(info, TYPE, rows.WHOLE)
    return connection(
        request,
        name,
        await tags.page(database, viewer, wanted, request, sort=sort, descending=descending, shape=shape),
        lambda: tags.count(database, viewer, wanted),
    )


async def find(info: Info, key: UUID) -> TagRow | None:
    """Return one tag of the viewer."""
    return await load_row(info, rows.SOURCE, key, shape_of(info, TYPE, rows.WHOLE))


async def tag(info: Info, name: Name) -> TagRow | None:
    """Return the tag that a name leads to."""
    row = await tags.named(info.context.database, viewer_of(info), name)
    shape = shape_of(info, TYPE, rows.WHOLE)
    return row if row is None or shape is rows.WHOLE else await load_row(info, SOURCE, row.id, shape)


async def parent(row: strawberry.Parent[TagRow], info: Info) -> TagRow | None:
    """Return what a tag lies below."""
    return None if row.parent_id is None else await find(info, row.parent_id)


async def children(row: strawberry.Parent[TagRow], info: Info) -> list[TagRow]:
    """Return the tags right below one."""
    return await load_related(info, rows.CHILDREN, row.id, shape_of(info, TYPE, rows.WHOLE))


async def aliases(row: strawberry.Parent[TagRow], info: Info) -> list[str]:
    """Return the other paths that lead to a tag."""
    return await load(info, "tag aliases", row.id, rows.aliases) or []


async def of_bookmark(row: strawberry.Parent[BookmarkRow], info: Info) -> list[TagRow]:
    """Return the tags of a bookmark."""
    return await load_related(info, rows.OF_BOOKMARK, row.id, shape_of(info, TYPE, rows.WHOLE))


async def create_tag(info: Info, input: Create) -> Payload:  # noqa: A002  the name of the API
    """Make a tag."""
    viewer = viewer_of(info)

    async def work(unit: Unit) -> Payload:
        row, created = await tags.create(unit, viewer, name=input.name, color=input.color)
        return Payload(tag=row, created=created)

    return await change(info, work)


async def update_tag(info: Info, input: Update) -> Payload:  # noqa: A002  the name of the API
    """Rename, move or colour a tag."""
    viewer = viewer_of(info)

    async def work(unit: Unit) -> Payload:
        key = decode_global_id(input.id, expected=TYPE, field=("input", "id"))[1]
        return Payload(tag=await tags.update(unit, viewer, key, _changed(input)))

    return await change(info, work)


async def merge_tags(info: Info, input: Merge) -> Payload:  # noqa: A002  the name of the API
    """Let one tag take the place of others."""
    viewer = viewer_of(info)

    async def work(unit: Unit) -> Payload:
        sources = decode_keys(input.source_ids, TYPE, field=("input", "sourceIds"))
        target = decode_global_id(input.target_id, expected=TYPE, field=("input", "targetId"))[1]
        return Payload(tag=await tags.merge(unit, viewer, sources, target))

    return await change(info, work)


async def delete_tags(info: Info, input: Delete) -> Payload:  # noqa: A002  the name of the API
    """Delete tags; bookmarks stay."""
    viewer = viewer_of(info)

    async def work(unit: Unit) -> Payload:
        keys = decode_keys(input.ids, TYPE, field=("input", "ids"))
        gone, missing = await tags.delete(unit, viewer, keys, include_descendants=input.include_descendants)
        return Payload(deleted_ids=global_ids(TYPE, gone), user_errors=item_errors(missing, "ids"))

    return await change(info, work)


def _order(given: TagOrder | None) -> tuple[TagSort, bool]:
    if given is None:
        return TagSort.PATH, False
    if given.direction is None:
        return given.field, given.field is TagSort.CREATED_AT
    return given.field, given.direction is OrderDirection.DESC


def _filter(given: TagFilter | None) -> rows.TagFilter:
    if given is None:
        return rows.TagFilter()
    return rows.TagFilter(
        parent_id=optional_key(given.parent_id, TYPE, ("filter", "parentId")),
        roots_only=given.roots_only,
        path_contains=given.path_contains,
        is_used=given.is_used,
    )


def _changed(new: UpdateTagInput) -> TagChanges:
    changes: dict[str, Any] = {}
    if new.name is not None:
        if new.name.value is None:
            raise refuse_null("name", "A name")
        changes["name"] = new.name.value
    if new.parent_id is not None:
        changes["parent_id"] = optional_key(new.parent_id.value, TYPE, ("input", "parentId"))
    if new.color is not None:
        changes["color"] = new.color.value
    return cast("TagChanges", changes)
