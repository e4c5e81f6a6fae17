"""Times of day and week in the five fields of cron, in UTC: minute, hour, day of month, month, day of week.

A field is `*`, a number, a range `a-b`, either with a step (`*/15`, `8-18/2`), or several of these separated by commas.
Days of the week are 0 (Sunday) to 6. Where both days are given, neither beginning with `*`, either may come, as in
every cron. Names, `@daily` and the like are not taken: a word that means nothing would otherwise never come due.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Self

_FIELDS: Final = (range(60), range(24), range(1, 32), range(1, 13), range(7))
_PART: Final = re.compile(r"(?:\*|(\d{1,2})(?:-(\d{1,2}))?)(?:/(\d{1,2}))?", re.ASCII)
_DAYS: Final = 8 * 366 + 1  # from one 29 February to the next may take eight years


@dataclass(frozen=True, slots=True)
class Cron:
    """When something is due: the numbers that each field allows, and whether either kind of day is enough."""

    text: str
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either_day: bool

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read five fields. Raises `ValueError` for anything else, and for what never comes, like 31 February."""
        parts = text.split()
        if len(parts) != len(_FIELDS):
            raise _wrong(text)
        minutes, hours, days, months, weekdays = map(_numbers, parts, _FIELDS)
        either_day = not (parts[2].startswith("*") or parts[4].startswith("*"))
        cron = cls(" ".join(parts), minutes, hours, days, months, weekdays, either_day)
        cron.last_due(datetime(2032, 3, 1, tzinfo=UTC))
        return cron

    def last_due(self, now: datetime) -> datetime:
        """Return the latest due minute that is not after `now`. Raises `ValueError` when none was for eight years."""
        now = now.astimezone(UTC)
        latest = now.hour * 60 + now.minute
        for back in range(_DAYS):
            day = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=back)
            if self._is_day(day):
                times = (60 * hour + minute for hour in self.hours for minute in self.minutes)
                due = max((time for time in times if back or time <= latest), default=None)
                if due is not None:
                    return day + timedelta(minutes=due)
        raise _wrong(self.text)

    def _is_day(self, day: datetime) -> bool:
        by_date, by_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return day.month in self.months and (by_date or by_week if self.either_day else by_date and by_week)


def _wrong(text: str) -> ValueError:
    return ValueError(f"{text!r} is no time of cron")


def _numbers(field: str, allowed: range) -> frozenset[int]:
    """Return the numbers that a field allows."""
    found: set[int] = set()
    for part in field.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise _wrong(field)
        first, last, step = (int(text) if text else None for text in match.groups())
        if step is not None and (step == 0 or (first is not None and last is None)):
            raise _wrong(field)
        low = allowed.start if first is None else first
        high = allowed.stop - 1 if first is None else first if last is None else last
        if low not in allowed or high not in allowed or low > high:
            raise _wrong(field)
        found.update(range(low, high + 1, step or 1))
    return frozenset(found)
