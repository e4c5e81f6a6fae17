"""Bookmarks: asking, changing, following."""

from collections.abc import AsyncGenerator
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from resolvers import agents as agents_answer
from resolvers import bookmarks as answer
from resolvers import categorization as categorization_answer
from resolvers import collections as collections_answer
from resolvers import embedding as embedding_answer
from resolvers import enrichment as enrichment_answer
from resolvers import screenshots as screenshots_answer
from resolvers import tags as tags_answer
from resolvers import validation as validation_answer
from resolvers.compiled import answers
from resolvers.inputs.bookmarks import BookmarkChange, BookmarkSource
from resolvers.inputs.scalars import Url
from resolvers.inputs.users import ApiScope
from schema.directives import Cost, ListSize, requires
from schema.embedding import SimilarBookmark
from schema.errors import UserError
from schema.node import Node, global_id, node_type
from schema.paging import Connection

if TYPE_CHECKING:
    from schema.agents import Task
    from schema.categorization import Category, Suggestion
    from schema.collections import Collection
    from schema.enrichment import Page
    from schema.screenshots import Screenshot
    from schema.tags import Tag
    from schema.validation import LinkCheck, LinkHealth

SIMILAR_COST = 20
"""Points of asking for similar bookmarks: so a page of bookmarks cannot ask for many of each."""

LazyPage = Annotated["Page", strawberry.lazy("schema.enrichment")]
LazyScreenshot = Annotated["Screenshot", strawberry.lazy("schema.screenshots")]
TASKS_COST = 50  # one statement for each bookmark that it is asked of

LazyTask = Annotated["Task", strawberry.lazy("schema.agents")]
LazyTag = Annotated["Tag", strawberry.lazy("schema.tags")]
LazyCategory = Annotated["Category", strawberry.lazy("schema.categorization")]
LazySuggestion = Annotated["Suggestion", strawberry.lazy("schema.categorization")]
LazyLinkHealth = Annotated["LinkHealth", strawberry.lazy("schema.validation")]
LazyLinkCheck = Annotated["LinkCheck", strawberry.lazy("schema.validation")]
LazyCollection = Annotated["Collection", strawberry.lazy("schema.collections")]


