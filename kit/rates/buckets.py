"""What is used of budgets, as one process knows it: decided at once, without asking anybody.

Whoever uses little is never told to others. What of a budget is used up beyond an eighth is handed to whoever shares
it (`due`), and what all processes have used comes back (`settle`). So several processes together give away at most an
eighth of a budget for each of them, and what they use within one round, more than it has.
"""

from collections import OrderedDict
from collections.abc import Sequence

from kit.rates.budgets import Budget, Charge

MAX_KEYS = 20_000
SHARED_FROM = 1 / 8


class _Bucket:
    """Until when a budget is used up by a clock that only goes on, and what of that others do not know, in seconds."""

    __slots__ = ("span", "unshared", "used_until")

    def __init__(self, span: float) -> None:
        self.span = span
        self.used_until = 0.0
        self.unshared = 0.0


class Buckets:
    """The budgets of this process, at most `MAX_KEYS`: beyond that those are forgotten that were asked for longest ago.

    `now` is always seconds of one clock that only goes on.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[str, _Bucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def take(self, wanted: Sequence[tuple[Budget, str]], now: float) -> float:
        """Take one unit from each of the budgets, or nothing; return 0, or how many seconds to wait."""
        buckets = [(budget, self._bucket(budget, subject)) for budget, subject in wanted if budget.amount]
        wait = 0.0
        for budget, bucket in buckets:
            used = max(bucket.used_until - now, 0.0) + budget.interval
            wait = max(wait, used - budget.seconds)
        if wait > 0:
            return wait
        for budget, bucket in buckets:
            bucket.used_until = max(bucket.used_until, now) + budget.interval
            bucket.unshared += budget.interval
        return 0.0

    def due(self, now: float) -> list[Charge]:
        """Return what others should know, and count it as told; the names are in order."""
        charges = []
        for key, bucket in self._known.items():
            used = bucket.used_until - now
            bucket.unshared = min(bucket.unshared, max(used, 0.0))  # what has come back meanwhile concerns nobody
            if bucket.unshared and used > bucket.span * SHARED_FROM:
                charges.append(Charge(key, bucket.unshared))
                bucket.unshared = 0.0
        return sorted(charges, key=lambda charge: charge.key)

    def settle(self, key: str, used: float, now: float) -> None:
        """Note that all processes together have used `used` seconds of a budget, all that was told included."""
        bucket = self._known.get(key)
        if bucket is not None:
            bucket.used_until = now + used + bucket.unshared

    def untold(self, charges: Sequence[Charge]) -> None:
        """Take back what nobody could be told."""
        for charge in charges:
            bucket = self._known.get(charge.key)
            if bucket is not None:
                bucket.unshared += charge.seconds

    def _bucket(self, budget: Budget, subject: str) -> _Bucket:
        key = f"{budget.name} {subject}"
        bucket = self._known.get(key)
        if bucket is None:
            bucket = self._known[key] = _Bucket(budget.seconds)
            if len(self._known) > MAX_KEYS:
                self._known.popitem(last=False)
        else:
            self._known.move_to_end(key)
        return bucket
