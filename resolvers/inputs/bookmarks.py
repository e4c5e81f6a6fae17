"""What bookmarks are asked for and changed with."""

from datetime import datetime

import strawberry

from db.bookmarks import BookmarkSort
from resolvers.inputs.enums import described
from resolvers.inputs.paging import OrderDirection
from resolvers.inputs.scalars import Url
from services.bookmarks import BookmarkSource, DuplicatePolicy
from services.events import BookmarkChange

__all__ = ["BookmarkChange", "BookmarkSource", "DuplicatePolicy"]

described(
    BookmarkSort,
    "What bookmarks can be ordered by; ties are broken by the id.",
    name="BookmarkOrderField",
    ADDED_AT="When it was first saved, here or where it was imported from.",
    CREATED_AT="When it came into this server.",
    UPDATED_AT="When it was last changed.",
    TITLE="Its title, upper and lower case alike; the first 100 characters count.",
    DOMAIN="The host of its address.",
    DELETED_AT="When it was moved to the trash; only with `inTrash`.",
)
described(
    DuplicatePolicy,
    "What to do when the address is a bookmark already. All but ERROR take it out of the trash.",
    RETURN_EXISTING="Return it as it is.",
    MERGE="Fill what is empty, append other notes, set flags, add tags and collections.",
    UPDATE="Replace what is given, as `updateBookmark` does; the address stays as it was written first.",
    ERROR="Refuse with CONFLICT.",
)
described(
    BookmarkChange,
    "What happened to bookmarks.",
    CREATED="They were saved.",
    UPDATED="They, their tags or their collections were changed.",
    DELETED="They were moved to the trash.",
    RESTORED="They were taken out of the trash.",
    PURGED="They were removed for ever.",
    IMPORTED="They were saved or changed by an import.",
)


described(
    BookmarkSource,
    "How a bookmark came in.",
    MANUAL="Saved by a person.",
    IMPORT="Read from a file.",
    API="Saved by a program with an API key.",
)


@strawberry.input(description="Which bookmarks; all conditions that are given must be met.")
class BookmarkFilter:
    """For lists of bookmarks."""

    collection_id: strawberry.ID | None = strawberry.field(default=None, description="Those in this collection.")
    include_descendants: bool = strawberry.field(
        default=False, description="With `collectionId`: also those in collections below it."
    )
    any_tag_names: list[str] | None = strawberry.field(
        default=None,
        description="Those with at least one of these tags (paths or aliases), or a tag below one. At most 20 names.",
    )
    all_tag_names: list[str] | None = strawberry.field(
        default=None,
        description="Those with each of these tags (paths or aliases), or a tag below it. At most 20 names.",
    )
    domain: str | None = strawberry.field(default=None, description="Those on exactly this host.")
    is_favorite: bool | None = strawberry.field(default=None, description="Marked as favourite, or not.")
    is_archived: bool | None = strawberry.field(default=None, description="Archived, or not.")
    is_unread: bool | None = strawberry.field(default=None, description="Marked as unread, or not.")
    is_tagged: bool | None = strawberry.field(default=None, description="With at least one tag, or without any.")
    in_trash: bool = strawberry.field(default=False, description="Those in the trash instead of those outside it.")
    added_after: datetime | None = strawberry.field(default=None, description="Added at this moment or later.")
    added_before: datetime | None = strawberry.field(default=None, description="Added before this moment.")
    url_contains: str | None = strawberry.field(
        default=None, description="With this text in the address, in any case. At most 200 characters."
    )
    title_contains: str | None = strawberry.field(
        default=None, description="With this text in the title, in any case. At most 200 characters."
    )
    source: BookmarkSource | None = strawberry.field(default=None, description="That came in this way.")


@strawberry.input(description="How to order bookmarks.")
class BookmarkOrder:
    """For lists of bookmarks."""

    field: BookmarkSort = strawberry.field(description="What to order by.")
    direction: OrderDirection | None = strawberry.field(
        default=None, description="Left out: newest first for times, A to Z for text."
    )


@strawberry.input(description="An address to save.")
class CreateBookmarkInput:
    """For `createBookmark`."""

    url: Url = strawberry.field(description="The address: http or https, at most 8,192 bytes. Kept as it is written.")
    title: str | None = strawberry.field(default=None, description="At most 2,000 characters; white space collapses.")
    description: str | None = strawberry.field(default=None, description="At most 20,000 characters.")
    notes: str | None = strawberry.field(default=None, description="Your own words: at most 100,000 characters.")
    is_favorite: bool | None = strawberry.field(default=None, description="Mark it as favourite.")
    is_archived: bool | None = strawberry.field(default=None, description="Archive it at once.")
    is_unread: bool | None = strawberry.field(default=None, description="Mark it as unread.")
    tags: list[str] | None = strawberry.field(
        default=None,
        description="Names of tags, nested by `/`, made when new. At most 100, each path at most 500 characters.",
    )
    collection_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Collections to put it into. At most 100."
    )
    on_duplicate: DuplicatePolicy = strawberry.field(
        default=DuplicatePolicy.RETURN_EXISTING,
        description="What to do when the address is a bookmark already.",
    )
    idempotency_key: str | None = strawberry.field(
        default=None,
        description="A key of your own, 1 to 255 characters: repeating the request within 24 hours is safe.",
    )


@strawberry.input(description="What to change of a bookmark. What is left out stays as it is.")
class UpdateBookmarkInput:
    """For `updateBookmark`."""

    id: strawberry.ID = strawberry.field(description="The bookmark.")
    url: strawberry.Maybe[Url | None] = strawberry.field(default=None, description="Another address; not null.")
    title: strawberry.Maybe[str | None] = strawberry.field(
        default=None, description="At most 2,000 characters; null empties it."
    )
    description: strawberry.Maybe[str | None] = strawberry.field(
        default=None, description="At most 20,000 characters; null removes it."
    )
    notes: strawberry.Maybe[str | None] = strawberry.field(
        default=None, description="At most 100,000 characters; null removes them."
    )
    is_favorite: strawberry.Maybe[bool | None] = strawberry.field(
        default=None, description="Favourite or not; not null."
    )
    is_archived: strawberry.Maybe[bool | None] = strawberry.field(
        default=None, description="Archived or not; not null."
    )
    is_unread: strawberry.Maybe[bool | None] = strawberry.field(default=None, description="Unread or not; not null.")
    tags: strawberry.Maybe[list[str] | None] = strawberry.field(
        default=None,
        description="All tags that it is to have, by name; null or an empty list removes them. At most 100.",
    )
    collection_ids: strawberry.Maybe[list[strawberry.ID] | None] = strawberry.field(
        default=None,
        description="All collections that it is to be in; null or an empty list takes it out of them. At most 100.",
    )
    category: strawberry.Maybe[str | None] = strawberry.field(
        default=None, description="The name of one of your categories, in any case; null takes it away."
    )
    expected_version: int | None = strawberry.field(
        default=None, description="Refuse with CONFLICT unless the bookmark is at this version."
    )


@strawberry.input(description="Bookmarks to delete.")
class DeleteBookmarksInput:
    """For `deleteBookmarks`."""

    ids: list[strawberry.ID] = strawberry.field(description="1 to 1,000 bookmarks.")
    permanently: bool = strawberry.field(
        default=False, description="Remove them for ever instead of moving them to the trash."
    )


@strawberry.input(description="Bookmarks to take out of the trash.")
class RestoreBookmarksInput:
    """For `restoreBookmarks`."""

    ids: list[strawberry.ID] = strawberry.field(description="1 to 1,000 bookmarks.")
