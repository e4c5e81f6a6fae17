"""Who resumes from a cursor gets everything, once and in order, and joins the others."""

import asyncio
from contextlib import AsyncExitStack
from random import Random

import pytest

from services.events import cursor_of, seq_of
from tests.app.graphql.fanout.following import (
    RESUME,
    Library,
    Work,
    follow,
    following,
    hear,
    tasks,
)
from tests.app.graphql.test_websocket import opened
from tests.app.graphql.toy import Running, until


async def test_resuming_while_events_flow_leaves_no_gap_and_repeats_nothing(
    server: Running, library: Library, work: Work
) -> None:
    seed = Random().randrange(10**6)
    chance, last = Random(seed), 250
    await library.happen(20)

    async def read(start: int | None) -> None:
        heard: list[int] = []
        async with opened(server) as socket:
            await socket.greet(library.greeting)
            after = None if start is None else cursor_of(start)
            await socket.subscribe("a", RESUME, variables={"after": after})
            while not heard or heard[-1] < last:
                event = await hear(socket)
                assert not event["resync"]
                heard.append(seq_of(event["at"]))
        assert heard == list(range(heard[0] if start is None else start + 1, last + 1)), (seed, start, heard)

    async with asyncio.timeout(20):
        readers, behind = [], 0
        while len(library.told) < last:
            if len(library.told) % 6 == 0:
                start = chance.choice([None, 0, len(library.told), chance.randrange(len(library.told))])
                if len(library.told) < last - 10 or start is not None:
                    readers.append(asyncio.create_task(read(start)))
                    behind += 0 if start is None else len(library.told) - start
            await library.happen()
        await asyncio.gather(*readers)
    assert len(readers) > 30
    assert work.executed < last + behind + 20 * len(readers)  # each catches up alone, no more than that


async def test_who_has_caught_up_joins_the_others(server: Running, library: Library, work: Work) -> None:
    await library.happen(5)
    async with AsyncExitStack() as stack:
        sockets = []
        for start in (5, 0, 3, 5):
            sockets.append(await follow(stack, server, library, RESUME, variables={"after": cursor_of(start)}))
            for seq in range(start, 5):
                assert (await hear(sockets[-1]))["at"] == cursor_of(seq + 1)
        await until(lambda: tasks() == {"broadcast": 1, "session-guard": 1})
        before = work.executed
        (cursor,) = await library.happen()
        assert [(await hear(socket))["at"] for socket in sockets] == [cursor] * 4
        assert work.executed == before + 1
        assert following() == 4


async def test_who_was_away_for_a_moment_is_served_from_memory(server: Running, library: Library, work: Work) -> None:
    async with AsyncExitStack() as stack:
        stays = await follow(stack, server, library, RESUME)
        cursors = await library.happen(70)
        for cursor in cursors:
            assert (await hear(stays))["at"] == cursor
        comes_back = await follow(stack, server, library, RESUME, variables={"after": cursors[-40]})
        assert [(await hear(comes_back))["at"] for _ in range(39)] == cursors[-39:]
        assert (work.executed, tasks()["operation"]) == (70, 0)
        late = await follow(stack, server, library, RESUME, variables={"after": cursors[0]})
        assert [(await hear(late))["at"] for _ in range(69)] == cursors[1:]
        assert work.executed == 70 + 69
        await until(lambda: not tasks()["operation"])
        (cursor,) = await library.happen()
        assert [(await hear(socket))["at"] for socket in (stays, comes_back, late)] == [cursor] * 3
        assert work.executed == 70 + 69 + 1


async def test_a_cursor_from_elsewhere_is_not_taken_on_trust(server: Running, library: Library) -> None:
    async with AsyncExitStack() as stack:
        stays = await follow(stack, server, library, RESUME)
        await library.happen()
        await hear(stays)
        stranger = await follow(stack, server, library, RESUME, variables={"after": cursor_of(1_000)})
        assert await hear(stranger) == {"at": cursor_of(1), "resync": True, "bookmarkIds": []}
        (cursor,) = await library.happen()
        assert [(await hear(socket))["at"] for socket in (stays, stranger)] == [cursor] * 2


@pytest.mark.parametrize(
    "query",
    [
        'subscription { bookmarkChanged(after: "%s") { cursor } }',
        'subscription ($after: String = "%s") { bookmarkChanged(after: $after) { cursor } }',
        'subscription { ...On } fragment On on Subscription { bookmarkChanged(after: "%s") { cursor } }',
    ],
)
async def test_what_is_not_plainly_the_same_stays_alone(server: Running, library: Library, query: str) -> None:
    (cursor, *_) = await library.happen(2)
    async with AsyncExitStack() as stack:
        socket = await follow(stack, server, library, query % cursor)
        assert await hear(socket) == {"cursor": cursor_of(2)}
        await library.happen()
        assert await hear(socket) == {"cursor": cursor_of(3)}
        assert tasks() == {"operation": 1, "session-guard": 1}


async def test_whatever_clients_do_nobody_misses_or_repeats_anything(server: Running, library: Library) -> None:
    """Clients resume, leave, freeze, thaw and come back while things happen; what `resync` skips is no gap."""
    seed = Random().randrange(10**6)
    chance, last = Random(seed), 200

    async def told(number: int) -> None:
        await until(lambda: len(library.told) >= number, seconds=20)

    async def live() -> None:
        position, moody = chance.randrange(len(library.told) + 1), Random(chance.random())
        while position < last:
            async with opened(server) as socket:
                await socket.greet(library.greeting)
                await socket.subscribe("a", RESUME, variables={"after": cursor_of(position)})
                while position < last and moody.random() > 0.02:
                    if moody.random() < 0.05:
                        socket.connection.transport.pause_reading()
                        thaw = min(last, len(library.told) + moody.randrange(120))
                        await told(thaw)
                        socket.connection.transport.resume_reading()
                    event = await hear(socket)
                    seq = seq_of(event["at"])
                    assert seq > position if event["resync"] else seq == position + 1, (seed, position, event)
                    position = seq
                if moody.random() < 0.5:
                    socket.connection.transport.abort()

    async with asyncio.timeout(40):
        clients = [asyncio.create_task(live()) for _ in range(6)]
        while len(library.told) < last:
            await library.happen(chance.randrange(1, 4), bookmarks=chance.choice([1, 1_000, 1_000]))
            await asyncio.sleep(chance.choice([0, 0, 0.02]))
        await asyncio.gather(*clients)
    await until(lambda: following() == 0)
