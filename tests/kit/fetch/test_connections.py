"""Connections: used again, replaced when they have gone stale, bounded, and never left behind."""

import asyncio
import errno
import socket
from collections import Counter
from ipaddress import ip_address

import pytest

from kit.errors import Unavailable
from kit.fetch import Failure, FetchError, connection, open_fetcher, pool
from kit.settings import Settings
from tests.kit.fetch.outside import (
    PUBLIC,
    Names,
    Serve,
    always,
    answer,
    failing,
    failure,
    listening,
    outside_fetcher,
    settled,
)


def once_each(closing: str) -> Serve:
    """Answer the first request of a connection; on the second one close it: `silently` or `within` the answer."""
    seen: Counter[asyncio.StreamWriter] = Counter()

    def serve(_head: bytes, writer: asyncio.StreamWriter) -> None:
        seen[writer] += 1
        if seen[writer] == 1:
            writer.write(answer(body=b""))
            return
        if closing == "within":
            writer.write(b"HTTP/1.1 200")
        writer.close()

    return serve


async def test_a_stale_connection_is_replaced_where_asking_twice_does_no_harm() -> None:
    async with listening(once_each("silently")) as outside, outside_fetcher() as fetcher:
        for _ in range(2):
            assert (await fetcher.fetch(outside.url(), method="POST", body=b"x")).status == 200
            assert await failure(fetcher, outside.url(), method="POST", body=b"x") is Failure.CONNECTION_RESET
        assert outside.bodies == [b"x"] * 4  # none was sent a second time
        for method in ("GET", "HEAD", "PUT"):
            for _ in range(2):
                assert (await fetcher.fetch(outside.url(), method=method)).status == 200
    async with listening(once_each("within")) as outside, outside_fetcher() as fetcher:
        assert (await fetcher.fetch(outside.url())).status == 200
        assert await failure(fetcher, outside.url()) is Failure.CONNECTION_RESET
        assert len(outside.heads) == 2  # an answer had begun


async def test_a_connection_that_the_server_closed_meanwhile_is_not_used() -> None:
    def serve(_head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(answer())
        writer.close()

    async with listening(serve) as outside, outside_fetcher() as fetcher:
        for number in range(3):
            assert (await fetcher.fetch(outside.url(), method="POST", body=b"")).status == 200
            await settled(lambda: not fetcher._open)  # noqa: SLF001  nothing else tells that it has been heard of
            assert outside.connections == number + 1
    assert all(b"Content-Length: 0\r\n" in head for head in outside.heads)


async def test_a_second_answer_belongs_to_nobody() -> None:
    def twice(_head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(body=b"mine") + answer(body=b"poison"))

    async with listening(twice) as outside, outside_fetcher() as fetcher:
        for _ in range(3):
            assert (await fetcher.fetch(outside.url())).body == b"mine"
        assert outside.connections == 3


async def test_requests_wait_for_their_turn_and_their_clock_with_them() -> None:
    at_once = most = 0

    async def slow(_head: bytes, writer: asyncio.StreamWriter) -> None:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0.1)
        at_once -= 1
        writer.write(answer())

    async with listening(slow) as outside, outside_fetcher(max_in_flight=2) as fetcher:
        done = await asyncio.gather(*(fetcher.fetch(outside.url(), deadline_seconds=0.3) for _ in range(10)))
        assert [response.status for response in done] == [200] * 10
        assert all(response.elapsed_seconds < 0.3 for response in done)
        assert outside.connections == most == 2


async def test_idle_connections_are_bounded_and_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "MAX_IDLE_PER_PLACE", 3)
    monkeypatch.setattr(pool, "MAX_IDLE", 4)
    monkeypatch.setattr(pool, "IDLE_SECONDS", 0.2)

    async def slow(_head: bytes, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.02)
        writer.write(answer())

    async with listening(slow) as outside, outside_fetcher() as fetcher:
        await asyncio.gather(*(fetcher.fetch(outside.url()) for _ in range(6)))
        await settled(lambda: outside.open == 3)
        await asyncio.gather(*(fetcher.fetch(outside.url(host="public-2.test")) for _ in range(3)))
        await settled(lambda: outside.open == 4)
        await settled(lambda: outside.open == 0)
        assert (await fetcher.fetch(outside.url())).status == 200


@pytest.mark.parametrize("moment", ["connecting", "waiting", "reading"])
async def test_cancelling_leaves_no_socket(moment: str) -> None:
    asked = asyncio.Event()

    async def hold(_head: bytes, writer: asyncio.StreamWriter) -> None:
        if moment == "reading":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
        asked.set()

    class Slow(Names):
        async def __call__(self, host: str) -> list[str]:
            asked.set()
            await asyncio.Event().wait()
            raise AssertionError(host)

    names = Slow() if moment == "connecting" else Names()
    async with listening(hold) as outside, outside_fetcher(names) as fetcher:
        task = asyncio.create_task(fetcher.fetch(outside.url()))
        await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await settled(lambda: outside.open == 0)
        assert not fetcher._open  # noqa: SLF001  nothing else tells


