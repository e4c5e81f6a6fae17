"""A slow reader is told to read afresh, and costs others nothing."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import orjson
import pytest

from services.events import cursor_of
from tests.app.graphql.fanout.following import (
    BACKLOG,
    RESUME,
    Library,
    Work,
    follow,
    following,
    hear,
    tasks,
)
from tests.app.graphql.toy import Running, until


async def test_a_slow_reader_is_told_to_read_afresh_while_others_get_everything(
    server: Running, library: Library, work: Work
) -> None:
    async with AsyncExitStack() as stack:
        quick = await follow(stack, server, library, RESUME)
        slow = await follow(stack, server, library, RESUME)
        also_slow = await follow(stack, server, library, RESUME)
        await until(lambda: work.pages >= 1)
        for socket in (slow, also_slow):
            socket.connection.transport.pause_reading()
        for number in range(1, 241):
            await library.happen(bookmarks=1_000)
            assert (await hear(quick))["at"] == cursor_of(number)
        slow.connection.transport.resume_reading()
        heard: list[Any] = []
        while not heard or not heard[-1]["resync"]:
            heard.append(await hear(slow))
        lost = heard.pop()
        assert lost == {"at": cursor_of(240), "resync": True, "bookmarkIds": []}
        assert [event["at"] for event in heard] == [cursor_of(number + 1) for number in range(len(heard))]
        assert 0 < len(heard) < 240 - BACKLOG
        (cursor,) = await library.happen()
        for socket in (quick, slow):
            event = await hear(socket)
            assert (event["at"], event["resync"], len(event["bookmarkIds"])) == (cursor, False, 1)
        assert work.executed == 242  # each event, and one word for those who lost some
        assert tasks() == {"broadcast": 1, "session-guard": 1, "outbox": 1}


async def test_a_slow_stream_is_told_to_read_afresh_too(server: Running, library: Library, work: Work) -> None:
    body = orjson.dumps({"query": RESUME})
    head = (
        f"POST /graphql HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\n"
        f"authorization: Bearer {library.token}\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1 << 24)
    writer.write(head.encode() + body)
    await until(lambda: following() == 1 and work.pages)
    transport: Any = writer.transport
    transport.pause_reading()
    while work.executed < 240:
        await library.happen(10, bookmarks=1_000)
        await until(lambda: work.executed == len(library.told))
    transport.resume_reading()
    heard = [cursor_of(0)]
    async with asyncio.timeout(10):
        while (line := await reader.readline()) != b"":
            if line.startswith(b"data: {"):
                event = orjson.loads(line[6:])["data"]["bookmarkChanged"]
                if event["resync"]:
                    break
                heard.append(event["at"])
    assert event == {"at": cursor_of(240), "resync": True, "bookmarkIds": []}
    assert heard == [cursor_of(number) for number in range(len(heard))]
    writer.close()
    await until(lambda: following() == 0)


async def test_a_reader_that_takes_nothing_for_too_long_is_closed(
    server: Running, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.graphql.outbox.SEND_SECONDS", 0.3)
    monkeypatch.setattr("app.graphql.websocket.CLOSE_SECONDS", 0.1)
    async with AsyncExitStack() as stack:
        quick, slow = await follow(stack, server, library), await follow(stack, server, library, RESUME)
        slow.connection.transport.pause_reading()
        while following() == 2:
            await library.happen(bookmarks=1_000)
            await hear(quick)
        (cursor,) = await library.happen()
        assert (await hear(quick))["cursor"] == cursor
