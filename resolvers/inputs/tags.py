"""What tags are asked for and changed with."""

import strawberry

from db.tags import TagSort
from resolvers.inputs.enums import described
from resolvers.inputs.paging import OrderDirection

described(
    TagSort,
    "What tags can be ordered by; ties are broken by the id.",
    name="TagOrderField",
    PATH="Their path, folded: a tag stands before what lies below it.",
    CREATED_AT="When they were made.",
)


@strawberry.input(description="Which tags; all conditions that are given must be met.")
class TagFilter:
    """For lists of tags."""

    parent_id: strawberry.ID | None = strawberry.field(default=None, description="Those right below this tag.")
    roots_only: bool = strawberry.field(default=False, description="Only those at the top.")
    path_contains: str | None = strawberry.field(
        default=None, description="With this text in the path, in any case and width. At most 200 characters."
    )
    is_used: bool | None = strawberry.field(
        default=None, description="On at least one bookmark outside the trash, or on none."
    )


@strawberry.input(description="How to order tags.")
class TagOrder:
    """For lists of tags."""

    field: TagSort = strawberry.field(description="What to order by.")
    direction: OrderDirection | None = strawberry.field(
        default=None, description="Left out: newest first for times, A to Z for paths."
    )


@strawberry.input(description="A tag to make.")
class CreateTagInput:
    """For `createTag`."""

    name: str = strawberry.field(
        description="The path, nested by `/`; levels that are new are made. Names at most 100 characters, 10 levels, "
        "500 characters in all."
    )
    color: str | None = strawberry.field(default=None, description="Like `#1e90ff`; only a new tag takes it.")


@strawberry.input(description="What to change of a tag. What is left out stays as it is.")
class UpdateTagInput:
    """For `updateTag`."""

    id: strawberry.ID = strawberry.field(description="The tag.")
    name: strawberry.Maybe[str | None] = strawberry.field(
        default=None, description="Its own name, without `/`: 1 to 100 characters; not null. Tags below follow."
    )
    parent_id: strawberry.Maybe[strawberry.ID | None] = strawberry.field(
        default=None, description="What it is to lie below; null puts it at the top."
    )
    color: strawberry.Maybe[str | None] = strawberry.field(default=None, description="Like `#1e90ff`; null removes it.")


@strawberry.input(description="Tags to merge.")
class MergeTagsInput:
    """For `mergeTags`."""

    source_ids: list[strawberry.ID] = strawberry.field(
        description="1 to 1,000 tags that go; their paths become aliases of the target."
    )
    target_id: strawberry.ID = strawberry.field(description="The tag that stays. It may not lie below a source.")


@strawberry.input(description="Tags to delete. Bookmarks stay.")
class DeleteTagsInput:
    """For `deleteTags`."""

    ids: list[strawberry.ID] = strawberry.field(description="1 to 1,000 tags.")
    include_descendants: bool = strawberry.field(
        default=False, description="Delete the tags below them as well; else a tag with others below it is left alone."
    )
