"""Connections that stay open: how many each caller has, and whether the session behind them still stands."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import structlog

from kit.bus import Bus
from kit.errors import RateLimited
from services.permissions import Viewer

log = structlog.get_logger(__name__)

RECHECK_SECONDS = 30.0
RETRY_AFTER_SECONDS = 10

# Tells whether the session behind a viewer still opens anything.
StillValid = Callable[[Viewer], Awaitable[bool]]


class Connections:
    """The open connections of this process.

    `session_channel` is the bus channel on which ended sessions are called out by their id.
    """

    def __init__(self, bus: Bus, still_valid: StillValid, *, session_channel: str) -> None:
        self._bus = bus
        self._still_valid = still_valid
        self._channel = session_channel
        self._open: Counter[str] = Counter()

    @contextmanager
    def counted(self, kind: str, key: str, *, limit: int) -> Iterator[None]:
        """Count one connection of `kind` for the caller `key` while the block runs.

        Raises `RateLimited` when the caller has `limit` of them already.
        """
        name = f"{kind} {key}"
        if self._open[name] >= limit:
            raise RateLimited(f"You have {limit} {kind} open already.", retry_after_seconds=RETRY_AFTER_SECONDS)
        self._open[name] += 1
        try:
            yield
        finally:
            self._open[name] -= 1
            if not self._open[name]:
                del self._open[name]

    async def session_end(self, viewer: Viewer) -> None:
        """Return when the viewer's session has ended: told by the bus at once, else found within 30 seconds.

        While the database is away nobody can be told apart, and connections stay as they are.
        """
        async with self._bus.reader(self._channel, str(viewer.session_id)) as ring:
            while True:
                await ring.wait(RECHECK_SECONDS)
                try:
                    if not await self._still_valid(viewer):
                        return
                except Exception as error:  # noqa: BLE001  any failure to ask is no answer
                    log.warning("session.unchecked", session_id=str(viewer.session_id), error=repr(error))
