"""What was asked of the local web, and how politely."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import Any


@dataclass(frozen=True)
class Asked:
    """A request. `at` is in seconds of a clock that only goes forward; `in_flight` counts those of the same host."""

    host: str
    method: str
    target: str
    at: float
    in_flight: int
    headers: dict[str, str] = field(default_factory=dict)


class Journal:
    """Every request in the order of their coming."""

    def __init__(self, asked: Iterable[Asked] = ()) -> None:
        self.asked = list(asked)

    def of(self, host: str) -> list[Asked]:
        """Return the requests to one host."""
        return [one for one in self.asked if one.host == host]

    def count(self, method: str | None = None) -> int:
        """Return how many requests there were, all or those of one method."""
        return sum(method in {None, one.method} for one in self.asked)

    def times(self) -> Counter[tuple[str, str, str]]:
        """Return how often each host was asked for each target by each method."""
        return Counter((one.host, one.method, one.target) for one in self.asked)

    def most_in_flight(self) -> int:
        """Return the most requests that one host had at once."""
        return max((one.in_flight for one in self.asked), default=0)

    def shortest_gap_seconds(self) -> float:
        """Return the least time between two requests to one host; infinite when no host was asked twice."""
        moments: defaultdict[str, list[float]] = defaultdict(list)
        for one in self.asked:
            moments[one.host].append(one.at)
        gaps = [second - first for found in moments.values() for first, second in pairwise(found)]
        return min(gaps, default=float("inf"))

    def clear(self) -> None:
        """Forget everything."""
        self.asked.clear()

    def as_json(self) -> list[dict[str, Any]]:
        """Return the requests as plain values."""
        return [asdict(one) for one in self.asked]
