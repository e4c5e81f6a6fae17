"""Collections: a tree to put bookmarks into."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from resolvers import collections as answer
from resolvers.compiled import answers, printed
from resolvers.inputs.users import ApiScope
from schema.directives import ListSize, requires
from schema.errors import UserError
from schema.node import Node, global_id, node_type
from schema.paging import Connection

if TYPE_CHECKING:
    from schema.bookmarks import Bookmark

LazyBookmark = Annotated["Bookmark", strawberry.lazy("schema.bookmarks")]
LazyCollection = Annotated["Collection", strawberry.lazy("schema.collections")]


@strawberry.type(description="A place for bookmarks; a bookmark may lie in many, and collections lie below each other.")
@node_type
class Collection(Node):
    """Answered by db.collections.CollectionRow."""

    id = global_id("Collection")
    name: str = strawberry.field(description="1 to 200 characters; siblings may share a name.")
    slug: str = strawberry.field(description="The name in a form for addresses, at most 80 characters; not unique.")
    description: str | None = strawberry.field(description="At most 20,000 characters.")
    color: str | None = strawberry.field(description="Like `#1e90ff`.")
    icon: str | None = strawberry.field(description="An emoji or the name of an icon, at most 64 characters.")
    is_smart: bool = strawberry.field(description="Whether a query decides what lies in it.")
    query: str | None = strawberry.field(description="The query of a smart collection, at most 2,000 characters.")
    position: int = strawberry.field(description="Its place among its siblings, from 0.")
    parent = strawberry.field(
        resolver=answer.parent,
        metadata=answers(answer.PARENT),
        graphql_type=LazyCollection | None,
        description="What it lies below; null at the top.",
    )
    children = strawberry.field(
        resolver=answer.children,
        metadata=answers(answer.CHILDREN),
        graphql_type=list[LazyCollection],
        description="The first 100 right below it, by position; `collections(filter: {parentId})` has all of them.",
        directives=[ListSize(assumed_size=20)],
    )
    bookmarks = strawberry.field(
        resolver=answer.bookmarks_of,
        metadata=answers(needs=("id",)),
        graphql_type=Connection[LazyBookmark],
        description="The bookmarks in it, those in collections below it not included.",
    )
    bookmark_count = strawberry.field(
        resolver=answer.bookmark_count,
        metadata=printed(answer.BOOKMARK_COUNT),
        graphql_type=int,
        description="How many bookmarks outside the trash lie in it, those in collections below it not included.",
    )
    created_at: datetime = strawberry.field(description="When it was made.")
    updated_at: datetime = strawberry.field(description="When it was last changed or moved below another parent.")


@strawberry.type(description="The answer to `createCollection`.")
class CreateCollectionPayload:
    """Answered by resolvers.mutation.Payload."""

    collection: Collection | None = strawberry.field(description="The new collection; null when refused.")
    user_errors: list[UserError] = strawberry.field(description="Why it was refused; empty when it was not.")


@strawberry.type(description="The answer to `updateCollection`.")
class UpdateCollectionPayload:
    """Answered by resolvers.mutation.Payload."""

    collection: Collection | None = strawberry.field(description="The collection as it is now; null when refused.")
    user_errors: list[UserError] = strawberry.field(description="Why it was refused; empty when it was not.")


@strawberry.type(description="The answer to `moveCollection`.")
class MoveCollectionPayload:
    """Answered by resolvers.mutation.Payload."""

    collection: Collection | None = strawberry.field(description="The collection as it is now; null when refused.")
    user_errors: list[UserError] = strawberry.field(description="Why it was refused; empty when it was not.")


@strawberry.type(description="The answer to `deleteCollection`.")
class DeleteCollectionPayload:
    """Answered by resolvers.mutation.Payload."""

    deleted_ids: list[strawberry.ID] | None = strawberry.field(
        description="All collections that are gone, the one that was named first; null when refused."
    )
    user_errors: list[UserError] = strawberry.field(description="Why it was refused; empty when it was not.")


@strawberry.type(description="The answer to `addToCollection`.")
class AddToCollectionPayload:
    """Answered by resolvers.mutation.Payload."""

    collection: Collection | None = strawberry.field(description="The collection; null when refused as a whole.")
    changed_bookmark_ids: list[strawberry.ID] | None = strawberry.field(
        description="The bookmarks that were not in it before; null when refused as a whole."
    )
    user_errors: list[UserError] = strawberry.field(
        description="One for each bookmark that was not found, its place at the end of `field`; the others were added."
    )


@strawberry.type(description="The answer to `removeFromCollection`.")
class RemoveFromCollectionPayload:
    """Answered by resolvers.mutation.Payload."""

    collection: Collection | None = strawberry.field(description="The collection; null when refused as a whole.")
    changed_bookmark_ids: list[strawberry.ID] | None = strawberry.field(
        description="The bookmarks that were in it before; null when refused as a whole."
    )
    user_errors: list[UserError] = strawberry.field(
        description="One for each bookmark that was not found, its place at the end of `field`; the others came out."
    )


@strawberry.type
class CollectionQuery:
    """Asking for collections."""

    collections = strawberry.field(
        resolver=answer.list_collections,
        metadata=answers(),
        graphql_type=Connection[Collection],
        description="Your collections.",
        **requires(ApiScope.READ),
    )
    collection = strawberry.field(
        resolver=answer.collection,
        metadata=answers(),
        graphql_type=Collection | None,
        description="One collection; null when it does not exist or is not yours.",
        **requires(ApiScope.READ),
    )


@strawberry.type
class CollectionMutation:
    """Changing collections."""

    create_collection = strawberry.field(
        resolver=answer.create_collection,
        graphql_type=CreateCollectionPayload,
        description="Make a collection.",
        **requires(ApiScope.WRITE),
    )
    update_collection = strawberry.field(
        resolver=answer.update_collection,
        graphql_type=UpdateCollectionPayload,
        description="Change what a collection is called and looks like.",
        **requires(ApiScope.WRITE),
    )
    move_collection = strawberry.field(
        resolver=answer.move_collection,
        graphql_type=MoveCollectionPayload,
        description="Put a collection elsewhere in the tree, with all below it; never below itself.",
        **requires(ApiScope.WRITE),
    )
    delete_collection = strawberry.field(
        resolver=answer.delete_collection,
        graphql_type=DeleteCollectionPayload,
        description="Delete a collection. Bookmarks stay.",
        **requires(ApiScope.WRITE),
    )
    add_to_collection = strawberry.field(
        resolver=answer.add_to_collection,
        graphql_type=AddToCollectionPayload,
        description="Put bookmarks into a collection; they stay in their others.",
        **requires(ApiScope.WRITE),
    )
    remove_from_collection = strawberry.field(
        resolver=answer.remove_from_collection,
        graphql_type=RemoveFromCollectionPayload,
        description="Take bookmarks out of a collection.",
        **requires(ApiScope.WRITE),
    )
