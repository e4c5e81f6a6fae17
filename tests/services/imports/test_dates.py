"""Dates in every unit and spelling that exports use."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.imports.dates import EARLIEST, FUTURE_LEEWAY, parse_date

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MOMENT = datetime(2020, 9, 10, 15, 7, 11, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "1599750431",
        " 1599750431 ",
        "1599750431.25",
        "1599750431000",
        "1599750431000000",
        "1599750431000000000",
        "13244224031000000",
        "132442240310000000",
        "2020-09-10T15:07:11Z",
        "2020-09-10 15:07:11",
        "2020-09-10 15:07:11 UTC",
        "2020-09-10T17:07:11+0200",
        "2020-09-10 17:07:11 +0200",
        "Thu, 10 Sep 2020 17:07:11 +0200",
        "10/Sep/2020:18:07:11 +0300",
        "10/09/2020 15:07:11",
    ],
)
def test_one_moment_in_every_spelling(text: str) -> None:
    assert parse_date(text, NOW) == MOMENT


def test_days_and_fractions() -> None:
    assert parse_date("10/09/2020", NOW) == datetime(2020, 9, 10, tzinfo=UTC)
    assert parse_date("2020/09/10", NOW) == datetime(2020, 9, 10, tzinfo=UTC)
    assert parse_date("1515515697780642", NOW) == datetime(2018, 1, 9, 16, 34, 57, 780642, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["", "0", "-1", "1", "253402300799", "9" * 19, "9" * 100, "soon", "2020-13-45", "31/02/2020", "9999-12-31"]
)
def test_what_no_bookmark_can_have_is_nothing(text: str) -> None:
    assert parse_date(text, NOW) is None


def test_the_future_begins_after_the_leeway() -> None:
    last = NOW + FUTURE_LEEWAY
    assert parse_date(str(int(last.timestamp())), NOW) == last
    assert parse_date(str(int((last + timedelta(seconds=1)).timestamp())), NOW) is None
    assert parse_date(str(int(EARLIEST.timestamp())), NOW) == EARLIEST
    assert parse_date(str(int(EARLIEST.timestamp()) - 1), NOW) is None


@given(st.one_of(st.text(), st.from_regex(r"[0-9:/ +\-TZ.]{1,40}"), st.integers().map(str)))
def test_any_text_is_a_believable_date_or_none(text: str) -> None:
    moment = parse_date(text, NOW)
    assert moment is None or (EARLIEST <= moment <= NOW + FUTURE_LEEWAY and moment.utcoffset() == timedelta(0))
