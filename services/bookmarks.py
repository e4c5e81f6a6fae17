"""Bookmarks: one per address and owner, moved to a trash before they are gone, never changed unawares."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, TypedDict, cast
from uuid import UUID

from db import bookmarks as rows_of
from db import collections as places
from db import tags as labels
from db.bookmarks import BookmarkDraft, BookmarkFilter, BookmarkRow, BookmarkSort, Home, Placed, Slice
from db.tags import MAX_TAGS_OF_BOOKMARK
from db.unit import Rows, Unit
from kit.errors import BadInput, Conflict, Field
from kit.ids import new_id
from kit.paging import PageRequest
from kit.settings import Settings
from kit.text import one_line, sought, storable
from kit.urls import RefusedUrl, UrlIdentity, identify, url_words
from services import collections, idempotency, tags
from services.batches import Missing, check_ids
from services.events import BookmarkChange, record_bookmarks
from services.permissions import Owned, Viewer, own

MAX_TITLE_CHARS: Final = 2_000
MAX_DESCRIPTION_CHARS: Final = 20_000
MAX_NOTES_CHARS: Final = 100_000
MAX_FILTER_TAGS: Final = 20
_PURGE_CHUNK: Final = 1_000
_TRIES: Final = 3
_TEXTS = {
    "title": ("A title", MAX_TITLE_CHARS),
    "description": ("A description", MAX_DESCRIPTION_CHARS),
    "notes": ("A note", MAX_NOTES_CHARS),
}
_FLAGS = ("is_favorite", "is_archived", "is_unread")


class DuplicatePolicy(StrEnum):
    """What to do when the address is a bookmark already. All but ERROR take it out of the trash."""

    RETURN_EXISTING = "RETURN_EXISTING"
    MERGE = "MERGE"
    UPDATE = "UPDATE"
    ERROR = "ERROR"


class BookmarkSource(StrEnum):
    """How a bookmark came in."""

    MANUAL = "MANUAL"
    IMPORT = "IMPORT"
    API = "API"


class BookmarkChanges(TypedDict, total=False):
    """What to change of a bookmark; what is left out stays. `tags` and `collection_ids` are the whole new sets."""

    url: str
    title: str
    description: str | None
    notes: str | None
    is_favorite: bool
    is_archived: bool
    is_unread: bool
    tags: list[str]
    collection_ids: list[UUID]


@dataclass(frozen=True, slots=True)
class Saved:
    """What `create` did: the bookmark as it is now, and whether it is new."""

    bookmark: BookmarkRow
    created: bool


@dataclass(frozen=True, slots=True)
class BookmarkOrder:
    """How to order bookmarks; ties are broken by the id."""

    sort: BookmarkSort = BookmarkSort.ADDED_AT
    descending: bool = True

    @property
    def name(self) -> str:
        """The name by which cursors of this order know it."""
        return f"bookmarks:{self.sort}:{'DESC' if self.descending else 'ASC'}"

    @property
    def kinds(self) -> tuple[type, ...]:
        """The types of a cursor's values."""
        return (str if self.sort in {BookmarkSort.TITLE, BookmarkSort.DOMAIN} else datetime, UUID)


async def resolve(
    rows: Rows,
    viewer: Viewer,
    wanted: BookmarkFilter,
    order: BookmarkOrder,
    *,
    any_tags: Sequence[str] | None = None,
    all_tags: Sequence[str] = (),
) -> BookmarkFilter:
    """Return a filter that can be run: names of tags become ids, aliases followed and the tags below included.

    Raises `BadInput` for what cannot be looked for or ordered by.
    """
    if order.sort is BookmarkSort.DELETED_AT and not wanted.in_trash:
        raise BadInput("DELETED_AT orders the trash: set `filter.inTrash`.", field=("orderBy", "field"))
    for name, text in (("urlContains", wanted.url_contains), ("titleContains", wanted.title_contains)):
        if text is not None:
            sought(text, name)
    if len(any_tags or ()) + len(all_tags) > MAX_FILTER_TAGS:
        raise BadInput(f"A filter names at most {MAX_FILTER_TAGS} tags.", field=("filter", "anyTagNames"))
    found_any = await tags.families(rows, viewer, any_tags or (), field=("filter", "anyTagNames"))
    found_all = await tags.families(rows, viewer, all_tags, field=("filter", "allTagNames"))
    domain = wanted.domain
    if domain is not None:
        domain = sought(domain, "domain").strip().rstrip(".").lower()
    any_ids = None if any_tags is None else tuple(key for family in found_any for key in family)
    return replace(wanted, any_tag_ids=any_ids, all_tag_ids=found_all, domain=domain)