@strawberry.type(description="A saved address. One account has each address once, however it is spelled.")
@node_type
class Bookmark(Node):
    """Answered by db.bookmarks.BookmarkRow."""

    id = global_id("Bookmark")
    url: Url = strawberry.field(description="The address as it was given.")
    canonical_url: Url = strawberry.field(description="The address in its normal form; opens the same page.")
    title: str = strawberry.field(description="At most 2,000 characters; empty while nobody has given one.")
    description: str | None = strawberry.field(description="What the page is about: at most 20,000 characters.")
    notes: str | None = strawberry.field(description="The owner's own words: at most 100,000 characters.")
    domain: str = strawberry.field(description="The host of the address, in lower case.")
    is_favorite: bool = strawberry.field(description="Whether it is marked as favourite.")
    is_archived: bool = strawberry.field(description="Whether it is archived: kept, but out of the way.")
    is_unread: bool = strawberry.field(description="Whether it is still to be read.")
    favicon_url: Url | None = strawberry.field(description="The site's small icon.")
    image_url: Url | None = strawberry.field(description="The picture that the page shows of itself.")
    language: str | None = strawberry.field(description="The language of the page, as a BCP 47 tag.")
    author: str | None = strawberry.field(description="Who wrote the page, as it says itself.")
    site_name: str | None = strawberry.field(description="What the site calls itself.")
    published_at: datetime | None = strawberry.field(description="When the page was published, as it says itself.")
    word_count: int | None = strawberry.field(description="Words of the page's main text.")
    reading_time_seconds: int | None = strawberry.field(description="How long the main text takes to read, in seconds.")
    summary: str | None = strawberry.field(description="A summary of the page.")
    keywords: list[str] = strawberry.field(description="Keywords of the page.")
    added_at: datetime = strawberry.field(description="When it was first saved, here or where it was imported from.")
    created_at: datetime = strawberry.field(description="When it came into this server.")
    updated_at: datetime = strawberry.field(description="When it was last changed.")
    deleted_at: datetime | None = strawberry.field(description="When it was moved to the trash; null outside it.")
    source: BookmarkSource = strawberry.field(description="How it came in.")
    version: int = strawberry.field(
        description="Grows with each change; send it as `expectedVersion` to change only what you have seen."
    )
    tags = strawberry.field(
        resolver=tags_answer.of_bookmark,
        metadata=answers(tags_answer.OF_BOOKMARK),
        graphql_type=list[LazyTag],
        description="Its tags in the order of their paths: at most 100.",
    )
    collections = strawberry.field(
        resolver=collections_answer.of_bookmark,
        metadata=answers(collections_answer.OF_BOOKMARK),
        graphql_type=list[LazyCollection],
        description="The collections that it lies in, the one it was put into first leading: at most 100.",
    )
    category = strawberry.field(
        resolver=categorization_answer.category_of_bookmark,
        metadata=answers(categorization_answer.CATEGORY_OF_BOOKMARK),
        graphql_type=LazyCategory | None,
        description="What kind of page it is; null while nobody has said.",
    )
    suggestions = strawberry.field(
        resolver=categorization_answer.of_bookmark,
        metadata=answers(categorization_answer.OF_BOOKMARK),
        graphql_type=list[LazySuggestion],
        description="How it may be sorted: at most 20, what waits for a decision first, then the surest first.",
    )
    similar = strawberry.field(
        resolver=embedding_answer.of_bookmark,
        graphql_type=list[SimilarBookmark],
        directives=[Cost(weight=SIMILAR_COST)],
        description="Your bookmarks outside the trash that are most like it by meaning, the most alike first; empty"
        " while it is not embedded.",
    )
    page = strawberry.field(
        resolver=enrichment_answer.page_of,
        metadata=answers(enrichment_answer.OF_BOOKMARK),
        graphql_type=LazyPage | None,
        description="What its page says, as it was last read; null before the first time.",
    )
    screenshot = strawberry.field(
        resolver=screenshots_answer.screenshot_of,
        metadata=answers(screenshots_answer.OF_BOOKMARK),
        graphql_type=LazyScreenshot | None,
        description="How its page looked; null where no picture was taken.",
    )
    link = strawberry.field(
        resolver=validation_answer.link_of,
        metadata=answers(validation_answer.OF_BOOKMARK),
        graphql_type=LazyLinkHealth,
        description="How its link fares.",
    )
    link_checks = strawberry.field(
        resolver=validation_answer.link_checks,
        metadata=answers(needs=("id",)),
        graphql_type=Connection[LazyLinkCheck],
        description="The checks of its link, newest first: at most 100 are kept, for a year.",
    )
    tasks = strawberry.field(
        resolver=agents_answer.of_bookmark,
        metadata=answers(needs=("id",)),
        graphql_type=Connection[LazyTask],
        directives=[Cost(weight=TASKS_COST)],
        description="The workflows that have or had it among their bookmarks; newest first unless ordered otherwise.",
    )


@strawberry.type(description="The answer to `createBookmark`.")
class CreateBookmarkPayload:
    """Answered by resolvers.mutation.Payload."""

    bookmark: Bookmark | None = strawberry.field(description="The bookmark as it is now; null when refused.")
    created: bool | None = strawberry.field(
        description="Whether it is new; false when the address was a bookmark already, also in the trash."
    )
    user_errors: list[UserError] = strawberry.field(description="Why it was refused; empty when it was not.")


@strawberry.type(description="The answer to `updateBookmark`.")
class UpdateBookmarkPayload:
    """Answered by resolvers.mutation.Payload."""

    bookmark: Bookmark | None = strawberry.field(description="The bookmark as it is now; null when refused.")
    user_errors: list[UserError] = strawberry.field(description="Why it was refused; empty when it was not.")


@strawberry.type(description="The answer to `deleteBookmarks`.")
class DeleteBookmarksPayload:
    """Answered by resolvers.mutation.Payload."""

    deleted_ids: list[strawberry.ID] | None = strawberry.field(
        description="What lies in the trash, or is gone for ever, now; null when refused as a whole."
    )
    user_errors: list[UserError] = strawberry.field(
        description="One for each id that was not found, its place at the end of `field`; the others were deleted."
    )


