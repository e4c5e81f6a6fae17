"""The tags and collections of one bookmark, given as whole sets."""

from dataclasses import dataclass
from uuid import UUID

from db import collections as places
from db import tags as labels
from db.bookmarks import BookmarkRow
from db.shapes import related
from db.tags import MAX_TAGS_OF_BOOKMARK
from db.unit import Unit
from kit.errors import BadInput
from services import collections, tags
from services.bookmarks.values import BookmarkChanges
from services.permissions import Viewer


@dataclass(frozen=True, slots=True)
class Links:
    """The whole sets of tags and collections that a bookmark is to have; None leaves a set alone."""

    tag_ids: list[UUID] | None = None
    collection_ids: list[UUID] | None = None


async def prepare_links(unit: Unit, viewer: Viewer, changes: BookmarkChanges) -> Links:
    """Make new tags and check collections, before any bookmark is locked (the order that db.tags asks for)."""
    tag_ids = collection_ids = None
    if "tags" in changes:
        names = changes["tags"]
        if len(names) > MAX_TAGS_OF_BOOKMARK:
            raise BadInput(f"A bookmark has at most {MAX_TAGS_OF_BOOKMARK} tags.", field=("input", "tags"))
        found = await tags.ensure(unit, viewer.id, names, field=("input", "tags"))
        tag_ids = list(dict.fromkeys(tag.id for tag in found.values()))
    if "collection_ids" in changes:
        await places.hold(unit, viewer.id)
        field = ("input", "collectionIds")
        collection_ids = await collections.check_all(unit, viewer, changes["collection_ids"], field=field)
    return Links(tag_ids, collection_ids)


async def replace_links(unit: Unit, row: BookmarkRow, links: Links) -> bool:
    """Give a locked or new bookmark its sets; tell whether that changed them."""
    changed = False
    if links.tag_ids is not None and await labels.replace_links(unit, row.id, links.tag_ids):
        await labels.refresh_labels(unit, row.owner_id, [row.id])
        changed = True
    if links.collection_ids is not None and await places.replace_links(unit, row.id, links.collection_ids):
        changed = True
    return changed


async def united(unit: Unit, row: BookmarkRow, links: Links) -> Links:
    """Return what the bookmark has together with what is given; None where nothing is given."""
    tag_ids, collection_ids = links.tag_ids, links.collection_ids
    if tag_ids is not None:
        before = (await related(unit, labels.OF_BOOKMARK, row.owner_id, [row.id], labels.WHOLE))[row.id]
        tag_ids = list(dict.fromkeys([tag.id for tag in before] + tag_ids))
        if len(tag_ids) > MAX_TAGS_OF_BOOKMARK:
            raise BadInput(f"A bookmark has at most {MAX_TAGS_OF_BOOKMARK} tags.", field=("input", "tags"))
    if collection_ids is not None:
        held = (await related(unit, places.OF_BOOKMARK, row.owner_id, [row.id], places.WHOLE))[row.id]
        collection_ids = list(dict.fromkeys([place.id for place in held] + collection_ids))
        if len(collection_ids) > places.MAX_COLLECTIONS_OF_BOOKMARK:
            limit = places.MAX_COLLECTIONS_OF_BOOKMARK
            raise BadInput(f"A bookmark lies in at most {limit} collections.", field=("input", "collectionIds"))
    return Links(tag_ids, collection_ids)