async def page(
    rows: Rows, viewer: Viewer, wanted: BookmarkFilter, order: BookmarkOrder, request: PageRequest
) -> list[Placed]:
    """Return one page of the viewer's bookmarks in the direction of reading, and one more when there are more."""
    return await rows_of.page(rows, viewer.id, wanted, _slice(order, request))


async def pages_under(
    rows: Rows,
    viewer: Viewer,
    home: Home,
    homes: Sequence[UUID],
    *,
    wanted: BookmarkFilter,
    order: BookmarkOrder,
    request: PageRequest,
) -> dict[UUID, list[Placed]]:
    """Return such a page for each of several collections or tags of the viewer."""
    return await rows_of.pages_under(rows, viewer.id, home, homes, wanted, _slice(order, request))


async def count(rows: Rows, viewer: Viewer, wanted: BookmarkFilter) -> int:
    """Return how many bookmarks of the viewer meet `wanted`."""
    return await rows_of.count(rows, viewer.id, wanted)


async def counts_under(
    rows: Rows, viewer: Viewer, home: Home, homes: Sequence[UUID], wanted: BookmarkFilter
) -> dict[UUID, int]:
    """Return that number for each of several collections or tags of the viewer."""
    return await rows_of.counts_under(rows, viewer.id, home, homes, wanted)


async def get(rows: Rows, viewer: Viewer, key: UUID) -> BookmarkRow | None:
    """Return a bookmark of the viewer, in the trash or not."""
    found = await rows_of.by_ids(rows, viewer.id, [key])
    return found[0] if found else None


async def by_url(rows: Rows, viewer: Viewer, url: str) -> BookmarkRow | None:
    """Return the viewer's bookmark of an address unless it lies in the trash. Raises `BadInput` for no address."""
    found = await rows_of.by_url_key(rows, viewer.id, _identify(url, ("url",)).key)
    return found if found is not None and found.deleted_at is None else None


async def create(
    unit: Unit,
    viewer: Viewer,
    changes: BookmarkChanges,
    *,
    on_duplicate: DuplicatePolicy,
    settings: Settings,
    idempotency_key: str | None = None,
    source: BookmarkSource = BookmarkSource.MANUAL,
) -> Saved:
    """Save an address, `changes["url"]`; the database decides whether it is new.

    Of the same address saved twice at the same time one is created and the other meets it as a duplicate. Raises
    `BadInput`, `NotFound` for a collection, `Conflict` by policy and at the account's limit of bookmarks.
    """
    identity, values, key = _identify(changes["url"], ("input", "url")), _clean(changes), new_id()
    request = {**values, **_sets(changes), "url": identity.original, "onDuplicate": on_duplicate.value}
    earlier = await idempotency.earlier(
        unit,
        viewer,
        idempotency_key,
        operation="createBookmark",
        request=request,
        subject_id=key,
        hours=settings.idempotency_hours,
    )
    existing = await rows_of.by_url_key(unit, viewer.id, identity.key)
    if earlier is not None:
        return await _repeat(unit, viewer, earlier, existing)
    if existing is None:
        await _check_room(unit, viewer, settings.max_bookmarks_per_user)
    elif on_duplicate in {DuplicatePolicy.RETURN_EXISTING, DuplicatePolicy.ERROR}:
        return await _meet(unit, own(viewer, existing, "bookmark"), values, _Links(), on_duplicate)
    links = await _prepare_links(unit, viewer, changes)
    draft = BookmarkDraft(id=key, source=source.value, **_columns_of(identity), **values)
    for _ in range(_TRIES):
        row = await rows_of.insert(unit, viewer.id, draft)
        if row is not None:
            await _link(unit, row, links)
            await record_bookmarks(unit, viewer.id, BookmarkChange.CREATED, [row.id])
            return Saved(row, created=True)
        existing = await rows_of.lock_by_url_key(unit, viewer.id, identity.key)
        if existing is not None:  # else it was purged between the two statements, and the address is free again
            return await _meet(unit, own(viewer, existing, "bookmark"), values, links, on_duplicate)
    raise Conflict("This bookmark is being changed by somebody else; try again.", field=("input", "url"))


