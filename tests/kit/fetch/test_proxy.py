"""What a browser is given as its network."""

import asyncio

import pytest

from kit.fetch import Failure, Fetcher, GateProxy
from tests.kit.fetch.outside import PUBLIC, Names, always, answer, listening, outside_fetcher, settled


def allowed(proxy: GateProxy, data: bytes) -> bytes:
    """Return a request with what the proxy asks for behind its first line."""
    first, line_end, rest = data.partition(b"\r\n")
    return first + line_end + b"Proxy-Authorization: " + proxy.authorization.encode() + b"\r\n" + rest


async def said(proxy: GateProxy, data: bytes, *, is_allowed: bool = True) -> bytes:
    """Say something to a proxy and return all that comes back."""
    data = allowed(proxy, data) if is_allowed else data
    reader, writer = await asyncio.open_connection("127.0.0.1", int(proxy.url.rpartition(":")[2]))
    try:
        writer.write(data)
        async with asyncio.timeout(5):
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def test_a_tunnel_carries_bytes_both_ways() -> None:
    names = Names()
    async with listening(always(answer(body=b"hello"))) as outside, outside_fetcher(names) as fetcher:
        async with GateProxy(fetcher) as proxy:
            port = int(proxy.url.rpartition(":")[2])
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            request = f"CONNECT public.test:{outside.port} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
            writer.write(allowed(proxy, request))
            assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 200 Connection established\r\n\r\n"
            for _ in range(3):
                writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                assert (await reader.readuntil(b"hello")).endswith(b"hello")
            writer.write_eof()
            assert await reader.read() == b""
            writer.close()
        assert not proxy.refused
    assert (outside.connections, names.asked) == (1, ["public.test"])


async def test_plain_http_is_passed_on_as_one_request() -> None:
    def serve(_head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n" + answer(body=b"hello", Connection="keep-alive", X_More="1"))
        writer.close()

    async with listening(serve) as outside, outside_fetcher() as fetcher, GateProxy(fetcher) as proxy:
        back = await said(
            proxy,
            f"POST http://u:p@public.test:{outside.port}/a?b#c HTTP/1.1\r\nHost: evil.test\r\nCookie: mine\r\n"
            "Proxy-Connection: keep-alive\r\nProxy-Authorization: x\r\nConnection: keep-alive\r\n"
            "Content-Length: 4\r\n\r\nbodyGET http://other.test/ HTTP/1.1\r\nCookie: other\r\n\r\n".encode(),
        )
    assert back == b"HTTP/1.1 200 Fine\r\nContent-Length: 5\r\nX-More: 1\r\nConnection: close\r\n\r\nhello"
    assert outside.bodies == [b"body"]
    assert outside.heads == [
        f"POST /a?b HTTP/1.1\r\nHost: public.test:{outside.port}\r\nCookie: mine\r\nContent-Length: 4\r\n"
        "Connection: close\r\n\r\n".encode()
    ]


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("127.0.0.1:{port}", Failure.BLOCKED_PRIVATE),
        ("localhost:{port}", Failure.BLOCKED_PRIVATE),
        ("[::1]:{port}", Failure.BLOCKED_PRIVATE),
        ("[::ffff:127.0.0.1]:{port}", Failure.BLOCKED_PRIVATE),
        ("0x7f.1:{port}", Failure.BLOCKED_PRIVATE),
        ("private.test:80", Failure.BLOCKED_PRIVATE),
        ("mixed.test:443", Failure.BLOCKED_PRIVATE),
        ("good.test:22", Failure.BLOCKED_PORT),
        ("x" * 9_000 + ":443", Failure.TOO_LONG),
        ("a b", None),
    ],
)
@pytest.mark.parametrize("method", ["CONNECT", "GET"])
async def test_what_the_gate_refuses_is_not_dialled(target: str, expected: Failure | None, method: str) -> None:
    names = Names({"private.test": ["127.0.0.1"], "mixed.test": ["1.1.1.1", "10.0.0.1"], "good.test": ["1.1.1.1"]})
    async with (
        listening(always(answer()), host="127.0.0.1") as inside,
        Fetcher(user_agent="t", resolver=names) as fetcher,
        GateProxy(fetcher) as proxy,
    ):
        place = target.format(port=inside.port)
        request = f"{method} {place if method == 'CONNECT' else f'http://{place}/'} HTTP/1.1\r\n\r\n"
        back = await said(proxy, request.encode())
        assert back.startswith(b"HTTP/1.1 403 " if expected else b"HTTP/1.1 400 ")
        assert dict(proxy.refused) == ({expected: 1} if expected else {})
    assert inside.connections == 0


