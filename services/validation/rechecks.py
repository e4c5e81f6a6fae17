"""Checking links without being asked: what is due, or was never checked, becomes work that waits behind people's."""

from typing import Final
from uuid import UUID

from db.unit import Unit
from db.validation import due as rows_of
from services.agents import Priority, Workflow, start_workflow
from services.permissions import Viewer

MAX_LINKS: Final = 1_000
"""Most links of one account that become work at a time."""

OWNERS: Final = 1_000
"""So many accounts are looked at in one go."""

_PUT_OFF_HOURS: Final = 24.0


async def start_due(unit: Unit, *, after: UUID | None, limit: int) -> tuple[int, UUID | None]:
    """Start checks for the accounts behind `after` that want them; return for how many links, and where to go on.

    At most `limit` links (and 1,000) of each, what is due before what was never checked. An account whose last such
    work is not done yet is left alone. The place to go on is None when every account was looked at.
    """
    owners = await rows_of.owners(unit, after=after, limit=OWNERS)
    started = 0
    for owner_id in owners:
        started += await _start(unit, owner_id, min(limit, MAX_LINKS))
    return started, owners[-1] if len(owners) == OWNERS else None


async def _start(unit: Unit, owner_id: UUID, limit: int) -> int:
    keys = await rows_of.due(unit, owner_id, limit=limit)
    if len(keys) < limit:
        keys += await rows_of.unchecked(unit, owner_id, limit=limit - len(keys))
    if not keys:
        return 0
    await rows_of.put_off(unit, owner_id, keys, hours=_PUT_OFF_HOURS)
    await start_workflow(
        unit, Viewer(owner_id), workflow=Workflow.VALIDATION_ONLY, bookmark_ids=keys, priority=Priority.BACKGROUND
    )
    return len(keys)
