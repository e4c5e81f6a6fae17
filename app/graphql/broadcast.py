"""Events that many follow: read once, executed once, encoded once, and handed to everybody who follows.

A broadcast is one running subscription of one `Audience`. It begins with its first member and ends with its last.
Who begins now joins it as it runs. Who resumes from a cursor catches up alone and joins at a moment when both have
seen the same: everything up to number `n` was given to him, and what the broadcast has given beyond `n` it remembers
still. So a client that was away for a moment only is served from memory, without a statement or an execution.

A member whose connection is too slow loses what waits for it and is told so, by an event of its own selection that
says `resync` and carries the latest cursor, as soon as its connection takes something again.
"""

import asyncio
import contextvars
import os
import time
from contextlib import aclosing
from typing import Any, Protocol

import orjson
import structlog

from app import metrics
from app.graphql.audience import Audience, audience_of
from app.graphql.engine import Answer, Engine, Plan
from app.graphql.errors import INTERNAL_MESSAGE, outcome_of, problem
from app.graphql.outbox import Outbox, Parcel
from app.graphql.standing import Standings
from app.graphql.subscriptions import Stream, Subscriptions
from app.graphql.tail import Tail
from app.graphql.tasks import cancelled
from kit.errors import ErrorCode
from resolvers.context import Context, Services
from services import events
from services.permissions import Viewer

log = structlog.get_logger(__name__)

BREATH = 256
"""After so many deliveries others get a turn."""
MAX_READY, MAX_READY_SECONDS = 8, 0.002
"""So many events, or what takes so long to execute, are delivered together when they happened at once."""
_KIND = "subscription"


class Channel(Protocol):
    """A connection that follows something, as a broadcast sees it."""

    outbox: Outbox
    viewer: Viewer | None

    def next(self, name: str, body: bytes) -> Parcel:
        """Return the message that brings a result to the operation `name`. Equal names make equal messages."""

    def over(self, name: str, answer: Answer | None) -> None:
        """Note that the broadcast has ended, with `answer` if it failed."""


class Membership:
    """One operation that follows a broadcast. Of events up to number `after` it wants to hear nothing."""

    __slots__ = ("_is_behind", "after", "broadcast", "channel", "name")

    def __init__(self, broadcast: "Broadcast", channel: Channel, name: str, after: int) -> None:
        self.broadcast = broadcast
        self.channel = channel
        self.name = name
        self.after = after
        self._is_behind = False

    def deliver(self, parcel: Parcel) -> None:
        """Send a result, unless the connection is behind already."""
        if not self._is_behind and not self.channel.outbox.offer(self, parcel):
            self._is_behind = True

    async def excuse(self) -> Parcel | None:
        """Return the event that says `resync`; everything behind its cursor is delivered again."""
        if self not in self.broadcast.members or self.broadcast.position is None:
            return None
        self._is_behind = False
        self.after = self.broadcast.position
        body = await self.broadcast.missed(self.after)
        return self.channel.next(self.name, body) if self in self.broadcast.members else None

    def cancel(self) -> None:
        """Follow no longer."""
        self.broadcast.leave(self)