async def test_other_programs_of_the_machine_are_not_served() -> None:
    names = Names()
    async with (
        listening(always(answer(body=b"hello"))) as outside,
        outside_fetcher(names) as fetcher,
        GateProxy(fetcher) as proxy,
        GateProxy(fetcher) as other,
    ):
        for header in ("", "Proxy-Authorization: Basic Og==\r\n", f"Proxy-Authorization: {other.authorization}\r\n"):
            for first in (f"CONNECT public.test:{outside.port}", f"GET http://public.test:{outside.port}/"):
                back = await said(proxy, f"{first} HTTP/1.1\r\n{header}\r\n".encode(), is_allowed=False)
                assert back.startswith(b"HTTP/1.1 407 ")
                assert b"\r\nProxy-Authenticate: Basic " in back
    assert (outside.connections, names.asked) == (0, [])


async def test_a_proxy_is_not_a_server_and_says_what_it_cannot() -> None:
    names = Names()
    async with listening(always(answer())) as outside:
        pass
    async with outside_fetcher(names) as fetcher, GateProxy(fetcher) as proxy:
        assert (await said(proxy, b"GET / HTTP/1.1\r\n\r\n")).startswith(b"HTTP/1.1 400 ")
        assert (await said(proxy, b"nonsense\r\n\r\n")).startswith(b"HTTP/1.1 400 ")
        assert (await said(proxy, b"GET http://unknown.test/ HTTP/1.1\r\n\r\n")).startswith(b"HTTP/1.1 502 ")
        assert (await said(proxy, f"CONNECT {PUBLIC}:{outside.port} HTTP/1.1\r\n\r\n".encode())).startswith(
            b"HTTP/1.1 502 "
        )
        chunked = b"POST http://public.test/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
        assert (await said(proxy, chunked)).startswith(b"HTTP/1.1 411 ")
        assert (await said(proxy, b"POST http://public.test/ HTTP/1.1\r\nContent-Length: -1\r\n\r\n")).startswith(
            b"HTTP/1.1 411 "
        )
        for lengths in (b"Content-Length: 1\r\nContent-Length: 2", b"Content-Length: " + b"9" * 5_000):
            request = b"POST http://public.test/ HTTP/1.1\r\n" + lengths + b"\r\n\r\n"
            assert (await said(proxy, request)).startswith(b"HTTP/1.1 411 ")
        assert (await said(proxy, b"GET " + b"x" * 100_000)).startswith(b"HTTP/1.1 400 ")


async def test_a_browser_that_leaves_takes_its_connection_with_it() -> None:
    async with (
        listening(always(answer(body=b"hello"))) as outside,
        outside_fetcher() as fetcher,
        GateProxy(fetcher) as proxy,
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", int(proxy.url.rpartition(":")[2]))
        writer.write(allowed(proxy, f"GET http://public.test:{outside.port}/ HTTP/1.1\r\n\r\n".encode()))
        assert (await reader.readuntil(b"hello")).endswith(b"Connection: close\r\n\r\nhello")
        assert outside.open == 1  # this server does not close though it was asked to
        writer.close()
        await settled(lambda: outside.open == 0)


async def test_limits_and_the_end_of_the_proxy_close_everything() -> None:
    async with listening(always(answer(body=b"x" * 5_000))) as outside, outside_fetcher() as fetcher:
        request = f"GET http://public.test:{outside.port}/ HTTP/1.1\r\n\r\n".encode()
        async with GateProxy(fetcher, max_bytes=1_000) as proxy:
            assert len(await said(proxy, request)) <= 1_000
            await settled(lambda: outside.open == 0)
        async with GateProxy(fetcher, deadline_seconds=0.1) as proxy:
            await said(proxy, f"CONNECT public.test:{outside.port} HTTP/1.1\r\n\r\n".encode())
            await settled(lambda: outside.open == 0)
        proxy = GateProxy(fetcher)
        async with proxy:
            port = int(proxy.url.rpartition(":")[2])
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(allowed(proxy, f"CONNECT public.test:{outside.port} HTTP/1.1\r\n\r\n".encode()))
            await reader.readuntil(b"\r\n\r\n")
            assert outside.open == 1
        await settled(lambda: outside.open == 0)
        assert await reader.read() == b""
        writer.close()
    with pytest.raises(RuntimeError):
        _ = GateProxy(fetcher).url
