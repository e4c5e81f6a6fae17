"""Finding bookmarks: one, a page of a list, how many there are."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, cast
from uuid import UUID

from typing_extensions import TypeVar

from db import bookmarks as rows_of
from db.bookmarks import BookmarkFilter, BookmarkRow, BookmarkSort, Home, Placed, Slice
from db.shapes import Shape
from db.unit import Rows
from kit.errors import BadInput
from kit.paging import PageRequest
from kit.text import sought
from services import tags
from services.bookmarks.values import identity_of
from services.permissions import Viewer

R = TypeVar("R", default=BookmarkRow)
MAX_FILTER_TAGS: Final = 20


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
    rows: Rows,
    viewer: Viewer,
    wanted: BookmarkFilter,
    order: BookmarkOrder,
    request: PageRequest,
    shape: Shape[R] = rows_of.WHOLE.by_default,
) -> list[Placed[R]]:
    """Return one page of the viewer's bookmarks in the direction of reading, and one more when there are more."""
    return await rows_of.page(rows, viewer.id, wanted, _slice(order, request), shape)


async def pages_under(
    rows: Rows,
    viewer: Viewer,
    home: Home,
    homes: Sequence[UUID],
    *,
    wanted: BookmarkFilter,
    order: BookmarkOrder,
    request: PageRequest,
    shape: Shape[R] = rows_of.WHOLE.by_default,
) -> dict[UUID, list[Placed[R]]]:
    """Return such a page for each of several collections or tags of the viewer."""
    cut = _slice(order, request)
    return await rows_of.pages_under(rows, viewer.id, home, homes, wanted=wanted, cut=cut, shape=shape)


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


async def by_url(rows: Rows, viewer: Viewer, url: str, shape: Shape[R] = rows_of.WHOLE.by_default) -> R | None:
    """Return the viewer's bookmark of an address unless it lies in the trash. Raises `BadInput` for no address."""
    return await rows_of.by_url_key(rows, viewer.id, identity_of(url, ("url",)).key, shape, in_trash=False)


def _slice(order: BookmarkOrder, request: PageRequest) -> Slice:
    return Slice(
        sort=order.sort,
        descending=order.descending,
        position=cast("tuple[datetime | str, UUID] | None", request.position),
        backward=request.backward,
        limit=request.limit + 1,
    )