class Broadcast:
    """One subscription that runs for all its members.

    Everything up to number `position` has been delivered, the latest of it is in the tail.
    """

    __slots__ = (
        "_home",
        "_missed",
        "_plan",
        "_ready",
        "_stream",
        "_tail",
        "audience",
        "members",
        "position",
        "task",
    )

    def __init__(self, home: "Broadcasts", audience: Audience, plan: Plan, position: int | None) -> None:
        self.audience = audience
        self.members: dict[Membership, None] = {}
        self.position = position
        self.task: asyncio.Task[None] | None = None
        self._home = home
        self._plan = plan  # kept, because the key of the audience names it by its identity
        self._stream: Stream | None = None
        self._missed: tuple[int, asyncio.Task[bytes]] | None = None
        self._ready: list[tuple[int, bytes]] = []
        self._tail = Tail(position)

    def admit(self, channel: Channel, name: str, *, after: int) -> Membership:
        """Let an operation follow from now on."""
        member = Membership(self, channel, name, after)
        self.members[member] = None
        metrics.SUBSCRIPTIONS.inc()
        return member

    def admit_behind(self, channel: Channel, name: str, seq: int, *, is_checked: bool) -> Membership | None:
        """Let an operation follow that has got everything up to `seq`, and give it what came since.

        None when too much came since, or when nobody has seen `seq` here and it is not `is_checked`.
        """
        if self.position is None or not self._tail.reaches(seq) or (seq > self.position and not is_checked):
            return None
        member = self.admit(channel, name, after=max(seq, self.position))
        for body in self._tail.behind(seq):
            member.deliver(channel.next(name, body))
        return member

    def leave(self, member: Membership) -> None:
        """Let an operation go, and end when it was the last."""
        if self._part(member, "ok") and not self.members:
            self._home.end(self)

    async def missed(self, seq: int) -> bytes:
        """Return the body that tells of events lost up to number `seq`, executed once for all who lost them."""
        assert self._stream is not None  # noqa: S101  who is behind has been offered something
        if self._missed is None or self._missed[0] != seq:
            answering = self._stream.answer_to(self.audience.shared.missed(seq))
            self._missed = seq, asyncio.create_task(_encoded(answering), name="broadcast-missed")
        return await asyncio.shield(self._missed[1])

    async def run(self, viewer: Viewer) -> None:
        """Execute and deliver each event until the source ends or everybody has left."""
        request_id = os.urandom(12).hex()
        try:
            self._finish(await self._deliver_all(viewer, request_id))
        except Exception:  # a fault of ours must not leave members behind that wait for ever
            log.exception("broadcast.failed", request_id=request_id)
            self._finish(Answer(problem(INTERNAL_MESSAGE, ErrorCode.INTERNAL, request_id), is_request_error=True))

    async def _deliver_all(self, viewer: Viewer, request_id: str) -> Answer | None:
        """Return what the source ended with, if it failed."""
        services = self._home.services

        def new_context() -> Context:
            return Context(services=services, viewer=viewer, request_id=request_id)

        stream = await self._home.subscriptions.open(self._plan, new_context)
        if isinstance(stream, Answer):
            return stream
        self._stream = stream
        stream.when_quiet(self._quiet)
        async with aclosing(stream.answers()) as answers:
            async for event, answer in answers:
                if event is None or answer.is_request_error:
                    await self._deliver()
                    return answer
                if not self._ready:
                    first = time.monotonic()
                self._ready.append((event.seq, orjson.dumps(answer.body)))
                if len(self._ready) >= MAX_READY or time.monotonic() - first > MAX_READY_SECONDS:
                    await self._deliver()
                if not self.members:
                    break
        return None

    async def _deliver(self) -> None:
        """Give every member what is ready: all of it to one, then to the next, which the network likes best."""
        ready, self._ready = self._ready, []
        if not ready:
            return
        await self._home.standings.confirm(member.channel.viewer for member in self.members)
        for seq, body in ready:
            self._tail.add(seq, body)
        self.position = ready[-1][0]
        parcels: dict[tuple[type, str], list[tuple[int, Parcel]]] = {}  # alike for all of one wire and one id
        breath = 0
        for member in tuple(self.members):
            kind = type(member.channel), member.name
            mine = parcels.get(kind)
            if mine is None:
                mine = parcels[kind] = [(seq, member.channel.next(member.name, body)) for seq, body in ready]
            if member in self.members:
                for seq, parcel in mine:
                    if seq > member.after:
                        member.deliver(parcel)
            breath += len(ready)
            if breath >= BREATH:
                breath = 0
                await asyncio.sleep(0)

    async def _quiet(self, seq: int) -> bool:
        await self._deliver()
        self.position = seq
        self._tail.begin(seq)
        return False

    def _finish(self, answer: Answer | None) -> None:
        self._home.end(self)
        outcome = "ok" if answer is None else outcome_of(answer.body.get("errors"))
        for member in tuple(self.members):
            if self._part(member, outcome):
                member.channel.over(member.name, answer)

    def _part(self, member: Membership, outcome: str) -> bool:
        """Strike a member off; false when it has left already."""
        if member not in self.members:
            return False
        del self.members[member]
        metrics.SUBSCRIPTIONS.dec()
        metrics.operation_done(_KIND, outcome, None)
        return True


class Broadcasts:
    """The broadcasts of this process."""

    def __init__(self, engine: Engine, subscriptions: Subscriptions, services: Services, standings: Standings) -> None:
        self.subscriptions = subscriptions
        self.services = services
        self.standings = standings
        self._engine = engine
        self._running: dict[tuple[Any, ...], Broadcast] = {}
        self._ending: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._running)

    def audience(self, plan: Plan, viewer: Viewer | None) -> Audience | None:
        """Return with whom a subscription can be shared; None when it is one for itself."""
        return audience_of(plan, viewer, self._engine.documents.schema)

    def join(self, audience: Audience, plan: Plan, channel: Channel, name: str) -> Membership | None:
        """Follow from now on, or from the cursor of the audience; None when that is too far back for now."""
        found = self._running.get(audience.key)
        if audience.after is None:
            found = found or self._begin(audience, plan, channel.viewer, None)
            return found.admit(channel, name, after=-1)
        if found is None:
            return None
        return found.admit_behind(channel, name, events.seq_of(audience.after), is_checked=False)

    def join_behind(self, audience: Audience, plan: Plan, channel: Channel, name: str, seq: int) -> Membership | None:
        """Follow behind number `seq`, up to which the caller has got everything. None when it has to catch up more."""
        found = self._running.get(audience.key)
        if found is None:
            found = self._begin(audience, audience.plan_behind(plan, seq), channel.viewer, seq)
        return found.admit_behind(channel, name, seq, is_checked=True)

    def end(self, broadcast: Broadcast) -> None:
        """Forget a broadcast and stop it; who comes later begins another."""
        if self._running.get(broadcast.audience.key) is broadcast:
            del self._running[broadcast.audience.key]
        if broadcast.task is not None and broadcast.task is not asyncio.current_task():
            broadcast.task.cancel()

    async def stop(self) -> None:
        """Leave no task behind."""
        await cancelled(*self._ending)

    def _begin(self, audience: Audience, plan: Plan, viewer: Viewer | None, position: int | None) -> Broadcast:
        assert viewer is not None  # noqa: S101  nobody else has an audience
        broadcast = self._running[audience.key] = Broadcast(self, audience, plan, position)
        # Neither the session nor the log context of whoever happened to come first.
        anyone = Viewer(viewer.id, viewer.role, scopes=viewer.scopes)
        task = asyncio.get_running_loop().create_task(
            broadcast.run(anyone),
            name="broadcast",
            context=contextvars.Context(),
        )
        broadcast.task = task
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)
        return broadcast


async def _encoded(answering: Any) -> bytes:
    answer: Answer = await answering
    return orjson.dumps(answer.body)
