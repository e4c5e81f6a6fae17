"""Tags: names for bookmarks, nested by `/`."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from resolvers import tags as answer
from resolvers.compiled import answers, printed
from resolvers.inputs.users import ApiScope
from schema.directives import ListSize, requires
from schema.errors import UserError
from schema.node import Node, global_id, node_type
from schema.paging import Connection

if TYPE_CHECKING:
    from schema.bookmarks import Bookmark

LazyBookmark = Annotated["Bookmark", strawberry.lazy("schema.bookmarks")]
LazyTag = Annotated["Tag", strawberry.lazy("schema.tags")]


@strawberry.type(description="A name for bookmarks. Case, width and white space make no difference.")
@node_type
class Tag(Node):
    """Answered by db.tags.TagRow."""

    id = global_id("Tag")
    name: str = strawberry.field(description="Its own name, without the levels above: 1 to 100 characters.")
    path: str = strawberry.field(
        description="Its name behind the names above it, nested by `/`: at most 500 characters."
    )
    color: str | None = strawberry.field(description="Like `#1e90ff`.")
    parent = strawberry.field(
        resolver=answer.parent,
        metadata=answers(answer.PARENT),
        graphql_type=LazyTag | None,
        description="What it lies below; null at the top.",
    )
    children = strawberry.field(
        resolver=answer.children,
        metadata=answers(answer.CHILDREN),
        graphql_type=list[LazyTag],
        description="The first 100 right below it, by path; `tags(filter: {parentId})` has all, page by page.",
        directives=[ListSize(assumed_size=20)],
    )
    aliases = strawberry.field(
        resolver=answer.aliases,
        metadata=printed(answer.ALIASES),
        graphql_type=list[str],
        description="Other paths that lead to it, left behind by merged tags: at most 100.",
    )
    bookmarks = strawberry.field(
        resolver=answer.bookmarks_of,
        metadata=answers(needs=("id",)),
        graphql_type=Connection[LazyBookmark],
        description="The bookmarks that bear it, those of tags below it not included.",
    )
    bookmark_count = strawberry.field(
        resolver=answer.bookmark_count,
        metadata=printed(answer.BOOKMARK_COUNT),
        graphql_type=int,
        description="How many bookmarks outside the trash bear it, those of tags below it not included.",
    )
    created_at: datetime = strawberry.field(description="When it was made.")


@strawberry.type(description="The answer to `createTag`.")
class CreateTagPayload:
    """Answered by resolvers.mutation.Payload."""

    tag: Tag | None = strawberry.field(description="The tag of this name or alias; null when refused.")
    created: bool | None = strawberry.field(description="Whether it is new.")
    user_errors: list[UserError] = strawberry.field(description="Why it was refused; empty when it was not.")


@strawberry.type(description="The answer to `updateTag`.")
class UpdateTagPayload:
    """Answered by resolvers.mutation.Payload."""

    tag: Tag | None = strawberry.field(description="The tag as it is now; null when refused.")
    user_errors: list[UserError] = strawberry.field(description="Why it was refused; empty when it was not.")


@strawberry.type(description="The answer to `mergeTags`.")
class MergeTagsPayload:
    """Answered by resolvers.mutation.Payload."""

    tag: Tag | None = strawberry.field(description="The tag that stayed; null when refused.")
    user_errors: list[UserError] = strawberry.field(description="Why it was refused; empty when it was not.")


@strawberry.type(description="The answer to `deleteTags`.")
class DeleteTagsPayload:
    """Answered by resolvers.mutation.Payload."""

    deleted_ids: list[strawberry.ID] | None = strawberry.field(
        description="All tags that are gone, those below the named ones included; null when refused as a whole."
    )
    user_errors: list[UserError] = strawberry.field(
        description="One for each id that was left alone, its place at the end of `field`; the others were deleted."
    )


@strawberry.type
class TagQuery:
    """Asking for tags."""

    tags = strawberry.field(
        resolver=answer.list_tags,
        metadata=answers(),
        graphql_type=Connection[Tag],
        description="Your tags.",
        **requires(ApiScope.READ),
    )
    tag = strawberry.field(
        resolver=answer.tag,
        metadata=answers(),
        graphql_type=Tag | None,
        description="The tag of a name or alias; null when there is none.",
        **requires(ApiScope.READ),
    )


@strawberry.type
class TagMutation:
    """Changing tags."""

    create_tag = strawberry.field(
        resolver=answer.create_tag,
        graphql_type=CreateTagPayload,
        description="Make a tag and the levels above it; what is there already is returned as it is.",
        **requires(ApiScope.WRITE),
    )
    update_tag = strawberry.field(
        resolver=answer.update_tag,
        graphql_type=UpdateTagPayload,
        description="Rename, move or colour a tag; the tags below it follow.",
        **requires(ApiScope.WRITE),
    )
    merge_tags = strawberry.field(
        resolver=answer.merge_tags,
        graphql_type=MergeTagsPayload,
        description="Let one tag take the place of others: their bookmarks, the tags below them, and their names.",
        **requires(ApiScope.WRITE),
    )
    delete_tags = strawberry.field(
        resolver=answer.delete_tags,
        graphql_type=DeleteTagsPayload,
        description="Delete tags. Bookmarks stay.",
        **requires(ApiScope.WRITE),
    )
