"""`make fuzz-executor`: many random operations through both executors; fails when any two answers differ."""

import argparse
import asyncio
import logging
import random
import secrets
import sys
import time
import warnings
from dataclasses import dataclass, field

import structlog

from tests.executor.compare import Answers, Oracle, Source
from tests.executor.laboratory import oracle_on, services_of_own
from tests.executor.operations import Case
from tests.executor.shrink import shrink
from tests.executor.watched import failures, shares

OPERATIONS = 20_000
PER_WORLD = 2_500
"""After so many operations the data are made anew."""
MAX_DIFFERENCES = 5
_PROGRESS_SECONDS = 10.0


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


@dataclass
class Run:
    """One run: how many operations, from which seed, and what came of it."""

    count: int
    seed: int
    done: int = 0
    started: float = field(default_factory=time.monotonic)
    shown: float = field(default_factory=time.monotonic)
    differences: list[Answers] = field(default_factory=list)

    async def go(self) -> None:
        """Compare until enough was asked or too much differs."""
        async with services_of_own() as services:
            number = 0
            while self.done < self.count and len(self.differences) < MAX_DIFFERENCES:
                seed = self.seed + number
                oracle = await oracle_on(services, seed)
                await self._world(oracle, seed)
                number += 1

    async def _world(self, oracle: Oracle, seed: int) -> None:
        source = Source(random.Random(seed), oracle)
        end = min(self.done + PER_WORLD, self.count)
        before = self.done
        while self.done < end and len(self.differences) < MAX_DIFFERENCES:
            for difference in await source.batch():
                await self._report(difference, oracle, seed)
            self.done = before + oracle.counts["operations"]
            self._progress()
        self._summary(oracle, seed)

    async def _report(self, difference: Answers, oracle: Oracle, seed: int) -> None:
        async def differs(case: Case) -> bool:
            return not (await oracle.ask(case)).is_equal

        self.differences.append(difference)
        say(f"\nDIFFERENCE {len(self.differences)}, seed {seed}, {difference}")
        smallest = await shrink(difference.case, differs)
        say(f"\nshrunk: {await oracle.ask(smallest)}\n")

    def _progress(self) -> None:
        now = time.monotonic()
        if now - self.shown > _PROGRESS_SECONDS:
            self.shown = now
            rate = self.done / (now - self.started)
            say(f"{self.done:>7,} operations, {rate:.0f}/s, {len(self.differences)} differences")

    def _summary(self, oracle: Oracle, seed: int) -> None:
        told = ", ".join(f"{name} {number:,}" for name, number in oracle.counts.most_common())
        say(f"world {seed}: {told}")


def main() -> int:
    """Run; the exit code says whether anything differed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=OPERATIONS, help="how many operations")
    parser.add_argument("--seed", type=int, default=None, help="repeat a run")
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    # graphql-core leaves what it has not begun when a sibling fails; each would be told here, and none matters.
    sys.unraisablehook = lambda _: None
    warnings.filterwarnings("ignore", "coroutine .* was never awaited", RuntimeWarning)
    seed = secrets.randbelow(10**9) if given.seed is None else given.seed
    say(f"seed {seed}, {given.count:,} operations")
    run = Run(given.count, seed)
    asyncio.run(run.go())
    seconds = time.monotonic() - run.started
    say(f"{run.done:,} operations in {seconds:.0f} s, seed {seed}, {len(run.differences)} differences")
    say("\n".join(shares()))
    for name, number in failures().items():
        say(f"{name}: {number:,} times; the resolvers answered instead")
    return 1 if run.differences or failures() else 0


if __name__ == "__main__":
    sys.exit(main())
