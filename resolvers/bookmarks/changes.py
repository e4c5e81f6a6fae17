"""Saving, changing and deleting bookmarks."""

from typing import Annotated, Any, cast

import strawberry

from db.unit import Unit
from kit.ids import decode_global_id, decode_keys
from resolvers.bookmarks.lists import TYPE
from resolvers.context import Info, viewer_of
from resolvers.ids import global_ids
from resolvers.inputs.bookmarks import (
    CreateBookmarkInput,
    DeleteBookmarksInput,
    RestoreBookmarksInput,
    UpdateBookmarkInput,
)
from resolvers.mutation import Payload, change, item_errors, refuse_null
from services import bookmarks
from services.bookmarks import BookmarkChanges

Create = Annotated[CreateBookmarkInput, strawberry.argument(description="What to save.")]
Update = Annotated[UpdateBookmarkInput, strawberry.argument(description="What to change.")]
Delete = Annotated[DeleteBookmarksInput, strawberry.argument(description="What to delete.")]
Restore = Annotated[RestoreBookmarksInput, strawberry.argument(description="What to restore.")]
_NOT_NULL = {"url": "An address", "is_favorite": "A flag", "is_archived": "A flag", "is_unread": "A flag"}


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
    if new.category is not None:
        changes["category"] = new.category.value
    if new.tags is not None:
        changes["tags"] = new.tags.value or []
    if new.collection_ids is not None:
        ids = new.collection_ids.value or []
        changes["collection_ids"] = decode_keys(ids, "Collection", field=("input", "collectionIds"))
    return cast("BookmarkChanges", changes)
