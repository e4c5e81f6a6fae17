"""Times of cron: what is taken, what is refused, and when something was last due; beside pycron, which Taskiq asks."""

from datetime import UTC, datetime, timedelta, timezone

import pycron  # type: ignore[import-untyped]  # it ships no types
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.cron import Cron

NOON = datetime(2026, 3, 4, 12, 0, 30, tzinfo=UTC)  # a Wednesday
AREAS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("* * * * *", "2026-03-04 12:00"),
        ("*/15 8-18/2 * * *", "2026-03-04 12:00"),
        ("1 12 * * *", "2026-03-03 12:01"),
        ("30 3 * * *", "2026-03-04 03:30"),
        ("  5\t23   * * 0 ", "2026-03-01 23:05"),
        ("0 0 1 * *", "2026-03-01 00:00"),
        ("0 0 31 * *", "2026-01-31 00:00"),
        ("0 0 29 2 *", "2024-02-29 00:00"),
        ("0 0 1 * 2", "2026-03-03 00:00"),  # either day
        ("0 0 */2 * 2", "2026-03-03 00:00"),  # both
        ("0,59 0,23 * * *", "2026-03-04 00:59"),
    ],
)
def test_when_something_was_last_due(text: str, due: str) -> None:
    assert Cron.parse(text).last_due(NOON) == datetime.fromisoformat(due).replace(tzinfo=UTC)


def test_a_time_of_another_zone_is_the_same_moment() -> None:
    elsewhere = NOON.astimezone(timezone(timedelta(hours=-13)))
    assert Cron.parse("0 3 * * *").last_due(elsewhere) == datetime(2026, 3, 4, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "* * * *",
        "* * * * * *",
        "@daily",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * * 13 *",
        "* * * * 7",
        "* * * * Mon",
        "*/0 * * * *",
        "5/2 * * * *",
        "9-5 * * * *",
        "1, * * * *",
        "-1 * * * *",
        "1-2-3 * * * *",
        "٣ * * * *",
        "0 0 31 2 *",
        "0 0 30 2 *",
        "0 0 31 4,6,9,11 *",
    ],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no time of cron"):
        Cron.parse(text)


@st.composite
def fields(draw: st.DrawFn, low: int, high: int) -> str:
    first, last = sorted((draw(st.integers(low, high)), draw(st.integers(low, high))))
    step = draw(st.integers(1, 20))
    return draw(st.sampled_from(["*", "*", f"*/{step}", f"{first}", f"{first}-{last}", f"{first}-{last}/{step}"]))


@given(
    st.tuples(*(fields(low, high) for low, high in AREAS)),
    st.datetimes(datetime(2001, 1, 1), datetime(2099, 1, 1)),  # noqa: DTZ001  the strategy wants none; it is added below
)
def test_it_agrees_with_pycron(parts: tuple[str, ...], moment: datetime) -> None:
    text, now = " ".join(parts), moment.replace(tzinfo=UTC)
    try:
        due = Cron.parse(text).last_due(now)
    except ValueError:
        return  # days that no month has
    assert pycron.is_now(text, due)
    assert due <= now
    between = [
        due + timedelta(minutes=minute) for minute in range(1, min(600, int((now - due).total_seconds() // 60) + 1))
    ]
    assert not any(pycron.is_now(text, minute) for minute in between)
