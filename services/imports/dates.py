"""Dates as bookmark files write them: numbers in six units, and several kinds of text."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

EARLIEST: Final = datetime(1990, 1, 1, tzinfo=UTC)
"""No bookmark is older than the web; what claims to be is a damaged date."""

FUTURE_LEEWAY: Final = timedelta(days=2)
"""How far ahead of our clock a date may lie: time zones and wrong clocks, no more."""

_MAX_CHARS: Final = 64
_EPOCH_1970: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_1601: Final = datetime(1601, 1, 1, tzinfo=UTC)
_NUMBER: Final = re.compile(r"([0-9]{1,20})(?:\.[0-9]*)?")

# (first number that is no longer in this unit, epoch, units per microsecond as numerator and denominator).
# Today is 1.8e9 s, 1.8e12 ms, 1.8e15 us and 1.8e18 ns since 1970, 1.3e16 us and 1.3e17 x 100 ns since 1601.
_UNITS: Final = (
    (10**11, _EPOCH_1970, 1_000_000, 1),
    (10**14, _EPOCH_1970, 1_000, 1),
    (10**16, _EPOCH_1970, 1, 1),
    (2 * 10**16, _EPOCH_1601, 1, 1),
    (2 * 10**17, _EPOCH_1601, 1, 10),
    (10**19, _EPOCH_1970, 1, 1_000),
)
_PATTERNS: Final = (
    "%d/%b/%Y:%H:%M:%S %z",
    "%Y-%m-%d %H:%M:%S %z",
    "%Y-%m-%d %H:%M:%S UTC",
    "%d/%m/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%d/%m/%Y",
    "%Y/%m/%d",
)


def parse_date(text: str, now: datetime) -> datetime | None:
    """Return the moment that `text` names, in UTC, or None if it names none that a bookmark can have.

    Numbers are read as s, ms, us or ns since 1970, us or 100 ns since 1601, by their size; text as ISO 8601,
    RFC 2822, web-server log time or day/month/year, without a zone as UTC. Believable is from `EARLIEST`
    to `now` + `FUTURE_LEEWAY`. Never raises.
    """
    text = text.strip()
    if not text or len(text) > _MAX_CHARS:
        return None
    if text.isascii() and text.isdecimal():
        moment = _from_number(int(text))
    else:
        number = _NUMBER.fullmatch(text)
        moment = _from_text(text) if number is None else _from_number(int(number.group(1)))
    if moment is None or not EARLIEST <= moment <= now + FUTURE_LEEWAY:
        return None
    return moment


def _from_number(number: int) -> datetime | None:
    if number < _UNITS[0][0]:
        return datetime.fromtimestamp(number, UTC)
    for limit, epoch, numerator, denominator in _UNITS:
        if number < limit:
            return epoch + timedelta(microseconds=number * numerator // denominator)
    return None


def _from_text(text: str) -> datetime | None:
    for reader in _READERS:
        try:
            moment = reader(text)
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        except (ValueError, TypeError, OverflowError, IndexError):
            continue
    return None


def _pattern_reader(pattern: str) -> Callable[[str], datetime]:
    return lambda text: datetime.strptime(text, pattern)  # noqa: DTZ007  _from_text gives the zone


_READERS: Final = (datetime.fromisoformat, parsedate_to_datetime, *map(_pattern_reader, _PATTERNS))