async def update(
    unit: Unit, viewer: Viewer, key: UUID, changes: BookmarkChanges, *, expected_version: int | None = None
) -> BookmarkRow:
    """Change a bookmark; what is the same already changes nothing, not even the version.

    Raises `NotFound`; `BadInput`; `Conflict` when it lies in the trash, is not at `expected_version`, or the new
    address is another bookmark's.
    """
    values = _clean(changes)
    links = await _prepare_links(unit, viewer, changes)
    locked = await rows_of.lock(unit, viewer.id, [key])
    bookmark = own(viewer, locked[0] if locked else None, "bookmark", field=("input", "id"))
    row = bookmark.row
    if row.deleted_at is not None:
        raise Conflict("This bookmark lies in the trash; restore it first.", field=("input", "id"))
    if expected_version is not None and expected_version != row.version:
        raise Conflict(
            f"This bookmark has been changed: it is at version {row.version}, not {expected_version}.",
            field=("input", "expectedVersion"),
        )
    if "url" in changes and (identity := _identify(changes["url"], ("input", "url"))).original != row.url:
        values |= _columns_of(identity)
    after, changed = await _apply(unit, bookmark, values, links)
    if changed:
        await record_bookmarks(unit, viewer.id, BookmarkChange.UPDATED, [key])
    return after


async def delete(
    unit: Unit, viewer: Viewer, keys: Sequence[UUID], *, permanently: bool
) -> tuple[list[UUID], list[Missing]]:
    """Move bookmarks to the trash, or remove them for ever wherever they are.

    Return the ids of all that are there (or gone) now, and the items that were not found. What lies in the trash
    already stays as it is.
    """
    check_ids(keys)
    there, missing = await collections.lock_bookmarks(unit, viewer, keys)
    if permanently:
        await rows_of.purge(unit, viewer.id, there)
        await record_bookmarks(unit, viewer.id, BookmarkChange.PURGED, there)
    else:
        moved = await rows_of.set_trashed(unit, viewer.id, there, trashed=True)
        await record_bookmarks(unit, viewer.id, BookmarkChange.DELETED, [row.id for row in moved])
    return there, missing


async def restore(unit: Unit, viewer: Viewer, keys: Sequence[UUID]) -> tuple[list[BookmarkRow], list[Missing]]:
    """Take bookmarks out of the trash; return all that were found, as they are now, and the items that were not."""
    check_ids(keys)
    there, missing = await collections.lock_bookmarks(unit, viewer, keys)
    moved = await rows_of.set_trashed(unit, viewer.id, there, trashed=False)
    found = await rows_of.by_ids(unit, viewer.id, there)
    await record_bookmarks(unit, viewer.id, BookmarkChange.RESTORED, [row.id for row in moved])
    return found, missing


async def empty_trash(unit: Unit, viewer: Viewer) -> int:
    """Remove everything in the trash for ever; return how many bookmarks went. Small statements, one transaction."""
    gone: list[UUID] = []
    while chunk := await rows_of.trashed_ids(unit, viewer.id, limit=_PURGE_CHUNK):
        await rows_of.purge(unit, viewer.id, chunk)
        gone += chunk
    await record_bookmarks(unit, viewer.id, BookmarkChange.PURGED, gone)
    return len(gone)


@dataclass(frozen=True, slots=True)
class _Links:
    """The whole sets of tags and collections that a bookmark is to have; None leaves a set alone."""

    tag_ids: list[UUID] | None = None
    collection_ids: list[UUID] | None = None


async def _meet(
    unit: Unit, bookmark: Owned[BookmarkRow], values: dict[str, Any], links: _Links, policy: DuplicatePolicy
) -> Saved:
    """Do with the bookmark that has the address already what the policy says. It is locked unless nothing changes."""
    row, owner_id = bookmark.row, bookmark.row.owner_id
    if policy is DuplicatePolicy.ERROR:
        where = "is a bookmark already" if row.deleted_at is None else "lies in the trash; restore it"
        raise Conflict(f"This address {where}.", field=("input", "url"))
    restored = await rows_of.set_trashed(unit, owner_id, [row.id], trashed=False)
    row = restored[0] if restored else row
    changed = False
    if policy is not DuplicatePolicy.RETURN_EXISTING:
        if policy is DuplicatePolicy.MERGE:
            values, links = _merged(row, values), await _united(unit, row, links)
        row, changed = await _apply(unit, own(bookmark.viewer, row, "bookmark"), values, links)
    if restored:
        await record_bookmarks(unit, owner_id, BookmarkChange.RESTORED, [row.id])
    elif changed:
        await record_bookmarks(unit, owner_id, BookmarkChange.UPDATED, [row.id])
    return Saved(row, created=False)


async def _repeat(unit: Unit, viewer: Viewer, made: UUID, existing: BookmarkRow | None) -> Saved:
    """Answer a repeated request as the first one was answered."""
    row = await get(unit, viewer, made) or existing
    if row is None:
        raise Conflict("What this request made has been removed since.", field=("input", "idempotencyKey"))
    return Saved(row, created=row.id == made)


async def _check_room(rows: Rows, viewer: Viewer, limit: int) -> None:
    if await rows_of.holds_at_least(rows, viewer.id, limit):
        raise Conflict(f"An account has at most {limit:,} bookmarks, the trash included.")


