"""Taking an observation into account: what is remembered of a link after it, and who is told."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from db.unit import Unit
from db.validation import health as rows_of
from db.validation.health import CheckRow, HealthRow, LinkRow
from kit.ids import new_id
from services.events import BookmarkChange, EventDraft, bookmark_draft
from services.validation.content import compare
from services.validation.observing import digest_of, key_of
from services.validation.schedule import Intervals, next_check
from services.validation.states import ContentState, Fingerprint, Observation, Verdict
from services.validation.verdicts import Move, Standing, judge, moved


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a check brings: the observation, when it was made for this owner, and an archived copy if it was looked for.

    `chance`, from 0 to 1, spreads the next checks. `is_archive_known` says that the archive was asked.
    """

    seen: Observation
    checked_at: datetime
    chance: float
    is_archive_known: bool = False
    archive_url: str | None = None


async def record(
    unit: Unit, owner_id: UUID, bookmark_id: UUID, digest: bytes, finding: Finding, *, intervals: Intervals, keep: int
) -> Sequence[EventDraft]:
    """Write what a check of the address `digest` found; return the event if people see something change.

    Nothing is written when the bookmark is gone, leads elsewhere meanwhile, or this observation was taken into account
    before. The newest `keep` checks stay in the history.
    """
    link = await rows_of.lock_link(unit, owner_id, bookmark_id)
    if link is None or digest_of(link.url) != digest:
        return []
    before = current(link)
    if before is not None and before.judged_at is not None and finding.seen.fetched_at <= before.judged_at:
        return []
    after = after_finding(link, owner_id, finding, intervals)
    await rows_of.save(unit, after)
    await rows_of.add_check(unit, _check(after, finding), keep=keep)
    if before is not None and _visible(before) == _visible(after):
        return []
    return [bookmark_draft(BookmarkChange.UPDATED, [bookmark_id])]


def current(link: LinkRow) -> HealthRow | None:
    """Return what is known of the address that a bookmark has now; None when another one was checked, or none."""
    known = link.health
    return known if known is not None and known.url_digest == digest_of(link.url) else None


def standing_of(known: HealthRow | None) -> Standing:
    """Return how a link stands."""
    if known is None:
        return Standing()
    return Standing(
        verdict=Verdict(known.verdict),
        failures=known.failures,
        strikes=known.strikes,
        struck_at=known.struck_at,
        final_sights=known.final_sights,
        streak=known.streak,
        judged_at=known.judged_at,
    )


def saved_of(known: HealthRow | None) -> Fingerprint | None:
    """Return what the page said when it was first read."""
    if known is None or known.saved_digest is None or known.saved_simhash is None or known.saved_words is None:
        return None
    return Fingerprint(known.saved_digest, known.saved_simhash, known.saved_words)


def content_of(known: HealthRow | None) -> Fingerprint | None:
    """Return what the page said when it was last read."""
    if known is None or known.content_digest is None or known.content_simhash is None or known.content_words is None:
        return None
    return Fingerprint(known.content_digest, known.content_simhash, known.content_words)


def after_finding(link: LinkRow, owner_id: UUID, finding: Finding, intervals: Intervals) -> HealthRow:
    """Return what is known of a link after one more check."""
    known, seen = current(link), finding.seen
    standing = judge(standing_of(known), seen)
    move = moved(Move() if known is None else Move(known.move_url, known.move_sights), seen)
    fresh = HealthRow(
        bookmark_id=link.bookmark_id,
        owner_id=owner_id,
        url_digest=digest_of(link.url),
        status=seen.status.value,
        detail=None if seen.detail is None else seen.detail.value,
        verdict=standing.verdict.value,
        http_status=seen.http_status,
        final_url=seen.final_url,
        final_key=key_of(seen.final_url) if seen.is_success else None,
        canonical_url=seen.canonical_url,
        canonical_key=key_of(seen.canonical_url or seen.final_url) if seen.is_success else None,
        move_url=move.url,
        move_sights=move.sights,
        permanent_url=move.offered,
        failures=standing.failures,
        strikes=standing.strikes,
        struck_at=standing.struck_at,
        final_sights=standing.final_sights,
        streak=standing.streak,
        judged_at=standing.judged_at,
        checked_at=finding.checked_at,
        next_check_at=next_check(
            standing, intervals, finding.checked_at, chance=finding.chance, retry_at=seen.retry_at
        ),
        etag=seen.etag,
        last_modified=seen.last_modified,
        body_digest=seen.body_digest,
        saved_digest=None,
        saved_simhash=None,
        saved_words=None,
        content_digest=None,
        content_simhash=None,
        content_words=None,
        content_state=ContentState.UNKNOWN.value,
        content_checked_at=None,
        archive_url=finding.archive_url,
        archive_checked_at=finding.checked_at if finding.is_archive_known else None,
    )
    return _with_archive(_with_content(fresh, known, finding), known, finding)


def _with_content(fresh: HealthRow, known: HealthRow | None, finding: Finding) -> HealthRow:
    """Add what is known of the page: the first text that a living link showed is what later ones are compared with."""
    seen, saved, before = finding.seen, saved_of(known), content_of(known)
    now = seen.fingerprint
    state = compare(saved, now, seen.status, seen.detail)
    if now is None and state is ContentState.UNKNOWN and known is not None:
        state = ContentState(known.content_state)
    if saved is None and seen.is_success:
        saved = now
    shown = now or before
    read_at = finding.checked_at if now is not None else None if known is None else known.content_checked_at
    return replace(
        fresh,
        saved_digest=None if saved is None else saved.digest,
        saved_simhash=None if saved is None else saved.simhash,
        saved_words=None if saved is None else saved.words,
        content_digest=None if shown is None else shown.digest,
        content_simhash=None if shown is None else shown.simhash,
        content_words=None if shown is None else shown.words,
        content_state=state.value,
        content_checked_at=read_at,
    )


def _with_archive(fresh: HealthRow, known: HealthRow | None, finding: Finding) -> HealthRow:
    """Keep the archived copy that is known, unless the archive was asked again."""
    if finding.is_archive_known or known is None:
        return fresh
    return replace(fresh, archive_url=known.archive_url, archive_checked_at=known.archive_checked_at)


def _check(after: HealthRow, finding: Finding) -> CheckRow:
    return CheckRow(
        id=new_id(),
        bookmark_id=after.bookmark_id,
        owner_id=after.owner_id,
        checked_at=after.checked_at,
        status=after.status,
        detail=after.detail,
        verdict=after.verdict,
        http_status=after.http_status,
        final_url=after.final_url,
        content_state=after.content_state,
        duration_ms=finding.seen.duration_ms,
    )


def _visible(health: HealthRow) -> tuple[object, ...]:
    """Return what people see of a link and would want to hear of."""
    return (
        health.status,
        health.verdict,
        health.final_url,
        health.permanent_url,
        health.content_state,
        health.archive_url,
    )
