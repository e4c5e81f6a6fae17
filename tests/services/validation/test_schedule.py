"""When a link is checked again."""

from datetime import UTC, datetime, timedelta

import pytest

from kit.settings import Settings
from services.validation.schedule import intervals_of, next_check
from services.validation.states import Verdict
from services.validation.verdicts import Standing

NOW = datetime(2026, 1, 1, tzinfo=UTC)
INTERVALS = intervals_of(Settings())


@pytest.mark.parametrize(
    ("standing", "days"),
    [
        (Standing(Verdict.ALIVE, streak=1), 7),
        (Standing(Verdict.ALIVE, streak=2), 14),
        (Standing(Verdict.ALIVE, streak=3), 28),
        (Standing(Verdict.ALIVE, streak=4), 30),
        (Standing(Verdict.ALIVE, streak=10_000), 30),
        (Standing(Verdict.SUSPECT, failures=1), 3),
        (Standing(Verdict.SUSPECT, failures=9), 3),
        (Standing(Verdict.INCONCLUSIVE, failures=1), 3),
        (Standing(Verdict.INCONCLUSIVE, failures=3), 12),
        (Standing(Verdict.INCONCLUSIVE, failures=4), 14),
        (Standing(Verdict.DEAD, failures=3), 30),
    ],
)
def test_the_surer_the_later(standing: Standing, days: int) -> None:
    assert next_check(standing, INTERVALS, NOW, chance=0.0) == NOW + timedelta(days=days)
    assert next_check(standing, INTERVALS, NOW, chance=1.0) == NOW + timedelta(days=days * 1.1)


def test_never_before_the_server_allows() -> None:
    later = NOW + timedelta(days=5)
    standing = Standing(Verdict.INCONCLUSIVE, failures=1)
    assert next_check(standing, INTERVALS, NOW, chance=0.0, retry_at=later) == later
    assert next_check(standing, INTERVALS, NOW, chance=0.0, retry_at=NOW) == NOW + timedelta(days=3)
