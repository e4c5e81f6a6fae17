"""The owner's decisions about proposals. Each is made once and for ever, and can be asked for again without harm."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from db import bookmarks
from db import tags as tag_rows
from db.bookmarks import BookmarkRow
from db.categorization import suggestions as rows_of
from db.categorization.suggestions import ProposalKind, ProposalStatus, SuggestionFilter, SuggestionRow
from db.unit import Unit
from kit.errors import BadInput, Conflict, NotFound
from services import tags
from services.batches import MAX_IDS, Missing, check_ids
from services.categorization.applying import Sorting, apply, hold
from services.events import BookmarkChange, record_bookmarks
from services.permissions import Viewer

STEP: Final = MAX_IDS
"""Most proposals that one call accepts, which is one transaction."""


@dataclass(frozen=True, slots=True)
class Decided:
    """What was decided: the proposals as they are now, the items that were left alone, how many are left to do."""

    suggestions: list[SuggestionRow]
    missing: list[Missing]
    remaining: int = 0


async def accept(unit: Unit, viewer: Viewer, keys: Sequence[UUID]) -> Decided:
    """Do what these proposals say; one that is accepted already stays so. New tags are made by the rules of tags.

    Also what was rejected, put away or applied before can be accepted. Left alone, with the reason: what is not the
    viewer's, whose bookmark lies in the trash, or has no room for one more.
    """
    check_ids(keys)
    found = {row.id: row for row in await rows_of.by_ids(unit, viewer.id, keys)}
    names = {row.name for row in found.values() if row.kind == ProposalKind.TAG and row.tag_id is None}
    made = await tags.ensure(unit, viewer.id, names)
    there = await hold(unit, viewer.id, (row.bookmark_id for row in found.values()))
    locked = {row.id: row for row in await rows_of.lock(unit, viewer.id, list(found))}
    tag_ids = {row.id: made[row.name].id for row in locked.values() if row.name in made and row.tag_id is None}
    gone = {key for key, row in locked.items() if _is_without_tag(row) and key not in tag_ids}
    open_rows = {
        key: replace(row, tag_id=row.tag_id or tag_ids.get(key))
        for key, row in locked.items()
        if key not in gone and row.status != ProposalStatus.ACCEPTED and _is_alive(there.get(row.bookmark_id))
    }
    changed = await _put_on(unit, viewer, list(open_rows.values()))
    roomless = await _left_out(unit, viewer, list(open_rows.values()))
    accepted = [key for key in open_rows if key not in roomless]
    await rows_of.decide(
        unit, viewer.id, accepted, ProposalStatus.ACCEPTED, tag_ids=[open_rows[key].tag_id for key in accepted]
    )
    shown = await rows_of.by_ids(unit, viewer.id, keys)
    await record_bookmarks(unit, viewer.id, BookmarkChange.UPDATED, changed)
    missing = []
    for index, key in enumerate(keys):
        reason = _why_not(locked.get(key), there, is_full=key in roomless)
        if key in gone:
            reason = Conflict("This tag was removed a moment ago; try again.")
        if reason is not None:
            missing.append(Missing(index, reason))
    left = {keys[item.index] for item in missing}
    return Decided([row for row in shown if row.id not in left], missing)


async def accept_above(unit: Unit, viewer: Viewer, above: float, wanted: SuggestionFilter) -> Decided:
    """Accept what waits with this confidence or more, the surest first, at most 1,000; `remaining` says what is left.

    What a bookmark has no room for is passed over, so asking again until nothing remains comes to an end.
    """
    if not 0 <= above <= 1:
        raise BadInput("`above` is a confidence from 0 to 1.", field=("input", "above"))
    if wanted.status not in {None, ProposalStatus.PENDING}:
        raise BadInput("Only what waits can be accepted by its confidence.", field=("input", "filter", "status"))
    least = max(above, wanted.min_confidence or 0.0)
    waiting = replace(wanted, status=ProposalStatus.PENDING, min_confidence=least)
    found = await rows_of.to_accept(unit, viewer.id, waiting, limit=STEP)
    if not found:
        return Decided([], [])
    decided = await accept(unit, viewer, [row.id for row in found])
    return replace(decided, missing=[], remaining=await rows_of.count_to_accept(unit, viewer.id, waiting))


async def reject(unit: Unit, viewer: Viewer, keys: Sequence[UUID]) -> Decided:
    """Refuse proposals for ever; what was applied by itself is taken back where it is still there.

    Left alone, with the reason: what is not the viewer's, and what the viewer has accepted.
    """
    check_ids(keys)
    found = await rows_of.by_ids(unit, viewer.id, keys)
    there = await hold(unit, viewer.id, (row.bookmark_id for row in found))
    locked = {row.id: row for row in await rows_of.lock(unit, viewer.id, [row.id for row in found])}
    applied = [row for row in locked.values() if row.status == ProposalStatus.APPLIED]
    changed = await _take_off(unit, viewer, there, applied)
    refused = [
        key for key, row in locked.items() if row.status not in {ProposalStatus.ACCEPTED, ProposalStatus.REJECTED}
    ]
    await rows_of.decide(unit, viewer.id, refused, ProposalStatus.REJECTED)
    shown = await rows_of.by_ids(unit, viewer.id, keys)
    await record_bookmarks(unit, viewer.id, BookmarkChange.UPDATED, changed)
    missing: list[Missing] = []
    for index, key in enumerate(keys):
        if key not in locked:
            missing.append(Missing(index, NotFound("There is no such suggestion.")))
        elif locked[key].status == ProposalStatus.ACCEPTED:
            missing.append(Missing(index, Conflict("You have accepted it; change the bookmark instead.")))
    left = {keys[item.index] for item in missing}
    return Decided([row for row in shown if row.id not in left], missing)


async def _put_on(unit: Unit, viewer: Viewer, proposals: Sequence[SuggestionRow]) -> list[UUID]:
    """Put what is proposed on the bookmarks, as far as there is room; return the ids of those that changed."""
    done = await apply(unit, viewer.id, sorting_of(proposals))
    changed = sorted(done.changed)
    await bookmarks.touch(unit, viewer.id, changed)
    return changed


async def _left_out(unit: Unit, viewer: Viewer, proposals: Sequence[SuggestionRow]) -> set[UUID]:
    """Return those of the proposals that their bookmark had no room for."""
    wanted = {row.id: (row.bookmark_id, target) for row in proposals if (target := row.tag_id or row.collection_id)}
    there = set(await rows_of.standing(unit, viewer.id, list(wanted.values())))
    return {key for key, pair in wanted.items() if pair not in there}


async def _take_off(
    unit: Unit, viewer: Viewer, there: dict[UUID, BookmarkRow], applied: Sequence[SuggestionRow]
) -> list[UUID]:
    """Take back what was applied by itself, where it is still there; return the ids of the bookmarks that changed."""
    sorting = Sorting(
        without_tags=[(row.bookmark_id, row.tag_id) for row in applied if row.tag_id is not None],
        without_collections=[(row.bookmark_id, row.collection_id) for row in applied if row.collection_id is not None],
        categories=[
            (row.bookmark_id, None)
            for row in applied
            if row.category_id is not None and _category_of(there.get(row.bookmark_id)) == row.category_id
        ],
    )
    changed = sorted((await apply(unit, viewer.id, sorting)).changed)
    await bookmarks.touch(unit, viewer.id, changed)
    return changed


def sorting_of(proposals: Sequence[SuggestionRow]) -> Sorting:
    """Return what these proposals, of which those of tags have their tag, put on bookmarks."""
    return Sorting(
        tags=[(row.bookmark_id, row.tag_id) for row in proposals if row.tag_id is not None],
        collections=[(row.bookmark_id, row.collection_id) for row in proposals if row.collection_id is not None],
        categories=list({row.bookmark_id: row.category_id for row in proposals if row.category_id is not None}.items()),
    )


def _category_of(row: BookmarkRow | None) -> UUID | None:
    return None if row is None else row.category_id


def _is_alive(row: BookmarkRow | None) -> bool:
    return row is not None and row.deleted_at is None


def _is_without_tag(row: SuggestionRow) -> bool:
    return row.kind == ProposalKind.TAG and row.tag_id is None


def _why_not(row: SuggestionRow | None, there: dict[UUID, BookmarkRow], *, is_full: bool) -> NotFound | Conflict | None:
    """Return why a proposal was left alone, None when it was not."""
    if row is None or row.bookmark_id not in there:
        return NotFound("There is no such suggestion.")
    if row.status == ProposalStatus.ACCEPTED:
        return None
    if there[row.bookmark_id].deleted_at is not None:
        return Conflict("Its bookmark lies in the trash; restore it first.")
    if is_full:
        what, limit = ("tags", tag_rows.MAX_TAGS_OF_BOOKMARK) if row.kind == ProposalKind.TAG else ("collections", 100)
        return Conflict(f"A bookmark has at most {limit} {what}.")
    return None
