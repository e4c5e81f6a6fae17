"""Measuring side by side: candidates take turns in shuffled order, and only their ratio is judged.

A machine that does other work as well slows all candidates of a round alike, so the ratio of medians says more than
any absolute time.
"""

import asyncio
import gc
import statistics
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from time import perf_counter
from typing import Any, Final

Work = Callable[[], Awaitable[object]]
_PERCENT_95: Final = 0.95


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for. `quick` means a tenth of the data and few rounds: to try the benchmarks, not to judge by."""

    quick: bool = False
    seed: int = 1
    peers: bool = True

    @property
    def library(self) -> int:
        """Bookmarks of an ordinary large account."""
        return 10_000 if self.quick else 100_000

    @property
    def huge(self) -> int:
        """Bookmarks of the largest account that is promised anything."""
        return 100_000 if self.quick else 1_000_000

    @property
    def rounds(self) -> int:
        """How often each candidate has its turn."""
        return 10 if self.quick else 40


@dataclass(frozen=True, slots=True)
class Samples:
    """What one candidate took, in `unit`, one value a round."""

    values: Sequence[float]
    unit: str = "ms"

    @property
    def median(self) -> float:
        """The value that half of the rounds stay below."""
        return statistics.median(self.values)

    @property
    def p95(self) -> float:
        """The value that 95 % of the rounds stay below or meet."""
        ordered = sorted(self.values)
        return ordered[min(len(ordered) - 1, int(_PERCENT_95 * len(ordered)))]


@dataclass(frozen=True, slots=True)
class Goal:
    """What a ratio should be: at most (`is_upper`) or at least `bound`."""

    bound: float
    is_upper: bool = True

    def met_by(self, ratio: float) -> bool:
        """Tell whether a ratio is good enough."""
        return ratio <= self.bound if self.is_upper else ratio >= self.bound

    def __str__(self) -> str:
        sign = "≤" if self.is_upper else "≥"
        return f"{sign} {self.bound:g}"


@dataclass(frozen=True, slots=True)
class Finding:
    """One row of the table. Without `ratio` it is information, or tells in `note` why there is none."""

    group: str
    what: str
    samples: Samples | None = None
    ratio: float | None = None
    against: str = ""
    goal: Goal | None = None
    note: str = ""

    @property
    def verdict(self) -> str:
        """`met`, `missed`, or a dash where nothing was promised or nothing could be measured."""
        if self.goal is None or self.ratio is None:
            return "-"
        return "met" if self.goal.met_by(self.ratio) else "missed"

    def as_json(self) -> dict[str, Any]:
        """Return the finding for the file of results."""
        return {
            "group": self.group,
            "what": self.what,
            "n": len(self.samples.values) if self.samples else 0,
            "median": self.samples.median if self.samples else None,
            "p95": self.samples.p95 if self.samples else None,
            "unit": self.samples.unit if self.samples else None,
            "ratio": self.ratio,
            "against": self.against,
            "goal": str(self.goal) if self.goal else None,
            "verdict": self.verdict,
            "note": self.note,
        }


@dataclass
class Findings:
    """Collects the rows of one group."""

    group: str
    rows: list[Finding] = field(default_factory=list)

    def note(self, what: str, why: str) -> None:
        """Say why something was not measured."""
        self.rows.append(Finding(self.group, what, note=why))

    def plain(self, what: str, samples: Samples, note: str = "") -> None:
        """Add a row that is judged by nothing."""
        self.rows.append(Finding(self.group, what, samples, note=note))

    def against(
        self, what: str, samples: Samples, other: str, baseline: Samples, goal: Goal | None = None, *, p95: bool = False
    ) -> None:
        """Add a row with the ratio of medians (or of 95th percentiles) of `samples` to `baseline`."""
        ratio = samples.p95 / baseline.p95 if p95 else samples.median / baseline.median
        self.rows.append(Finding(self.group, what, samples, ratio, other, goal))

    def ratio(self, what: str, ratio: float, other: str, goal: Goal | None = None, note: str = "") -> None:
        """Add a ratio that was computed from something else than two sets of samples."""
        self.rows.append(Finding(self.group, what, None, ratio, other, goal, note))


async def take_turns(
    works: Mapping[str, Work], *, rounds: int, seed: int, warm_up: int = 2, budget_seconds: float = 120
) -> dict[str, Samples]:
    """Run each of `works` once a round, in shuffled order, and return how many milliseconds each took.

    The first `warm_up` rounds do not count. Ends after `rounds`, or early (never before three rounds counted) when
    `budget_seconds` are over.
    """
    random = Random(seed)  # noqa: S311  an order, not a secret
    taken: dict[str, list[float]] = {name: [] for name in works}
    began = perf_counter()
    enough = warm_up + 3
    for number in range(warm_up + rounds):
        if number >= enough and perf_counter() - began > budget_seconds:
            break
        for name in random.sample(list(works), len(works)):
            gc.collect()
            started = perf_counter()
            await works[name]()
            if number >= warm_up:
                taken[name].append((perf_counter() - started) * 1000)
        await asyncio.sleep(0)
    return {name: Samples(values) for name, values in taken.items()}
