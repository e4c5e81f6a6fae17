"""What is to be sent on one connection, never more waiting than allowed.

While the transport takes what it is given, nothing waits and there is no writer: a message is sent by whoever has it.
Only when the transport asks for patience does a task begin to write, and ends when it has caught up.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, Protocol

import structlog
from litestar.types import Send

from app.graphql.begun import Begun

log = structlog.get_logger(__name__)

MAX_WAITING_BYTES = 8 * 1024 * 1024
ROOM_MESSAGES, ROOM_BYTES = 16, 1024 * 1024
SEND_SECONDS = 60.0


class Parcel(NamedTuple):
    """An ASGI message and about how many bytes it holds. It may be shared by many connections; do not change it."""

    message: Any
    size: int


class Follower(Protocol):
    """Whose parcels may be dropped when too many wait, because it can say so to its client later."""

    async def excuse(self) -> Parcel | None:
        """Return what tells the client that events were lost; None when it is gone by now."""


class Outbox:
    """Sends parcels in their order.

    `on_trouble` is called with a reason when nothing could be sent for a minute, or when an excuse fails.
    """

    __slots__ = (
        "_behind",
        "_bytes",
        "_is_held",
        "_is_over",
        "_max_messages",
        "_on_trouble",
        "_room",
        "_send",
        "_waiting",
        "_writer",
    )

    def __init__(self, send: Send, *, max_messages: int, on_trouble: Callable[[str], None]) -> None:
        self._send = send
        self._max_messages = max_messages
        self._on_trouble = on_trouble
        self._waiting: deque[tuple[Follower | None, Parcel]] | None = None
        self._behind: list[Follower] | None = None
        self._bytes = 0
        self._writer: asyncio.Task[None] | None = None
        self._room: asyncio.Event | None = None
        self._is_held = False
        self._is_over = False

    def post(self, parcel: Parcel) -> None:
        """Send, or let it wait: for what must arrive and cannot become much."""
        if not self._sent(parcel):
            self._wait(None, parcel)

    def offer(self, follower: Follower, parcel: Parcel) -> bool:
        """Send, or let it wait; false when too much waits already.

        Then everything of this follower that waits is dropped. It must offer nothing more until it is asked for its
        `excuse`, which goes out in front of what is offered after that.
        """
        if self._sent(parcel):
            return True
        if self._waiting and (len(self._waiting) >= self._max_messages or self._bytes > MAX_WAITING_BYTES):
            self._drop(follower)
            self._behind = [*(self._behind or ()), follower]
            return False
        self._wait(follower, parcel)
        return True

    def beat(self, parcel: Parcel) -> None:
        """Send a sign of life, if nothing else is on its way."""
        if self._writer is None and not self._is_held:
            self.post(parcel)

    async def room(self) -> None:
        """Wait until little waits: for those who can hold back what they produce."""
        await self._until_below(ROOM_MESSAGES, ROOM_BYTES)

    async def peace(self) -> None:
        """Wait until not too much waits: for those who answer a client that sends and does not read."""
        await self._until_below(self._max_messages, MAX_WAITING_BYTES)

    def hold(self) -> None:
        """Send nothing until `release`."""
        self._is_held = True

    def release(self) -> None:
        """Send what has waited."""
        self._is_held = False
        if self._writer is None and (self._waiting or self._behind):
            self._writer = asyncio.create_task(self._write(None), name="outbox")

    def finish(self, parcel: Parcel, *, drop: bool) -> None:
        """Send this as the last, behind what waits or instead of it."""
        if self._is_over:
            return
        if drop or self._is_held:
            self._waiting, self._bytes = None, 0
        self._behind = None
        self._is_held = False
        self.post(parcel)
        self._is_over = True
        self._make_room()

    async def stop(self) -> None:
        """Send nothing more."""
        self._is_over = True
        self._waiting = self._behind = None
        self._make_room()
        if self._writer is not None:
            writer, self._writer = self._writer, None
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)

    async def drained(self) -> None:
        """Wait until everything has been sent, or cannot be."""
        if self._writer is not None:
            await asyncio.wait({self._writer})

    def _sent(self, parcel: Parcel) -> bool:
        """Send without waiting if that is possible, or begin to; false when something is in front."""
        if self._is_over:
            return True
        if self._writer is not None or self._is_held:
            return False
        steps = self._send(parcel.message).__await__()
        try:
            waited_for = next(steps)
        except StopIteration:
            return True
        except (OSError, RuntimeError):  # the client is gone; the reader learns of it by itself
            self._is_over = True
            return True
        self._writer = asyncio.create_task(self._write(Begun(steps, waited_for)), name="outbox")
        return True

    def _wait(self, follower: Follower | None, parcel: Parcel) -> None:
        if self._waiting is None:
            self._waiting = deque()
        self._waiting.append((follower, parcel))
        self._bytes += parcel.size

    def _drop(self, follower: Follower) -> None:
        kept = deque(item for item in self._waiting or () if item[0] is not follower)
        self._waiting, self._bytes = kept, sum(parcel.size for _, parcel in kept)

    async def _until_below(self, messages: int, size: int) -> None:
        while self._waiting and not self._is_over and (len(self._waiting) >= messages or self._bytes >= size):
            self._room = self._room or asyncio.Event()
            self._room.clear()
            await self._room.wait()

    def _make_room(self) -> None:
        if self._room is not None:
            self._room.set()

    async def _write(self, begun: Awaitable[None] | None) -> None:
        """Finish what was begun, then send what waits. Ends quietly when the client is gone."""
        trouble = None
        try:
            if begun is not None:
                async with asyncio.timeout(SEND_SECONDS):
                    await begun
            while (parcel := await self._next()) is not None:
                async with asyncio.timeout(SEND_SECONDS):
                    await self._send(parcel.message)
        except TimeoutError:
            trouble = "You read too slowly"
        except (OSError, RuntimeError):
            self._is_over = True
        except Exception:  # a fault of ours must not leave a connection that is silent for ever
            log.exception("outbox.failed")
            trouble = "Internal error"
        self._writer = None
        self._make_room()
        if trouble is not None:
            self._on_trouble(trouble)

    def _may_send(self) -> bool:
        return not self._is_held

    async def _next(self) -> Parcel | None:
        while self._behind and self._may_send():
            parcel = await self._behind.pop(0).excuse()
            if parcel is not None and not self._may_send():  # not any more, since the excuse was asked for
                self._waiting = deque([(None, parcel), *(self._waiting or ())])
                self._bytes += parcel.size
            elif parcel is not None:
                return parcel
        if self._waiting and self._may_send():
            _, parcel = self._waiting.popleft()
            self._bytes -= parcel.size
            self._make_room()
            return parcel
        return None
