"""The latest events of a broadcast, as they were sent."""

from collections import deque
from collections.abc import Iterator

MAX_EVENTS, MAX_BYTES = 64, 64 * 1024


class Tail:
    """Holds every event behind number `floor`, but at most 64 of them and 64 KiB; `floor` moves along.

    `floor` is None until it is known from where the events are complete.
    """

    __slots__ = ("_bytes", "_events", "floor")

    def __init__(self, floor: int | None) -> None:
        self.floor = floor
        self._events: deque[tuple[int, bytes]] = deque()
        self._bytes = 0

    def begin(self, seq: int) -> None:
        """Note that events are complete behind `seq`, unless that is known already."""
        if self.floor is None:
            self.floor = seq

    def add(self, seq: int, body: bytes) -> None:
        """Hold one event more, the latest."""
        self.begin(seq - 1)  # the first since it began
        self._events.append((seq, body))
        self._bytes += len(body)
        while len(self._events) > MAX_EVENTS or self._bytes > MAX_BYTES:
            self.floor, forgotten = self._events.popleft()
            self._bytes -= len(forgotten)

    def reaches(self, seq: int) -> bool:
        """Tell whether everything behind `seq` is still here."""
        return self.floor is not None and seq >= self.floor

    def behind(self, seq: int) -> Iterator[bytes]:
        """Yield what came behind `seq`, in order."""
        return (body for number, body in self._events if number > seq)
