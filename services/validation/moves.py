"""Accepting what permanent redirects say: a bookmark gets the address that its own has moved to."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from db import bookmarks as bookmark_rows
from db.bookmarks import BookmarkRow
from db.unit import Unit
from db.validation import health as rows_of
from db.validation.health import HealthRow
from kit.clock import utcnow
from kit.errors import Conflict, NotFound
from services import bookmarks
from services.batches import Missing, check_ids
from services.bookmarks.values import identity_of
from services.permissions import Viewer, own
from services.validation.observing import digest_of
from services.validation.states import LinkStatus


async def accept_move(unit: Unit, viewer: Viewer, bookmark_id: UUID) -> BookmarkRow:
    """Give a bookmark the address that is offered; a fragment that the new one lacks is kept.

    Nothing is offered any more afterwards, and the link is due for a check. Raises `NotFound`; `Conflict` when nothing
    is offered, when it lies in the trash, or when another bookmark has that address already, which stays as it is.
    """
    locked = await bookmark_rows.lock(unit, viewer.id, [bookmark_id])
    row = own(viewer, locked[0] if locked else None, "bookmark").row
    known = (await rows_of.by_bookmarks(unit, viewer.id, [bookmark_id])).get(bookmark_id)
    if known is None or known.permanent_url is None or known.url_digest != digest_of(row.url):
        raise Conflict("No other address is offered for this bookmark.")
    url = _with_fragment(known.permanent_url, row.url)
    other = await bookmark_rows.by_url_key(unit, viewer.id, identity_of(url, ("input", "ids")).key)
    if other is not None and other.id != row.id:
        raise Conflict("Another bookmark has the offered address already; one of the two can be deleted.")
    after = await bookmarks.update(unit, viewer, row.id, {"url": url})
    await rows_of.save(unit, _moved(known, after))
    return after


async def accept_moves(
    unit: Unit, viewer: Viewer, bookmark_ids: Sequence[UUID]
) -> tuple[list[BookmarkRow], list[Missing]]:
    """Do so for 1 to 1,000 bookmarks; return those that have their new address, and why the others have not.

    Taken in the order of their ids, so that two such calls do not wait for each other in a circle.
    """
    check_ids(bookmark_ids)
    done: dict[UUID, BookmarkRow] = {}
    missing: dict[int, Missing] = {}
    for key in sorted(set(bookmark_ids)):
        try:
            done[key] = await accept_move(unit, viewer, key)
        except (NotFound, Conflict) as refused:
            index = bookmark_ids.index(key)
            missing[index] = Missing(index, refused)
    ordered = [done[key] for key in dict.fromkeys(bookmark_ids) if key in done]
    return ordered, [missing[index] for index in sorted(missing)]


def _with_fragment(url: str, before: str) -> str:
    """Return `url` with the fragment of the address before it, unless it has one of its own (RFC 9110, 10.2.2)."""
    fragment = before.partition("#")[2]
    return f"{url}#{fragment}" if fragment and "#" not in url else url


def _moved(known: HealthRow, after: BookmarkRow) -> HealthRow:
    """Return what is known of the new address: what the checks of the old one saw when they were led there."""
    return replace(
        known,
        url_digest=digest_of(after.url),
        status=LinkStatus.OK.value,
        move_url=None,
        move_sights=0,
        permanent_url=None,
        next_check_at=utcnow(),
    )
