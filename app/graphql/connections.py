"""Connections that stay open: how many each caller has."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from kit.errors import RateLimited

RETRY_AFTER_SECONDS = 10


class Connections:
    """The open connections of this process, counted."""

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()

    @contextmanager
    def counted(self, kind: str, key: str, *, limit: int) -> Iterator[None]:
        """Count one connection of `kind` for the caller `key` while the block runs. Raises as `admit` does."""
        name = self.admit(kind, key, limit=limit)
        try:
            yield
        finally:
            self.leave(name)

    def admit(self, kind: str, key: str, *, limit: int) -> str:
        """Count one connection of `kind` for the caller `key`; return what `leave` takes.

        Raises `RateLimited` when the caller has `limit` of them already.
        """
        name = f"{kind} {key}"
        if self._open[name] >= limit:
            raise RateLimited(f"You have {limit} {kind} open already.", retry_after_seconds=RETRY_AFTER_SECONDS)
        self._open[name] += 1
        return name

    def leave(self, name: str) -> None:
        """Count one connection less."""
        self._open[name] -= 1
        if not self._open[name]:
            del self._open[name]
