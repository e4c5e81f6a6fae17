"""Putting what was proposed, or what a rule says, on bookmarks."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from db import bookmarks, collections, tags
from db.categorization import Pair, add_collections, add_tags, remove_links, set_category
from db.unit import Unit


@dataclass(slots=True)
class Sorting:
    """What bookmarks are to get and to lose, as pairs of a bookmark and what belongs to it."""

    tags: list[Pair] = field(default_factory=list)
    collections: list[Pair] = field(default_factory=list)
    categories: list[tuple[UUID, UUID | None]] = field(default_factory=list)
    without_tags: list[Pair] = field(default_factory=list)
    without_collections: list[Pair] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Sorted:
    """What came of it: the pairs that are new, those that are gone, the bookmarks that got another category."""

    added: frozenset[Pair]
    removed: frozenset[Pair]
    categorized: frozenset[UUID]

    @property
    def changed(self) -> set[UUID]:
        """The bookmarks that are not as they were."""
        return {bookmark for bookmark, _ in self.added | self.removed} | self.categorized


async def hold(unit: Unit, owner_id: UUID, bookmark_ids: Iterable[UUID]) -> dict[UUID, bookmarks.BookmarkRow]:
    """Keep the owner's tags and collections as they are and lock bookmarks; return those that are there, by id.

    In the order that everybody takes these locks in. New tags are made before (services.tags.ensure).
    """
    await tags.hold(unit, owner_id)
    await collections.hold(unit, owner_id)
    return {row.id: row for row in await bookmarks.lock(unit, owner_id, sorted(set(bookmark_ids)))}


async def apply(unit: Unit, owner_id: UUID, sorting: Sorting) -> Sorted:
    """Do it to bookmarks that `hold` has locked. Versions and events are the caller's."""
    removed = await remove_links(unit, owner_id, tags=sorting.without_tags, collections=sorting.without_collections)
    tagged = await add_tags(unit, owner_id, sorting.tags)
    placed = await add_collections(unit, owner_id, sorting.collections)
    categorized = await set_category(unit, owner_id, sorting.categories)
    relabelled = {bookmark for bookmark, _ in tagged | (removed & set(sorting.without_tags))}
    if relabelled:
        await tags.refresh_labels(unit, owner_id, sorted(relabelled))
    return Sorted(frozenset(tagged | placed), frozenset(removed), frozenset(categorized))
