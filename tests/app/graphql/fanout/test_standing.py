"""An ended session gets nothing more, while its neighbours go on."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import pytest

from resolvers.context import Services
from services import auth
from tests.app.graphql.fanout.following import (
    Library,
    follow,
    hear,
)
from tests.app.graphql.test_sse import revoke
from tests.app.graphql.test_websocket import opened
from tests.app.graphql.toy import Running
from tests.make import Maker


async def test_an_ended_session_gets_nothing_while_its_neighbours_go_on(
    server: Running, library: Library, services: Services, make: Maker
) -> None:
    ended = Library(library.user, await make.session(library.user), library.database, library.work)
    async with AsyncExitStack() as stack:
        stays, goes = await follow(stack, server, library), await follow(stack, server, ended)
        (first,) = await library.happen()
        assert (await hear(stays), await hear(goes)) == ({"cursor": first, "change": "UPDATED"},) * 2
        await revoke(services, ended.person)
        cursors = await library.happen(3)
        assert await goes.closed() == (4403, "The session has ended")
        assert goes.heard == []
        assert [(await hear(stays))["cursor"] for _ in cursors] == cursors


async def test_while_nobody_tells_of_ended_sessions_each_event_asks(
    server: Running, library: Library, services: Services, make: Maker
) -> None:
    ended = Library(library.user, await make.session(library.user), library.database, library.work)
    async with AsyncExitStack() as stack:
        stays, goes = await follow(stack, server, library), await follow(stack, server, ended)
        await library.happen()
        await hear(stays)
        await hear(goes)
        services.bus.ready.clear()
        await services.database.execute(
            "UPDATE sessions SET revoked_at = now() WHERE id = (SELECT id FROM sessions ORDER BY id DESC LIMIT 1)"
        )
        (cursor,) = await library.happen()
        assert await goes.closed() == (4403, "The session has ended")
        assert goes.heard == []
        assert (await hear(stays))["cursor"] == cursor
        services.bus.ready.set()


async def test_a_session_of_which_nothing_is_known_is_held_until_it_is(
    server: Running, library: Library, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = asyncio.Event()
    seconds_left = auth.seconds_left

    async def away(*_: Any) -> float:
        asked.set()
        raise ConnectionRefusedError

    monkeypatch.setattr("app.graphql.standing.RETRY_SECONDS", 0.05)
    async with AsyncExitStack() as stack:
        socket = await follow(stack, server, library)
        await library.happen()
        await hear(socket)
        monkeypatch.setattr(auth, "seconds_left", away)
        (session_id,) = [row["id"] for row in await services.database.fetch("SELECT id FROM sessions")]
        await services.database.execute(f"NOTIFY graphmark_sessions, '{session_id}'")
        await asked.wait()
        cursors = await library.happen(2)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(socket.connection.recv(), 0.2)
        monkeypatch.setattr(auth, "seconds_left", seconds_left)
        assert [(await hear(socket))["cursor"] for _ in cursors] == cursors


async def test_a_session_that_expires_is_closed_in_time(server: Running, library: Library) -> None:
    await library.database.execute("UPDATE sessions SET expires_at = now() + interval '0.4 seconds'")
    async with opened(server) as socket:
        await socket.greet(library.greeting)
        assert await socket.closed() == (4403, "The session has ended")
