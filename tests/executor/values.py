"""Random values that are hard to print: odd texts, moments at the edges of the calendar, numbers that JSON disputes."""

import random
from datetime import UTC, datetime, timedelta
from uuid import UUID

_CONTROLS = tuple(chr(code) for code in (*range(1, 32), 127, 128, 0x85, 0x9F))
_PIECES = (
    "plain",
    "Rust and Python",
    'say "so"',
    "back\\slash",
    "a/b",
    "</script>",
    "it's",
    "$1 %s {x}",
    "\\u0041",
    "\\",
    '"',
    "'",
    "emoji 🦀👩‍👩‍👧",
    "İstanbul ß ﬃ",
    "Ünïcödé",
    "\u2028\u2029",
    "\ufeff",
    "\U0010ffff",
    "\ufffe\ufffd",
    "e\u0301",
    "עברית",
    "日本語",
    "null",
    "",
    " ",
    "  spaced  ",
    "\t\r\n\b\f",
    "_%",
)
# The first and the last moment that Python knows are left out: the driver writes them as infinities.
_YEAR_ONE = datetime(1, 1, 1, 0, 0, 0, 2, tzinfo=UTC)
_YEAR_LAST = datetime(9999, 12, 31, 23, 59, 59, 999_998, tzinfo=UTC)
_BASE = datetime(2026, 3, 29, 1, 59, 59, tzinfo=UTC)
_MICROSECONDS = (0, 0, 0, 1, 10, 120, 500_000, 999_999, 123_456)
_ENDS = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
_MIDDLE = (
    datetime(1, 1, 1, 0, 0, 0, 1, tzinfo=UTC),
    datetime(999, 12, 31, 23, 59, 59, tzinfo=UTC),
    datetime(1582, 10, 10, tzinfo=UTC),
    datetime(1969, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC),
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(2000, 2, 29, 12, tzinfo=UTC),
    datetime(2100, 1, 1, 0, 0, 0, 100_000, tzinfo=UTC),
)
REALS = (0.0, 0.1, 0.25, 1 / 3, 0.5, 0.7, 0.999_999_9, 1e-7, 1.5e-5, 1e-20, 1e-40, 1.0)
"""Shares from 0 to 1 that a `real` column rounds, and that printers spell differently."""


def text(rng: random.Random, pieces: int = 3) -> str:
    """Return up to `pieces` odd pieces joined; never NUL, never half a surrogate pair."""
    chosen = [rng.choice(_PIECES) for _ in range(rng.randint(1, pieces))]
    if rng.random() < 0.2:
        chosen.append(rng.choice(_CONTROLS))
    return rng.choice((" ", "", "-")).join(chosen)


def maybe(rng: random.Random, value: object) -> object:
    """Return `value`, or None in two cases of five."""
    return value if rng.random() < 0.6 else None


def moment(rng: random.Random) -> datetime:
    """Return a moment: mostly one of some fifty in a few days, so that many are equal; some at the edges."""
    kind = rng.random()
    if kind < 0.04:
        return rng.choice((_YEAR_ONE, _YEAR_LAST))
    if kind < 0.12:
        return rng.choice(_MIDDLE)
    return _BASE + timedelta(hours=rng.randint(0, 5), microseconds=rng.choice(_MICROSECONDS))


def edge(rng: random.Random) -> datetime:
    """Return a moment at the ends of the calendar, or beside them; no row has the ends themselves."""
    return rng.choice((_YEAR_ONE, _YEAR_LAST, *_MIDDLE, *_ENDS))


def key(rng: random.Random) -> UUID:
    """Return a UUID that `rng` repeats."""
    return UUID(int=rng.getrandbits(128), version=4)


def color(rng: random.Random) -> str:
    """Return a colour as the tables keep it."""
    return f"#{rng.getrandbits(24):06x}"


def number(rng: random.Random) -> int:
    """Return a number that fits a column of four bytes and GraphQL's Int."""
    return rng.choice((0, 1, 2, rng.randint(0, 5000), 2**31 - 1))
