"""What collections are asked for and changed with."""

from enum import Enum

import strawberry

from db.collections import CollectionSort
from resolvers.inputs.enums import described
from resolvers.inputs.paging import OrderDirection

described(
    CollectionSort,
    "What collections can be ordered by; ties are broken by the id.",
    name="CollectionOrderField",
    POSITION="Their place among their siblings.",
    NAME="Their name, upper and lower case alike.",
    CREATED_AT="When they were made.",
    UPDATED_AT="When they were last changed.",
)


class CollectionChildrenPolicy(Enum):
    """What becomes of the collections below one that is deleted."""

    MOVE_UP = "MOVE_UP"
    DELETE = "DELETE"


described(
    CollectionChildrenPolicy,
    "What becomes of the collections below one that is deleted. Bookmarks always stay.",
    MOVE_UP="They take its place, in their order.",
    DELETE="They are deleted as well.",
)


@strawberry.input(description="Which collections; all conditions that are given must be met.")
class CollectionFilter:
    """For lists of collections."""

    parent_id: strawberry.ID | None = strawberry.field(default=None, description="Those right below this collection.")
    roots_only: bool = strawberry.field(default=False, description="Only those at the top.")
    name_contains: str | None = strawberry.field(
        default=None, description="With this text in the name, in any case. At most 200 characters."
    )


@strawberry.input(description="How to order collections.")
class CollectionOrder:
    """For lists of collections."""

    field: CollectionSort = strawberry.field(description="What to order by.")
    direction: OrderDirection | None = strawberry.field(
        default=None, description="Left out: newest first for times, otherwise from first to last."
    )


@strawberry.input(description="A collection to make.")
class CreateCollectionInput:
    """For `createCollection`."""

    name: str = strawberry.field(description="1 to 200 characters; siblings may share a name.")
    parent_id: strawberry.ID | None = strawberry.field(
        default=None, description="What it lies below; at the top when left out. At most 32 levels."
    )
    description: str | None = strawberry.field(default=None, description="At most 20,000 characters.")
    color: str | None = strawberry.field(default=None, description="Like `#1e90ff`.")
    icon: str | None = strawberry.field(
        default=None, description="An emoji or the name of an icon, at most 64 characters."
    )
    position: int | None = strawberry.field(
        default=None, description="Place among its siblings, from 0; last when left out."
    )
    idempotency_key: str | None = strawberry.field(
        default=None,
        description="A key of your own, 1 to 255 characters: repeating the request within 24 hours is safe.",
    )


@strawberry.input(description="What to change of a collection. What is left out stays as it is.")
class UpdateCollectionInput:
    """For `updateCollection`."""

    id: strawberry.ID = strawberry.field(description="The collection.")
    name: strawberry.Maybe[str | None] = strawberry.field(default=None, description="1 to 200 characters; not null.")
    description: strawberry.Maybe[str | None] = strawberry.field(
        default=None, description="At most 20,000 characters; null removes it."
    )
    color: strawberry.Maybe[str | None] = strawberry.field(default=None, description="Like `#1e90ff`; null removes it.")
    icon: strawberry.Maybe[str | None] = strawberry.field(
        default=None, description="An emoji or the name of an icon, at most 64 characters; null removes it."
    )


@strawberry.input(description="Where to put a collection.")
class MoveCollectionInput:
    """For `moveCollection`."""

    id: strawberry.ID = strawberry.field(description="The collection.")
    parent_id: strawberry.Maybe[strawberry.ID | None] = strawberry.field(
        default=None, description="What it is to lie below; null puts it at the top; left out, its parent stays."
    )
    position: int | None = strawberry.field(
        default=None, description="Place among its new siblings, from 0; last when left out."
    )


@strawberry.input(description="A collection to delete.")
class DeleteCollectionInput:
    """For `deleteCollection`."""

    id: strawberry.ID = strawberry.field(description="The collection.")
    children: CollectionChildrenPolicy = strawberry.field(
        default=CollectionChildrenPolicy.MOVE_UP, description="What becomes of the collections below it."
    )


@strawberry.input(description="Bookmarks and a collection to put them into.")
class AddToCollectionInput:
    """For `addToCollection`."""

    collection_id: strawberry.ID = strawberry.field(description="The collection.")
    bookmark_ids: list[strawberry.ID] = strawberry.field(description="1 to 1,000 bookmarks.")


@strawberry.input(description="Bookmarks and a collection to take them out of.")
class RemoveFromCollectionInput:
    """For `removeFromCollection`."""

    collection_id: strawberry.ID = strawberry.field(description="The collection.")
    bookmark_ids: list[strawberry.ID] = strawberry.field(description="1 to 1,000 bookmarks.")
