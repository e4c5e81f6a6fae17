"""Going on with an awaitable whose first step was taken by hand.

Most of what a request waits for is there already: a small body, room to send. The first step shows it, and then neither
a timer nor a task is needed.
"""

from collections.abc import Generator
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Begun(Generic[T]):
    """An awaitable that has made the first of its `steps`, which gave `waited_for`.

    Whoever awaits it stands in for it to the end: what comes, an error or a cancellation, is handed on.
    """

    __slots__ = ("_steps", "_waited_for")

    def __init__(self, steps: Generator[Any, Any, T], waited_for: Any) -> None:
        self._steps = steps
        self._waited_for = waited_for

    def __await__(self) -> Generator[Any, Any, T]:
        """Take the other steps."""
        steps, waited_for = self._steps, self._waited_for
        while True:
            sent = failed = None
            try:
                sent = yield waited_for
            except BaseException as error:  # noqa: BLE001  a cancellation too is for the awaitable to hear of
                failed = error
            try:
                waited_for = steps.send(sent) if failed is None else steps.throw(failed)
            except StopIteration as done:
                return done.value  # type: ignore[no-any-return]  # what a generator returns is untyped here