async def _apply(
    unit: Unit, bookmark: Owned[BookmarkRow], values: dict[str, Any], links: _Links
) -> tuple[BookmarkRow, bool]:
    """Write what differs from the locked row; return it as it is now, and whether anything differed."""
    row = bookmark.row
    # What the row does not show (the key and the words of an address) only comes with another address.
    different = {name: value for name, value in values.items() if getattr(row, name, None) != value}
    relinked = await _link(unit, row, links)
    if not different and not relinked:
        return row, False
    after = await rows_of.update(unit, row.owner_id, row.id, different)
    if after is None:
        raise Conflict("Another bookmark has this address already.", field=("input", "url"))
    return after, True


async def _prepare_links(unit: Unit, viewer: Viewer, changes: BookmarkChanges) -> _Links:
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
    return _Links(tag_ids, collection_ids)


async def _link(unit: Unit, row: BookmarkRow, links: _Links) -> bool:
    """Give a locked or new bookmark its sets; tell whether that changed them."""
    changed = False
    if links.tag_ids is not None and await labels.replace_links(unit, row.id, links.tag_ids):
        await labels.refresh_words(unit, row.owner_id, [row.id])
        changed = True
    if links.collection_ids is not None and await places.replace_links(unit, row.id, links.collection_ids):
        changed = True
    return changed


async def _united(unit: Unit, row: BookmarkRow, links: _Links) -> _Links:
    """Return what the bookmark has together with what is given; None where nothing is given."""
    tag_ids, collection_ids = links.tag_ids, links.collection_ids
    if tag_ids is not None:
        before = (await labels.of_bookmarks(unit, row.owner_id, [row.id]))[row.id]
        tag_ids = list(dict.fromkeys([tag.id for tag in before] + tag_ids))
        if len(tag_ids) > MAX_TAGS_OF_BOOKMARK:
            raise BadInput(f"A bookmark has at most {MAX_TAGS_OF_BOOKMARK} tags.", field=("input", "tags"))
    if collection_ids is not None:
        held = (await places.of_bookmarks(unit, row.owner_id, [row.id]))[row.id]
        collection_ids = list(dict.fromkeys([place.id for place in held] + collection_ids))
        if len(collection_ids) > places.MAX_COLLECTIONS_OF_BOOKMARK:
            limit = places.MAX_COLLECTIONS_OF_BOOKMARK
            raise BadInput(f"A bookmark lies in at most {limit} collections.", field=("input", "collectionIds"))
    return _Links(tag_ids, collection_ids)


def _merged(row: BookmarkRow, values: dict[str, Any]) -> dict[str, Any]:
    """Return what MERGE writes: empty texts are filled, other notes appended, flags only ever set."""
    merged = {name: getattr(row, name) or value for name, value in values.items()}
    notes = values.get("notes")
    if row.notes and notes and notes not in row.notes:
        joined = f"{row.notes}\n\n{notes}"
        merged["notes"] = storable(joined, what="A note", max_chars=MAX_NOTES_CHARS, field=("input", "notes"))
    return merged


def _identify(url: str, field: Field) -> UrlIdentity:
    try:
        return identify(url)
    except RefusedUrl as refused:
        raise BadInput(refused.message, field=field) from refused


def _columns_of(identity: UrlIdentity) -> dict[str, Any]:
    return {
        "url": identity.original,
        "canonical_url": identity.canonical,
        "url_key": identity.key,
        "url_key_version": identity.key_version,
        "domain": identity.domain,
        "url_words": url_words(identity.canonical),
    }


def _clean(changes: BookmarkChanges) -> dict[str, Any]:
    """Return the columns for the texts and flags that were given. Raises `BadInput` naming the field."""
    given = cast("dict[str, Any]", changes)
    values: dict[str, Any] = {name: given[name] for name in _FLAGS if name in given}
    for name, (what, limit) in _TEXTS.items():
        if name not in given:
            continue
        text = storable(given[name] or "", what=what, max_chars=limit, field=("input", name))
        values[name] = one_line(text) if name == "title" else text.strip() or None
    return values


def _sets(changes: BookmarkChanges) -> dict[str, list[str]]:
    return {
        "tags": list(changes.get("tags", [])),
        "collections": [str(key) for key in changes.get("collection_ids", [])],
    }


def _slice(order: BookmarkOrder, request: PageRequest) -> Slice:
    return Slice(
        sort=order.sort,
        descending=order.descending,
        position=cast("tuple[datetime | str, UUID] | None", request.position),
        backward=request.backward,
        limit=request.limit + 1,
    )
