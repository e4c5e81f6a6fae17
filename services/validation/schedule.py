"""When a link is checked again: the surer we are, the later."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from kit.settings import Settings
from services.validation.states import Verdict
from services.validation.verdicts import Standing

JITTER = 0.1
"""So much later at most, in parts of the interval, lest links that came together are checked together for ever."""

_MAX_DOUBLINGS = 10


@dataclass(frozen=True, slots=True)
class Intervals:
    """Days between checks. Those of living links grow from `alive` to `alive_max`, as successes follow each other."""

    alive: float
    alive_max: float
    suspect: float
    inconclusive: float
    inconclusive_max: float
    dead: float


def intervals_of(settings: Settings) -> Intervals:
    """Return the intervals that are set."""
    return Intervals(
        alive=settings.link_check_alive_days,
        alive_max=settings.link_check_alive_max_days,
        suspect=settings.link_check_suspect_days,
        inconclusive=settings.link_check_inconclusive_days,
        inconclusive_max=settings.link_check_inconclusive_max_days,
        dead=settings.link_check_dead_days,
    )


def next_check(
    standing: Standing, intervals: Intervals, now: datetime, *, chance: float, retry_at: datetime | None = None
) -> datetime:
    """Return when to check again; never before `retry_at`. `chance` from 0 to 1 spreads links that stand alike."""
    days = _days(standing, intervals)
    due = now + timedelta(days=days * (1 + JITTER * chance))
    return due if retry_at is None else max(due, retry_at)


def _days(standing: Standing, intervals: Intervals) -> float:
    match standing.verdict:
        case Verdict.ALIVE:
            return _grown(intervals.alive, intervals.alive_max, standing.streak)
        case Verdict.DEAD:
            return intervals.dead
        case Verdict.SUSPECT:
            return intervals.suspect
        case Verdict.INCONCLUSIVE | Verdict.UNKNOWN:
            return _grown(intervals.inconclusive, intervals.inconclusive_max, standing.failures)


def _grown(first: float, most: float, times: int) -> float:
    """Return `first`, doubled with each time but the first, at most `most`."""
    return min(first * 2.0 ** min(max(times - 1, 0), _MAX_DOUBLINGS), max(first, most))