async def test_closing_the_door_ends_what_runs() -> None:
    async with listening(lambda _head, _writer: None) as outside:
        fetcher = outside_fetcher()
        task = asyncio.create_task(fetcher.fetch(outside.url()))
        await settled(lambda: len(outside.heads) == 1)
        await fetcher.aclose()
        with pytest.raises(FetchError):
            await task
        await settled(lambda: outside.open == 0)


async def test_one_address_after_the_other_is_tried() -> None:
    async with listening(always(answer())) as outside:
        names = Names({"two.test": ["127.0.0.9", PUBLIC], "none.test": ["127.0.0.9"] * 3})
        async with outside_fetcher(names) as fetcher:
            assert await failure(fetcher, outside.url(host="two.test")) is Failure.BLOCKED_PRIVATE
            found = await connection.connect([ip_address("127.0.0.9"), ip_address(PUBLIC)], outside.port, seconds=5)
            assert found.getpeername()[0] == PUBLIC
            found.close()
            with pytest.raises(ConnectionRefusedError):
                await connection.connect([ip_address("127.0.0.9")] * 3, outside.port, seconds=5)
            with pytest.raises(OSError, match="no address"):
                await connection.connect([], outside.port, seconds=5)


async def test_a_peer_that_is_not_the_one_that_was_dialled_hears_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    connect = socket.socket.connect

    def detour(sock: socket.socket, address: tuple[str, int]) -> None:
        connect(sock, ("127.0.0.3", address[1]))

    async with listening(always(answer()), host="127.0.0.3") as elsewhere, outside_fetcher() as fetcher:
        monkeypatch.setattr(socket.socket, "connect", detour)
        assert await failure(fetcher, elsewhere.url()) is Failure.UNREACHABLE
        await settled(lambda: elsewhere.open == 0)
    assert not elsewhere.heads


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ConnectionRefusedError(), Failure.CONNECTION_REFUSED),
        (ConnectionResetError(), Failure.CONNECTION_RESET),
        (BrokenPipeError(), Failure.CONNECTION_RESET),
        (OSError(errno.EHOSTUNREACH, "x"), Failure.UNREACHABLE),
        (OSError(errno.ENETUNREACH, "x"), Failure.UNREACHABLE),
        (TimeoutError(errno.ETIMEDOUT, "x"), Failure.TIMEOUT),
    ],
)
async def test_what_connecting_can_end_in(error: OSError, expected: Failure, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_sock: socket.socket, _address: object) -> None:
        raise error

    monkeypatch.setattr(socket.socket, "connect", broken)
    async with outside_fetcher() as fetcher:
        assert (await failing(fetcher, "http://public.test/")).failure is expected


async def test_a_machine_without_room_says_nothing_about_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_sock: socket.socket, _address: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(socket.socket, "connect", full)
    async with outside_fetcher() as fetcher:
        with pytest.raises(Unavailable, match="no room"):
            await fetcher.fetch("http://public.test/")


@pytest.mark.parametrize("headers", [{"x": "a\r\nb: c"}, {"x": "a\nb"}, {"x\r\ny": "a"}, {"": "a"}, {"a b": "c"}])
async def test_headers_that_are_more_than_one_line_are_a_mistake(headers: dict[str, str]) -> None:
    async with listening(always(answer())) as outside, outside_fetcher() as fetcher:
        with pytest.raises(ValueError, match="characters that headers cannot have"):
            await fetcher.fetch(outside.url(), headers=headers)
        with pytest.raises(ValueError, match="no method"):
            await fetcher.fetch(outside.url(), method="GET / HTTP/1.1\r\n")
    assert not outside.heads


async def test_the_framing_of_a_request_is_ours() -> None:
    headers = {"Host": "evil", "Content-Length": "99", "Transfer-Encoding": "chunked", "Connection": "close"}
    async with listening(always(answer())) as outside, outside_fetcher() as fetcher:
        await fetcher.fetch(outside.url(), method="POST", body=b"abc", headers=headers)
    head = outside.heads[0].decode()
    assert head.startswith(f"POST / HTTP/1.1\r\nHost: public.test:{outside.port}\r\n")
    assert "Content-Length: 3\r\n" in head
    assert not [word for word in ("evil", "99", "chunked", "close") if word in head]


async def test_the_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with listening(always(answer())) as outside, outside_fetcher() as fetcher:
        assert (await fetcher.fetch(outside.url())).status == 200


async def test_it_says_who_asks() -> None:
    settings = Settings(user_agent_contact="https://links.example.org/about")
    async with listening(always(answer())) as outside, open_fetcher(settings) as fetcher:
        await fetcher.fetch(outside.url(host=PUBLIC), trusted=("http", PUBLIC, outside.port))
    assert b"\r\nuser-agent: Graphmark/" in outside.heads[0]
    assert b" (+https://links.example.org/about)\r\n" in outside.heads[0]
