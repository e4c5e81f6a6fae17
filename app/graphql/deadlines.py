"""Ends what takes too long, with one timer for all requests that run at the same time.

`asyncio.timeout` sets and clears a timer of the event loop for each request; under uvloop that took a quarter of the
time of a small query. Nearly every request ends long before its deadline, and all have the same number of seconds, so
the first to begin is the first to be late: one timer for the oldest does.
"""

import asyncio
from types import TracebackType
from typing import Self


class Deadlines:
    """Gives each block of code `seconds`, as `asyncio.timeout(seconds)` does. One for each kind of request."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._running: dict[Deadline, None] = {}  # in the order in which they began
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def deadline(self) -> "Deadline":
        """Return a context manager that cancels its block when it is late and turns that into `TimeoutError`."""
        return Deadline(self)

    def begin(self, deadline: "Deadline") -> None:
        """Watch a block."""
        loop = asyncio.get_running_loop()
        deadline.ends_at = loop.time() + self._seconds
        self._running[deadline] = None
        if self._timer is None or self._loop is not loop:
            self._loop, self._timer = loop, loop.call_at(deadline.ends_at, self._look)

    def end(self, deadline: "Deadline") -> None:
        """Watch a block no more."""
        self._running.pop(deadline, None)

    def _look(self) -> None:
        """Cancel who is late, and come again when the next would be."""
        loop = asyncio.get_running_loop()
        now, self._timer = loop.time(), None
        for deadline in list(self._running):
            if deadline.ends_at > now:
                self._timer = loop.call_at(deadline.ends_at, self._look)
                return
            self.end(deadline)
            deadline.cancel()


class Deadline:
    """The deadline of one block of one task."""

    __slots__ = ("_all", "_cancelling", "_task", "ends_at", "is_over")

    def __init__(self, deadlines: Deadlines) -> None:
        self._all = deadlines
        self.is_over = False
        self.ends_at = 0.0

    def __enter__(self) -> Self:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  requests run in tasks
        self._task, self._cancelling = task, task.cancelling()
        self._all.begin(self)
        return self

    def cancel(self) -> None:
        """Stop the block."""
        self.is_over = True
        self._task.cancel()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._all.end(self)
        # As in asyncio.timeout: somebody else may have cancelled the task too, and then it has to stay cancelled.
        if self.is_over and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error
