"""A circuit breaker: who does not answer is left alone for a while, then tried with one question."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum

from kit.ai.provider import BadAnswer, ProviderBusy, ProviderDown


class Circuit(StrEnum):
    """Closed: questions pass. Open: none does. Half open: one may, and decides."""

    CLOSED = "CLOSED"
    OPEN = "OPEN"
    HALF_OPEN = "HALF_OPEN"


class Breaker:
    """Opens after `failures` failures in a row, for `pause_seconds`. One per provider and process; not for threads.

    `opened` counts how often it opened, `refused` how many questions it kept back.
    """

    def __init__(self, *, failures: int, pause_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = failures
        self._pause = pause_seconds
        self._clock = clock
        self._failed = 0
        self._until: float | None = None
        self._is_probing = False
        self.opened = 0
        self.refused = 0

    @property
    def state(self) -> Circuit:
        """Where it stands now."""
        if self._until is None:
            return Circuit.CLOSED
        return Circuit.OPEN if self._clock() < self._until else Circuit.HALF_OPEN

    @property
    def wait_seconds(self) -> int:
        """After how long it makes sense to ask again: when it closes, or the pause that another failure would bring."""
        left = self._pause if self._until is None else self._until - self._clock()
        return max(1, math.ceil(left))

    @contextmanager
    def guarding(self) -> Iterator[None]:
        """Let a question pass or raise `ProviderDown`. A block that ends in `ProviderDown` failed.

        An unusable answer and a request for patience are answers too. One that is cancelled, or ends in another error,
        says nothing about the provider: the next may try.
        """
        probing = self._admit()
        try:
            yield
        except ProviderDown:
            self._count_failure()
            raise
        except (BadAnswer, ProviderBusy):
            self._count_answer()
            raise
        else:
            self._count_answer()
        finally:
            if probing:
                self._is_probing = False

    def _admit(self) -> bool:
        """Raise unless a question may be asked; return whether it is the one that decides."""
        state = self.state
        if state is Circuit.CLOSED:
            return False
        if state is Circuit.OPEN or self._is_probing:
            self.refused += 1
            raise ProviderDown(
                f"The AI server did not answer several times in a row; it is asked again in {self.wait_seconds} s.",
                retry_after_seconds=self.wait_seconds,
            )
        self._is_probing = True
        return True

    def _count_answer(self) -> None:
        self._failed = 0
        self._until = None

    def _count_failure(self) -> None:
        self._failed += 1
        if self._failed >= self._most or self._until is not None:
            if self.state is not Circuit.OPEN:
                self.opened += 1
            self._until = self._clock() + self._pause
