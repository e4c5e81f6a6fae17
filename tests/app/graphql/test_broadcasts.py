"""Fan-out: what many follow is executed once, and nobody gets too much, too little, or what is another's."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

import orjson
import pytest
import pytest_asyncio

from app.graphql.subscriptions import Stream
from app.metrics import SUBSCRIPTIONS
from db import events as rows_of
from db.unit import Database
from db.users import UserRow
from kit.ids import encode_global_id, new_id
from kit.settings import Settings
from resolvers.context import Services
from services import auth, events
from services.events import BookmarkChange, cursor_of, seq_of
from services.permissions import Viewer
from tests.app.graphql import toy
from tests.app.graphql.conftest import Person
from tests.app.graphql.test_sse import revoke, streaming
from tests.app.graphql.test_websocket import Socket, opened
from tests.app.graphql.toy import Running, until
from tests.client import the_schema
from tests.make import Maker

FOLLOW = "subscription { bookmarkChanged { cursor change } }"
RESUME = "subscription ($after: String) { bookmarkChanged(after: $after) { at: cursor resync bookmarkIds } }"
SHOW = "subscription ($title: Boolean!) { bookmarkChanged { cursor bookmark { id title @include(if: $title) } } }"
BACKLOG = 20


@pytest.fixture
def settings(live_settings: Settings) -> Settings:
    """Settings that let one account have many sockets, and a slow one little."""
    return replace(
        live_settings, max_websockets_per_user=100, max_subscription_backlog=BACKLOG, websocket_init_timeout_seconds=10
    )


@pytest_asyncio.fixture(loop_scope="session")
async def server(services: Services) -> AsyncIterator[Running]:
    """The real application with the product's schema. Nothing of its live connections is left at the end."""
    async with toy.serving(services, the_schema()) as running:
        yield running
    assert tasks() == Counter()


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


@pytest_asyncio.fixture(loop_scope="session")
async def library(make: Maker, database: Database, work: Work) -> Library:
    """Somebody signed in, to whom nothing has happened yet."""
    user = await make.user()
    return Library(user, await make.session(user), database, work)


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Work:
    """Count executions of events and reads of the outbox."""
    counts = Work()
    answer_to, page = Stream.answer_to, rows_of.page

    async def counted_answer(self: Stream, event: Any) -> Any:
        counts.executed += 1
        return await answer_to(self, event)

    async def counted_page(*given: Any, **named: Any) -> Any:
        found = await page(*given, **named)
        counts.pages += 1
        return found

    monkeypatch.setattr(Stream, "answer_to", counted_answer)
    monkeypatch.setattr(rows_of, "page", counted_page)
    return counts


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


def readers_of(services: Services, library: Library) -> int:
    """Return how many doorbells of the account hang on the bus."""
    readers = services.bus._readers  # noqa: SLF001  nothing else tells of a reader that was left behind
    return len(readers.get((rows_of.CHANNEL, str(library.user.id)), ()))


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
