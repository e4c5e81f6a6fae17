"""Following something on sockets, and seeing what the server did for it."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

from app.metrics import SUBSCRIPTIONS
from db.unit import Database
from db.users import UserRow
from kit.ids import new_id
from services import events
from services.events import BookmarkChange, cursor_of
from tests.app.graphql.conftest import Person
from tests.app.graphql.test_websocket import Socket, opened
from tests.app.graphql.toy import Running, until

FOLLOW = "subscription { bookmarkChanged { cursor change } }"
RESUME = "subscription ($after: String) { bookmarkChanged(after: $after) { at: cursor resync bookmarkIds } }"
SHOW = "subscription ($title: Boolean!) { bookmarkChanged { cursor bookmark { id title @include(if: $title) } } }"
BACKLOG = 20


@dataclass
class Work:
    """What the server did."""

    executed: int = 0
    pages: int = 0


@dataclass
class Library:
    """An account, and what happens to it."""

    user: UserRow
    token: str
    database: Database
    work: Work
    told: list[int] = field(default_factory=list)

    @property
    def greeting(self) -> dict[str, str]:
        """The payload that signs a socket in."""
        return {"authorization": f"Bearer {self.token}"}

    @property
    def person(self) -> Person:
        """The account as other tests know it."""
        return Person(str(self.user.id), self.token)

    async def happen(self, times: int = 1, *, bookmarks: int = 1) -> list[str]:
        """Record changes, each of so many bookmarks; return their cursors."""
        for _ in range(times):
            async with self.database.unit() as unit:
                await events.record_bookmarks(
                    unit, self.user.id, BookmarkChange.UPDATED, [new_id() for _ in range(bookmarks)]
                )
            self.told.append(len(self.told) + 1)
        return [cursor_of(seq) for seq in self.told[-times:]]


def tasks() -> Counter[str]:
    """Count the running tasks that live connections have besides their readers."""
    names = Counter(task.get_name() for task in asyncio.all_tasks() if not task.done())
    return Counter({name: names[name] for name in ("broadcast", "operation", "outbox", "session-guard") if names[name]})


def following() -> float:
    """Return how many operations run."""
    (metric,) = SUBSCRIPTIONS.collect()
    return metric.samples[0].value


async def follow(
    stack: AsyncExitStack, server: Running, library: Library, query: str = FOLLOW, *, name: str = "a", **payload: Any
) -> Socket:
    """Open a socket and follow something on it; return when the server knows."""
    socket = await stack.enter_async_context(opened(server))
    await socket.greet(library.greeting)
    before = following()
    await socket.subscribe(name, query, **payload)
    await until(lambda: following() == before + 1 and library.work.pages)
    return socket


async def hear(socket: Socket, name: str = "a") -> Any:
    """Return the next event of an operation."""
    message = await socket.receive()
    assert (message["id"], message["type"]) == (name, "next"), message
    assert "errors" not in message["payload"], message
    return message["payload"]["data"]["bookmarkChanged"]


async def quiet(socket: Socket) -> None:
    """Check that nothing is on its way to a socket."""
    await socket.send({"type": "ping"})
    assert await socket.receive() == {"type": "pong"}