@strawberry.type(description="The answer to `restoreBookmarks`.")
class RestoreBookmarksPayload:
    """Answered by resolvers.mutation.Payload."""

    bookmarks: list[Bookmark] | None = strawberry.field(
        description="Those that were found, outside the trash now; null when refused as a whole.",
        directives=[ListSize(assumed_size=100)],
    )
    user_errors: list[UserError] = strawberry.field(
        description="One for each id that was not found, its place at the end of `field`; the others were restored."
    )


@strawberry.type(description="The answer to `emptyTrash`.")
class EmptyTrashPayload:
    """Answered by resolvers.mutation.Payload."""

    purged_count: int | None = strawberry.field(description="How many bookmarks were removed for ever.")
    user_errors: list[UserError] = strawberry.field(description="Why it was refused; empty when it was not.")


@strawberry.type(description="Something that happened to bookmarks.")
class BookmarkEvent:
    """Answered by resolvers.bookmarks.BookmarkEventRow."""

    cursor: str = strawberry.field(description="Send it as `after` to go on behind this event.")
    resync: bool = strawberry.field(
        description="Read what you show afresh: events were lost to retention or to slow reading, or too many bookmarks"
        " changed at once."
    )
    change: BookmarkChange | None = strawberry.field(description="What happened; null when events were lost.")
    bookmark_ids = strawberry.field(
        resolver=answer.event_ids,
        graphql_type=list[strawberry.ID],
        description="To which bookmarks: at most 1,000; none when `resync` is true.",
    )
    bookmark = strawberry.field(
        resolver=answer.event_bookmark,
        metadata=answers(),
        graphql_type=Bookmark | None,
        description="The bookmark as it is now, when it is exactly one and still there.",
    )


@strawberry.type
class BookmarkQuery:
    """Asking for bookmarks."""

    bookmarks = strawberry.field(
        resolver=answer.list_bookmarks,
        metadata=answers(),
        graphql_type=Connection[Bookmark],
        description="Your bookmarks.",
        **requires(ApiScope.READ),
    )
    bookmark = strawberry.field(
        resolver=answer.bookmark,
        metadata=answers(),
        graphql_type=Bookmark | None,
        description="One bookmark, in the trash or not; null when it does not exist or is not yours.",
        **requires(ApiScope.READ),
    )
    bookmark_by_url = strawberry.field(
        resolver=answer.bookmark_by_url,
        metadata=answers(),
        graphql_type=Bookmark | None,
        description="Your bookmark of an address in any spelling; null when there is none outside the trash.",
        **requires(ApiScope.READ),
    )


@strawberry.type
class BookmarkMutation:
    """Changing bookmarks."""

    create_bookmark = strawberry.field(
        resolver=answer.create_bookmark,
        graphql_type=CreateBookmarkPayload,
        description="Save an address.",
        **requires(ApiScope.WRITE),
    )
    update_bookmark = strawberry.field(
        resolver=answer.update_bookmark,
        graphql_type=UpdateBookmarkPayload,
        description="Change a bookmark that is not in the trash. A change to what it is already changes nothing.",
        **requires(ApiScope.WRITE),
    )
    delete_bookmarks = strawberry.field(
        resolver=answer.delete_bookmarks,
        graphql_type=DeleteBookmarksPayload,
        description="Move bookmarks to the trash, or remove them for ever.",
        **requires(ApiScope.WRITE),
    )
    restore_bookmarks = strawberry.field(
        resolver=answer.restore_bookmarks,
        graphql_type=RestoreBookmarksPayload,
        description="Take bookmarks out of the trash.",
        **requires(ApiScope.WRITE),
    )
    empty_trash = strawberry.field(
        resolver=answer.empty_trash,
        graphql_type=EmptyTrashPayload,
        description="Remove everything in your trash for ever.",
        **requires(ApiScope.WRITE),
    )


@strawberry.type
class BookmarkSubscription:
    """Following bookmarks."""

    bookmark_changed = strawberry.subscription(
        resolver=answer.bookmark_changed,
        graphql_type=AsyncGenerator[BookmarkEvent, None],
        description="What happens to your bookmarks, each event once and in order, also across reconnects.",
        metadata=answer.FOLLOWED,
        **requires(ApiScope.READ),
    )
