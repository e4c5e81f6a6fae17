"""Fields whose value is no text: what the checks of a link found, and times. What their values may be and mean."""

import difflib
import re
from datetime import UTC, datetime, timedelta
from typing import Final

from db.search.conditions import Answered, Condition, Linked, Moment, Some, State, Within
from db.validation.states import LinkStatus, Verdict
from kit.clock import utcnow
from services.search.syntax import Fact

NEVER: Final = "never"
_CODE: Final = re.compile(r"[1-9][0-9]{2}|[1-9]xx")
_TIME: Final = re.compile(r"(<=|>=|<|>)?(?:([0-9]{4}-[0-9]{2}-[0-9]{2})|([0-9]{1,4})([hdwmy]))")
_HOURS: Final = {"h": 1, "d": 24, "w": 7 * 24, "m": 30 * 24, "y": 365 * 24}
_MAX_YEARS: Final = 100
_LAST_YEAR: Final = 9_999
_MOMENTS: Final = {
    Fact.ADDED: Moment.ADDED,
    Fact.CREATED: Moment.CREATED,
    Fact.UPDATED: Moment.UPDATED,
    Fact.CHECKED: Moment.CHECKED,
}
_DAY: Final = timedelta(days=1)


def normal_value(fact: Fact, value: str) -> str:
    """Return a value as trees hold it and queries print it. Raises `ValueError`, with what was expected, for others."""
    match fact:
        case Fact.STATUS:
            return _status(value)
        case Fact.VERDICT:
            return _one_of(value, [one.value for one in Verdict], fact).lower()
        case _:
            return _time(value.lower(), fact)


def condition_of_fact(fact: Fact, value: str) -> Condition:
    """Return what such a field asks of a bookmark. `value` is in normal form; ages count from now."""
    match fact:
        case Fact.STATUS if value[0].isdigit():
            least = int(value.replace("x", "0"))
            return Answered(least, least + 99 if value.endswith("xx") else least)
        case Fact.STATUS:
            return State.UNCHECKED if value == LinkStatus.UNCHECKED else Linked(statuses=(value,))
        case Fact.VERDICT:
            wanted = Linked(verdicts=(value.upper(),))
            return Some((wanted, State.UNCHECKED)) if value.upper() == Verdict.UNKNOWN else wanted
        case _ if value == NEVER:
            return State.UNCHECKED
        case _:
            return Within(_MOMENTS[fact], *_bounds(value, utcnow()))


def _status(value: str) -> str:
    if _CODE.fullmatch(value.lower()):
        return value.lower()
    return _one_of(value, [one.value for one in LinkStatus], Fact.STATUS)


def _one_of(value: str, names: list[str], fact: Fact) -> str:
    """Return the name that is meant; dashes stand for underscores, in any case."""
    wanted = value.upper().replace("-", "_")
    if wanted in names:
        return wanted
    close = difflib.get_close_matches(wanted, names, n=1)
    if fact is Fact.STATUS:
        told = "expected a status such as 404, 5xx or NOT_FOUND behind `status:`."
        return _refuse(f"{told} Did you mean `status:{close[0]}`?" if close else told)
    told = f"expected one of {', '.join(name.lower() for name in names)} behind `{fact}:`."
    return _refuse(f"{told} Did you mean `{fact}:{close[0].lower()}`?" if close else told)


def _time(value: str, fact: Fact) -> str:
    if fact is Fact.CHECKED and value == NEVER:
        return value
    found = _TIME.fullmatch(value)
    told = f"expected a day or an age behind `{fact}:`, like `{fact}:>2026-01-31` or `{fact}:<7d` (h, d, w, m, y)."
    if found is None:
        return _refuse(told)
    _, day, number, unit = found.groups()
    if day is not None:
        try:
            year = datetime.fromisoformat(day).year
        except ValueError:
            return _refuse(f"there is no such day. {told[0].upper()}{told[1:]}")
        if not 1 < year < _LAST_YEAR:
            return _refuse(told)
    elif int(number) * _HOURS[unit] > _MAX_YEARS * _HOURS["y"]:
        return _refuse(f"an age is at most {_MAX_YEARS} years.")
    return value


def _refuse(message: str) -> str:
    raise ValueError(message)


def _bounds(value: str, now: datetime) -> tuple[datetime | None, datetime | None]:
    """Return from when on and until before when a time must lie.

    A day is one of UTC: `>` is behind its end, `<=` up to its end, alone it is the day itself. An age compares how long
    ago it was: `<7d` is within the last 7 days, `>7d` longer ago, alone it is as `<`.
    """
    found = _TIME.fullmatch(value)
    assert found is not None  # noqa: S101  it is in normal form
    compare, day, number, unit = found.groups()
    if day is not None:
        start = datetime.fromisoformat(day).replace(tzinfo=UTC)
        end = start + _DAY
        return {
            ">": (end, None),
            ">=": (start, None),
            "<": (None, start),
            "<=": (None, end),
            None: (start, end),
        }[compare]
    moment = now - timedelta(hours=int(number) * _HOURS[unit])
    return (None, moment) if compare in {">", ">="} else (moment, None)
