"""The validation agent: one link at a time, each address asked once for all who keep it.

claim the address  →  look (or take the answer that somebody got a moment ago)  →  share it  →  record it
"""

import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID, uuid5

from db.unit import Unit
from db.validation import health as links
from db.validation import results
from db.validation.health import LinkRow
from kit.clock import utcnow
from kit.urls import RefusedUrl, locate
from services.agents import AgentName
from services.events import EventDraft
from services.validation.observing import digest_of, packed, shared_digest, unpacked
from services.validation.recording import Finding, current, record, standing_of
from services.validation.schedule import intervals_of
from services.validation.states import LinkStatus, Observation, Verdict
from services.validation.verdicts import judge
from tasks.agent import Agent, Batch, Deferred, Done, Item, Outcome, Skipped, Tools
from tasks.validation.archive import Archive
from tasks.validation.looking import Look
from tasks.validation.visits import HostBusyError, Visits, pace_of

DEADLINE_SECONDS: Final = 180.0
"""Ten redirects at one host with their pauses, a page that drips, a probe and the archive fit in."""

CLAIM_SECONDS: Final = DEADLINE_SECONDS + 20.0
_BUSY_SECONDS: Final = 5.0
_ARCHIVE_AGAIN: Final = timedelta(days=30)
_archives: dict[str, Archive] = {}
"""By the address that is set: which archive is away is remembered as long as the process lives."""


async def process(batch: Batch) -> Sequence[Outcome]:
    """Check the links of a batch, one after the other."""
    return [await _check(batch, item) for item in batch.items]


async def _check(batch: Batch, item: Item) -> Outcome:
    tools, owner_id = batch.tools, batch.owner_id
    found = await links.links(tools.database, owner_id, [item.bookmark_id])
    if not found:
        return Skipped("The bookmark is gone, or lies in the trash.")
    (link,) = found
    claim = claim_of(batch.task_id, link.bookmark_id)
    async with Visits(tools.fetcher, tools.database, pace_of(tools.settings), visit=claim) as visits:
        try:
            seen = await _seen(tools, visits, link, owner_id)
        except HostBusyError as busy:
            return Deferred(busy.seconds, "The host was asked by others a moment ago; this link waits for its turn.")
        if seen is None:
            return Deferred(_BUSY_SECONDS, "The same address is being checked at the moment.")
        finding = await _finding(tools, visits, link, seen)
    return Done(_data(link, finding), _write(tools, owner_id, link, finding))


def claim_of(task_id: UUID, bookmark_id: UUID) -> UUID:
    """Return who a check is, to hosts and to who else wants its address: the same when it begins again.

    Of another task, which may be checking the same bookmark at the moment, it is somebody else.
    """
    return uuid5(task_id, str(bookmark_id))


async def _seen(tools: Tools, visits: Visits, link: LinkRow, owner_id: UUID) -> Observation | None:
    """Return what is seen of a link, by us or by whoever asked last; None while somebody else is asking."""
    database, claim, digest = tools.database, visits.visit, shared_digest(link.url, owner_id)
    shared = await results.claim(
        database,
        digest,
        claim,
        fresh_seconds=tools.settings.link_check_shared_seconds,
        lease_seconds=CLAIM_SECONDS,
    )
    if not shared.is_mine:
        if shared.busy_seconds or shared.observation is None or shared.fetched_at is None:
            return None
        return unpacked(shared.observation, shared.fetched_at)
    is_kept = False
    try:
        seen = await Look(visits, tools.pages, _asked(link.url), current(link)).observe()
        if not _is_hearsay(seen):
            is_kept = await results.keep(database, digest, claim, packed(seen), seen.fetched_at)
    finally:
        if not is_kept:
            await results.let_go(database, digest, claim)
    return seen


def _is_hearsay(seen: Observation) -> bool:
    """Tell whether a host was not asked, because it wants to be left alone: that is no answer of this address."""
    return seen.status is LinkStatus.RATE_LIMITED and seen.final_url is None


def _asked(url: str) -> str:
    """Return the address that is asked for: without credentials and fragment. As it stands when it is none."""
    try:
        return locate(url).without_fragment
    except RefusedUrl:
        return url


async def _finding(tools: Tools, visits: Visits, link: LinkRow, seen: Observation) -> Finding:
    """Look for an archived copy where the link seems broken, unless that was done lately."""
    now, known = utcnow(), current(link)
    chance = random.random()  # noqa: S311  spreads load, no secret
    verdict = judge(standing_of(known), seen).verdict
    asked_at = None if known is None else known.archive_checked_at
    if verdict not in {Verdict.SUSPECT, Verdict.DEAD} or (asked_at is not None and now - asked_at < _ARCHIVE_AGAIN):
        return Finding(seen=seen, checked_at=now, chance=chance)
    base = tools.settings.archive_url
    is_known, copy = await _archives.setdefault(base, Archive(base)).nearest(visits, link.url, link.added_at)
    return Finding(seen=seen, checked_at=now, chance=chance, is_archive_known=is_known, archive_url=copy)


def _data(link: LinkRow, finding: Finding) -> dict[str, Any]:
    """Return what goes into the artifact of the step, for later agents and for people."""
    seen = finding.seen
    return {
        "status": seen.status.value,
        "detail": None if seen.detail is None else seen.detail.value,
        "verdict": judge(standing_of(current(link)), seen).verdict.value,
        "httpStatus": seen.http_status,
        "finalUrl": seen.final_url,
        "archiveUrl": finding.archive_url,
    }


def _write(tools: Tools, owner_id: UUID, link: LinkRow, finding: Finding) -> Any:
    """Return what records a finding in the transaction of its item."""
    intervals, keep, digest = intervals_of(tools.settings), tools.settings.link_check_history, digest_of(link.url)

    async def write(unit: Unit) -> Sequence[EventDraft]:
        return await record(unit, owner_id, link.bookmark_id, digest, finding, intervals=intervals, keep=keep)

    return write


AGENT: Final = Agent(
    name=AgentName.VALIDATION,
    version="1.0.0",
    description="Checks whether links still lead to their pages, and what became of those that do not.",
    process=process,
    chunk_items=100,
    batch_items=1,
    parallel=32,
    deadline_seconds=DEADLINE_SECONDS,
)
