"""Whether the session or API key behind a live connection still stands: asked once for all its connections here.

A key is a session to this module.

A session that is ended is called out on the bus, on the same connection of PostgreSQL as events and in the order of
their transactions. From that moment its connections are held: nothing leaves them until the database has said whether
it stands. So an event that happened after a session's end does not reach it. When the session expires by itself, and
every 30 seconds in any case, the database is asked too; while the bus does not listen, before each event.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol
from uuid import UUID

import structlog

from app.graphql.tasks import cancelled
from kit.bus import Bus
from services.permissions import Viewer

log = structlog.get_logger(__name__)

RECHECK_SECONDS = 30.0
RETRY_SECONDS = 1.0
TOUCH_SECONDS = 60.0

# Gives for how many seconds the session of a viewer opens something if nobody ends it; 0 when it does not any more.
SecondsLeft = Callable[[Viewer], Awaitable[float]]
# Notes that the session of a viewer is in use.
Touch = Callable[[Viewer], Awaitable[None]]


class Watcher(Protocol):
    """A live connection of a session."""

    def hold(self) -> None:
        """Send nothing until `release`: it is not known whether the session stands."""

    def release(self) -> None:
        """Send what has waited: the session stands."""

    def session_ended(self) -> None:
        """Send nothing more: the session has ended. Called once."""


class Standings:
    """The sessions behind the live connections of this process.

    `session_channel` is the bus channel on which ended sessions are called out by their id.
    """

    def __init__(self, bus: Bus, seconds_left: SecondsLeft, touch: Touch, *, session_channel: str) -> None:
        self._bus = bus
        self._touch = touch
        self._seconds_left = seconds_left
        self._channel = session_channel
        self._sessions: dict[UUID, _Session] = {}
        self._ending: set[asyncio.Task[None]] = set()

    def watch(self, viewer: Viewer | None, watcher: Watcher) -> None:
        """Tell `watcher` how the session of `viewer` stands, until `leave`; nothing without a session."""
        key = None if viewer is None else viewer.credential_id
        if viewer is None or key is None:
            return
        session = self._sessions.get(key)
        if session is None:
            session = self._sessions[key] = _Session(viewer, key, self._seconds_left)
            session.task = asyncio.create_task(self._guard(session), name="session-guard")
        session.watchers.add(watcher)
        if session.is_held:
            watcher.hold()

    def leave(self, viewer: Viewer | None, watcher: Watcher) -> None:
        """Tell `watcher` nothing more."""
        session = self._of(viewer)
        if session is None:
            return
        session.watchers.discard(watcher)
        if not session.watchers and session.task is not None:
            del self._sessions[session.key]
            session.task.cancel()
            self._keep(session.task)

    def used(self, viewer: Viewer | None) -> None:
        """Note that somebody asks for something over a connection, which keeps their session from idling away.

        At most once a minute, and in the background: who asks does not wait for it.
        """
        session, now = self._of(viewer), time.monotonic()
        if session is not None and now - session.touched_at >= TOUCH_SECONDS:
            session.touched_at = now
            self._keep(asyncio.create_task(self._note_use(session.viewer), name="session-touch"))

    async def confirm(self, viewers: Iterable[Viewer | None]) -> None:
        """While the bus does not listen, and so tells of no end, ask about the sessions of `viewers` now."""
        if self._bus.ready.is_set():
            return
        asked = {viewer.credential_id for viewer in viewers if viewer is not None}
        sessions = [session for key in asked if key is not None and (session := self._sessions.get(key)) is not None]
        await asyncio.gather(*(session.ask() for session in sessions))

    async def stop(self) -> None:
        """Leave no task behind."""
        tasks = [session.task for session in self._sessions.values() if session.task is not None]
        self._sessions.clear()
        await cancelled(*tasks, *self._ending)

    def _of(self, viewer: Viewer | None) -> "_Session | None":
        key = None if viewer is None else viewer.credential_id
        return None if key is None else self._sessions.get(key)

    def _keep(self, task: asyncio.Task[None]) -> None:
        """Have `stop` wait for a task that is on its way."""
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def _note_use(self, viewer: Viewer) -> None:
        try:
            await self._touch(viewer)
        except Exception as error:  # noqa: BLE001  the next use notes it
            log.warning("session.untouched", session_id=str(viewer.credential_id), error=repr(error))

    async def _guard(self, session: "_Session") -> None:
        """Ask at once, because it may have ended while it was being connected; then whenever there is a reason."""
        async with self._bus.reader(self._channel, str(session.key)) as ring:
            while await session.ask():
                if await ring.wait(session.patience()) or session.is_expired():
                    session.hold()
        if self._sessions.get(session.key) is session:
            del self._sessions[session.key]


class _Session:
    """One session and its connections."""

    __slots__ = ("_seconds_left", "_until", "is_held", "key", "task", "touched_at", "viewer", "watchers")

    def __init__(self, viewer: Viewer, key: UUID, seconds_left: SecondsLeft) -> None:
        self.viewer = viewer
        self.key = key
        self.touched_at = time.monotonic()  # whoever connects has just been looked up, which notes it
        self.watchers: set[Watcher] = set()
        self.task: asyncio.Task[None] | None = None
        self.is_held = False
        self._seconds_left = seconds_left
        self._until = math.inf

    def patience(self) -> float:
        """Return for how long nobody has to ask again, in seconds."""
        return RETRY_SECONDS if self.is_held else min(RECHECK_SECONDS, max(0.0, self._until - time.monotonic()))

    def is_expired(self) -> bool:
        """Tell whether it has expired, unless it was used meanwhile."""
        return time.monotonic() >= self._until

    def hold(self) -> None:
        """Let nothing out."""
        self.is_held = True
        for watcher in tuple(self.watchers):
            watcher.hold()

    async def ask(self) -> bool:
        """Ask the database and tell the connections; false when the session has ended.

        When it cannot be asked they stay as they are: held, if there was a reason to ask.
        """
        try:
            left = await self._seconds_left(self.viewer)
        except Exception as error:  # noqa: BLE001  any failure to ask is no answer
            log.warning("session.unchecked", session_id=str(self.key), error=repr(error))
            return True
        watchers = tuple(self.watchers)
        if left <= 0:
            self.watchers.clear()
            for watcher in watchers:
                watcher.session_ended()
            return False
        self._until = time.monotonic() + left
        if self.is_held:
            self.is_held = False
            for watcher in watchers:
                watcher.release()
        return True
