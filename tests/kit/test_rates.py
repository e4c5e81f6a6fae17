"""Budgets: how much, how fast it comes back, and who hears of it."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.rates.buckets import MAX_KEYS, Buckets
from kit.rates.budgets import Budget, network_of

TEN = Budget("ten", 10, 60.0)
TWO = Budget("two", 2, 60.0)
OFF = Budget("off", 0, 60.0)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.0/24"),
        ("203.0.113.255", "203.0.113.0/24"),
        ("203.0.114.7", "203.0.114.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
        ("::ffff:203.0.113.7", "203.0.113.0/24"),
        ("", ""),
        ("unix", "unix"),
        ("x" * 1_000, "x" * 64),
    ],
)
def test_addresses_count_as_networks(address: str, network: str) -> None:
    assert network_of(address) == network


@given(st.ip_addresses())
def test_every_address_is_in_one_network(address: object) -> None:
    network = network_of(str(address))
    assert network_of(network.partition("/")[0]) == network


def test_all_of_it_at_once_then_evenly() -> None:
    buckets = Buckets()
    assert [buckets.take([(TEN, "a")], 100.0) for _ in range(10)] == [0.0] * 10
    assert buckets.take([(TEN, "a")], 100.0) == pytest.approx(6.0)
    assert buckets.take([(TEN, "a")], 105.0) == pytest.approx(1.0)
    assert buckets.take([(TEN, "a")], 106.1) == 0.0
    assert buckets.take([(TEN, "a")], 106.1) == pytest.approx(5.9)
    assert buckets.take([(TEN, "b")], 106.1) == 0.0
    assert [buckets.take([(TEN, "a")], 1_000.0) for _ in range(10)] == [0.0] * 10


def test_an_amount_of_nothing_is_no_limit() -> None:
    buckets = Buckets()
    assert {buckets.take([(OFF, "a")], 0.0) for _ in range(1_000)} == {0.0}
    assert len(buckets) == 0


def test_of_several_budgets_all_or_nothing() -> None:
    buckets = Buckets()
    assert [buckets.take([(TEN, "a"), (TWO, "n")], 0.0) for _ in range(2)] == [0.0, 0.0]
    assert buckets.take([(TEN, "a"), (TWO, "n")], 0.0) == pytest.approx(30.0)
    assert [buckets.take([(TEN, "a")], 0.0) for _ in range(9)] == [0.0] * 8 + [pytest.approx(6.0)]


@given(st.lists(st.floats(0, 30), max_size=200), st.integers(1, 20))
def test_never_more_than_the_amount_in_any_window(pauses: list[float], amount: int) -> None:
    budget, buckets, now = Budget("any", amount, 60.0), Buckets(), 0.0
    taken = []
    for pause in pauses:
        now += pause
        if buckets.take([(budget, "a")], now) == 0:
            taken.append(now)
    for begin in taken:
        # What comes back during the window may be taken in it as well.
        assert sum(begin <= time < begin + 60 for time in taken) <= 2 * amount


def told(buckets: Buckets, now: float) -> dict[str, float]:
    return {charge.key: round(charge.seconds, 6) for charge in buckets.due(now)}


def test_little_use_concerns_nobody() -> None:
    buckets = Buckets()
    buckets.take([(TEN, "a")], 0.0)
    assert buckets.due(0.0) == []
    buckets.take([(TEN, "a")], 0.0)
    assert told(buckets, 0.0) == {"ten a": 12.0}
    assert buckets.due(0.0) == []


def test_what_has_come_back_is_not_told() -> None:
    buckets = Buckets()
    for _ in range(10):
        buckets.take([(TEN, "a")], 0.0)
    assert told(buckets, 30.0) == {"ten a": 30.0}


def test_what_others_used_counts() -> None:
    buckets = Buckets()
    for _ in range(3):
        buckets.take([(TEN, "a")], 0.0)
    (charge,) = buckets.due(0.0)
    buckets.take([(TEN, "a")], 0.0)  # while the others are told
    buckets.settle(charge.key, 54.0, 0.0)
    assert buckets.take([(TEN, "a")], 0.0) == pytest.approx(6.0)
    buckets.settle("nobody", 54.0, 0.0)
    assert len(buckets) == 1


def test_what_could_not_be_told_is_told_later() -> None:
    buckets = Buckets()
    for _ in range(3):
        buckets.take([(TEN, "a")], 0.0)
    buckets.untold(buckets.due(0.0))
    assert told(buckets, 0.0) == {"ten a": 18.0}


def test_what_is_remembered_is_bounded() -> None:
    buckets = Buckets()
    wait: Counter[float] = Counter()
    for number in range(MAX_KEYS + 100):
        wait[buckets.take([(TWO, str(number))], 0.0)] += 1
    assert (len(buckets), wait) == (MAX_KEYS, {0.0: MAX_KEYS + 100})
