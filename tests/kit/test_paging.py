"""Cursors and page requests."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.errors import BadInput
from kit.paging import decode_cursor, encode_cursor, page_request

KINDS = (datetime, str, int, UUID)
TIMES = st.datetimes(timezones=st.just(UTC), min_value=datetime(1970, 1, 1), max_value=datetime(9999, 1, 1))  # noqa: DTZ001  hypothesis wants naive bounds
VALUES = st.tuples(
    TIMES,
    st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    st.integers(-(2**53), 2**53),
    st.uuids(),
)


@given(VALUES)
def test_a_cursor_says_what_it_was_made_of(values: tuple[datetime, str, int, UUID]) -> None:
    assert decode_cursor("order", encode_cursor("order", values), KINDS) == values


@given(VALUES, st.data())
def test_a_changed_character_is_refused(values: tuple[datetime, str, int, UUID], data: st.DataObject) -> None:
    good = encode_cursor("order", values)
    position = data.draw(st.integers(0, len(good) - 2))  # the last character may carry bits that nothing reads
    other = data.draw(st.sampled_from("ABCxyz019-_").filter(lambda letter: letter != good[position]))
    with pytest.raises(BadInput):
        decode_cursor("order", good[:position] + other + good[position + 1 :], KINDS)


@given(st.text())
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        decode_cursor("order", text, KINDS)


def test_a_cursor_of_another_order_is_refused() -> None:
    with pytest.raises(BadInput, match="another order"):
        decode_cursor("title", encode_cursor("added", (1,)), (int,))
    with pytest.raises(BadInput, match="another order"):
        decode_cursor("added", encode_cursor("added", (1,)), (int, UUID))


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999-14:00"])
def test_a_time_that_lies_outside_the_calendar_in_utc_is_refused(moment: str) -> None:
    with pytest.raises(BadInput):
        decode_cursor("added", encode_cursor("added", (moment,)), (datetime,))


@pytest.mark.parametrize(
    ("arguments", "limit", "backward"),
    [({}, 20, False), ({"first": 1}, 1, False), ({"first": 100}, 100, False), ({"last": 7}, 7, True)],
)
def test_page_sizes(arguments: dict[str, int], limit: int, backward: bool) -> None:
    request = page_request("o", (int,), **arguments)  # type: ignore[arg-type]  # only the counts are given here
    assert (request.limit, request.backward, request.position) == (limit, backward, None)


CURSOR = encode_cursor("o", (5,))


@pytest.mark.parametrize(
    "arguments",
    [
        {"first": 0},
        {"first": 101},
        {"last": -1},
        {"first": 1, "last": 1},
        {"after": CURSOR, "before": CURSOR},
        {"first": 1, "before": CURSOR},
        {"last": 1, "after": CURSOR},
        {"after": "nonsense"},
        {"after": encode_cursor("o", ("text",)) + "x"},
    ],
)
def test_arguments_that_do_not_go_together_are_refused(arguments: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        page_request("o", (int,), **arguments)  # type: ignore[arg-type]  # wrong on purpose


def test_before_reads_backward() -> None:
    request = page_request("o", (int,), before=CURSOR)
    assert (request.limit, request.backward, request.position) == (20, True, (5,))
