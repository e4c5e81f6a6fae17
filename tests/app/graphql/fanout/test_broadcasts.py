"""What many follow is executed once, and nobody gets what is another's."""

from contextlib import AsyncExitStack
from typing import Any

import pytest

from db import events as rows_of
from kit.ids import encode_global_id
from resolvers.context import Services
from services.events import cursor_of
from services.permissions import Viewer
from tests.app.graphql.fanout.following import (
    FOLLOW,
    RESUME,
    SHOW,
    Library,
    Work,
    follow,
    following,
    hear,
    quiet,
    tasks,
)
from tests.app.graphql.test_sse import streaming
from tests.app.graphql.toy import Running, until
from tests.make import Maker


async def test_an_event_is_executed_once_for_everybody(server: Running, library: Library, work: Work) -> None:
    async with AsyncExitStack() as stack:
        sockets = [await follow(stack, server, library, name=f"op{number % 3}") for number in range(8)]
        stream = await stack.enter_async_context(streaming(server, FOLLOW, **library.person.bearer))
        await until(lambda: following() == 9 and work.pages == 1)
        for cursor in await library.happen(3):
            for number, socket in enumerate(sockets):
                assert await hear(socket, f"op{number % 3}") == {"cursor": cursor, "change": "UPDATED"}
            kind, body = await anext(stream)
            assert (kind, body["data"]["bookmarkChanged"]["cursor"]) == ("next", cursor)
        assert work.executed == 3
        assert work.pages <= 4
        assert tasks() == {"broadcast": 1, "session-guard": 1}


async def test_what_differs_is_not_shared(server: Running, library: Library, work: Work, make: Maker) -> None:
    user = await make.user()
    other = Library(user, await make.session(user), library.database, library.work)
    async with AsyncExitStack() as stack:
        plain = await follow(stack, server, library)
        full = await follow(stack, server, library, SHOW, variables={"title": True})
        brief = await follow(stack, server, library, SHOW, variables={"title": False})
        theirs = await follow(stack, server, other)
        await until(lambda: work.pages == 4)
        assert tasks()["broadcast"] == 4
        row = await make.bookmark(Viewer(library.user.id), {"title": "T"})
        key = encode_global_id("Bookmark", row.id)
        assert await hear(plain) == {"cursor": cursor_of(1), "change": "CREATED"}
        assert await hear(full) == {"cursor": cursor_of(1), "bookmark": {"id": key, "title": "T"}}
        assert await hear(brief) == {"cursor": cursor_of(1), "bookmark": {"id": key}}
        assert work.executed == 3
        await quiet(theirs)
        await other.happen()
        assert await hear(theirs) == {"cursor": cursor_of(1), "change": "UPDATED"}
        for socket in (plain, full, brief):
            await quiet(socket)


async def test_members_come_and_go_and_the_last_one_ends_the_source(
    server: Running, library: Library, services: Services, work: Work
) -> None:
    async with AsyncExitStack() as stack:
        one, two, three = [await follow(stack, server, library) for _ in range(3)]
        (cursor,) = await library.happen()
        assert [(await hear(socket))["cursor"] for socket in (one, two, three)] == [cursor] * 3
        two.connection.transport.abort()
        await until(lambda: following() == 2)
        await one.send({"id": "a", "type": "complete"})
        await until(lambda: following() == 1)
        (cursor,) = await library.happen()
        assert (await hear(three))["cursor"] == cursor
        await quiet(one)
        await one.subscribe("a", FOLLOW)
        await until(lambda: following() == 2)
        await three.send({"id": "a", "type": "complete"})
        await one.send({"id": "a", "type": "complete"})
        await until(lambda: following() == 0 and tasks() == {"session-guard": 1})
        assert not readers_of(services, library)
        await library.happen()
        before = work.pages
        await one.subscribe("a", FOLLOW)
        await until(lambda: work.pages > before)
        (cursor,) = await library.happen()
        assert (await hear(one))["cursor"] == cursor


async def test_a_failing_execution_reaches_everybody_as_its_error(
    server: Running, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any) -> None:
        raise ValueError("secret")

    async with AsyncExitStack() as stack:
        sockets = [await follow(stack, server, library, SHOW, variables={"title": True}) for _ in range(2)]
        await library.happen()
        for socket in sockets:
            await hear(socket)
        with monkeypatch.context() as patch:
            patch.setattr("resolvers.bookmarks.following.find", broken)
            (cursor,) = await library.happen()
            first, second = [await socket.receive() for socket in sockets]
        assert first == second
        (error,) = first["payload"]["errors"]
        assert (error["message"], error["path"]) == ("Internal error", ["bookmarkChanged", "bookmark"])
        assert first["payload"]["data"] == {"bookmarkChanged": {"cursor": cursor, "bookmark": None}}
        (cursor,) = await library.happen()
        assert [(await hear(socket))["cursor"] for socket in sockets] == [cursor] * 2


async def test_a_source_that_fails_ends_the_operation_of_everybody(
    server: Running, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: Any, **__: Any) -> None:
        raise ConnectionRefusedError

    async with AsyncExitStack() as stack:
        sockets = [await follow(stack, server, library) for _ in range(2)]
        await library.happen()
        for socket in sockets:
            await hear(socket)
        with monkeypatch.context() as patch:
            patch.setattr(rows_of, "page", away)
            await library.happen()
            for socket in sockets:
                message = await socket.receive()
                assert (message["type"], message["payload"][0]["extensions"]["code"]) == ("error", "UNAVAILABLE")
        assert following() == 0
        await sockets[0].subscribe("a", RESUME, variables={"after": cursor_of(1)})
        assert (await hear(sockets[0]))["at"] == cursor_of(2)


def readers_of(services: Services, library: Library) -> int:
    """Return how many doorbells of the account hang on the bus."""
    readers = services.bus._readers  # noqa: SLF001  nothing else tells of a reader that was left behind
    return len(readers.get((rows_of.CHANNEL, str(library.user.id)), ()))
