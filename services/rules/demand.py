"""Running a rule on the bookmarks that are there, in steps, or only looking at what it would do."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from db import bookmarks
from db import rules as rows_of
from db.bookmarks import BookmarkRow
from db.rules import RuleRow
from db.search import matching
from db.unit import Unit
from kit.errors import BadInput
from services.events import BookmarkChange, record_bookmarks
from services.permissions import Viewer, own
from services.rules.running import prepare, run
from services.search import find
from services.search.find import SearchMode

STEP: Final = 1_000
"""Most bookmarks that one call changes, which is one transaction."""

SAMPLE: Final = 10
MAX_COUNTED: Final = 100_000


@dataclass(frozen=True, slots=True)
class Run:
    """What a rule did, or would do.

    matched     bookmarks that its query finds, counted up to 100,000; None behind the first step
    changed     how many this step changed; 0 for a mere look
    sample      the first ten of this step
    next_after  the id to go on behind; None when nothing is left
    """

    rule: RuleRow
    matched: int | None
    changed: int
    sample: Sequence[BookmarkRow]
    next_after: UUID | None


async def run_step(unit: Unit, viewer: Viewer, key: UUID, *, after: UUID | None = None, dry_run: bool = False) -> Run:
    """Run a rule, paused or not, on the next 1,000 bookmarks that it finds, by their ids from behind `after`.

    Running it again changes nothing that is so already. Raises `NotFound`, `BadInput` when it cannot run.
    """
    rule = own(viewer, await rows_of.by_id(unit, viewer.id, key), "rule", field=("input", "id")).row
    try:
        query = await find.understand(unit, viewer, rule.query, SearchMode.FULL_TEXT)
    except BadInput as refused:
        raise BadInput(refused.message, field=("input", "id")) from refused
    matched = await matching.count(unit, viewer.id, query.condition, most=MAX_COUNTED) if after is None else None
    found = await matching.walked(unit, viewer.id, query.condition, after, limit=STEP + 1)
    step, goes_on = found[:STEP], len(found) > STEP
    changed: list[UUID] = []
    if not dry_run and step:
        changed = await run(unit, viewer, await prepare(unit, viewer, rule), step)
    now = own(viewer, await rows_of.by_id(unit, viewer.id, key), "rule").row
    sample = await bookmarks.by_ids(unit, viewer.id, step[:SAMPLE])
    if not dry_run:
        await record_bookmarks(unit, viewer.id, BookmarkChange.UPDATED, changed)
    return Run(now, matched, len(changed), sample, step[-1] if goes_on and not dry_run else None)
