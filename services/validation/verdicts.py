"""From what checks see to what is believed of a link.

The rule for DEAD is that of the Internet Archive's bot for Wikipedia (three failures, each at least three days after
the one before), because a wrong DEAD costs trust and a late one costs nothing. A server that says "gone for ever"
(410) and a name that no longer exists (NXDOMAIN) are believed when two separate checks saw it. What a server refuses
to show (401, 403, 429), and what may pass (5xx, timeouts, certificates), never counts, and any success forgives all.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from services.validation.states import STRIKES, LinkDetail, LinkStatus, Observation, Verdict

STRIKES_TO_DEATH: Final = 3
STRIKE_SPACING: Final = timedelta(days=3)
FINAL_SIGHTS_TO_DEATH: Final = 2
MOVES_TO_OFFER: Final = 2
"""A permanent redirect is offered when so many separate checks saw it lead to the same address."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What is remembered of a link's checks.

    `failures` counts the checks in a row that were no success. `strikes` of them count towards DEAD, the last one at
    `struck_at`. `final_sights` counts those that saw 410 or NXDOMAIN. `streak` counts the successes in a row.
    `judged_at` is the time of the last observation that was taken into account.
    """

    verdict: Verdict = Verdict.UNKNOWN
    failures: int = 0
    strikes: int = 0
    struck_at: datetime | None = None
    final_sights: int = 0
    streak: int = 0
    judged_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """Where permanent redirects lead, and how many separate checks saw it."""

    url: str | None = None
    sights: int = 0

    @property
    def offered(self) -> str | None:
        """The address that is offered to the owner, None while it is not sure."""
        return self.url if self.sights >= MOVES_TO_OFFER else None


def judge(before: Standing, seen: Observation) -> Standing:
    """Return what is believed after one more observation. One that is not newer than the last changes nothing."""
    if before.judged_at is not None and seen.fetched_at <= before.judged_at:
        return before
    if seen.is_success:
        return Standing(verdict=Verdict.ALIVE, streak=before.streak + 1, judged_at=seen.fetched_at)
    after = replace(before, failures=before.failures + 1, streak=0, judged_at=seen.fetched_at)
    if seen.status not in STRIKES or seen.detail is LinkDetail.RESOLVER_FAILED:
        return replace(after, verdict=Verdict.SUSPECT if after.strikes else Verdict.INCONCLUSIVE)
    if after.struck_at is None or seen.fetched_at - after.struck_at >= STRIKE_SPACING:
        after = replace(after, strikes=after.strikes + 1, struck_at=seen.fetched_at)
    if is_final(seen):
        after = replace(after, final_sights=after.final_sights + 1)
    is_dead = after.strikes >= STRIKES_TO_DEATH or after.final_sights >= FINAL_SIGHTS_TO_DEATH
    return replace(after, verdict=Verdict.DEAD if is_dead else Verdict.SUSPECT)


def is_final(seen: Observation) -> bool:
    """Tell whether a check saw what hardly ever passes: 410, or a name that does not exist."""
    return seen.status is LinkStatus.GONE or seen.detail is LinkDetail.NXDOMAIN


def moved(before: Move, seen: Observation) -> Move:
    """Return the move that is known after one more observation. What was no success, or was not new, tells nothing."""
    if not seen.is_success:
        return before
    if seen.permanent_url is None:
        return Move()
    return Move(seen.permanent_url, before.sights + 1 if seen.permanent_url == before.url else 1)
