"""Answers: what is read of them, how far, and what ends in a failure."""

import asyncio
import gzip
import os
import random
import zlib
from collections.abc import Callable
from tracemalloc import get_traced_memory, start, stop

import pytest

from kit.fetch import Failure, FetchError
from tests.kit.fetch.outside import always, answer, failing, failure, listening, outside_fetcher, settled


def gzipped(body: bytes) -> bytes:
    """Compress as servers do."""
    return gzip.compress(body, mtime=0)


def bare(body: bytes) -> bytes:
    """Compress as some servers understand `deflate`."""
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


TEXT = b"".join(b"line %d of a page\n" % number for number in range(2_000))


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzipped(TEXT)),
        ("X-GZip", gzipped(TEXT)),
        ("gzip", gzipped(TEXT[:100]) + gzipped(TEXT[100:])),
        ("gzip", gzipped(TEXT) + b"trailing"),
        ("deflate", zlib.compress(TEXT)),
        ("deflate", bare(TEXT)),
        ("identity", TEXT),
        ("br", TEXT),
    ],
)
async def test_bodies_are_decompressed(encoding: str, body: bytes) -> None:
    async with listening(always(answer(body=body, Content_Encoding=encoding))) as outside, outside_fetcher() as fetcher:
        response = await fetcher.fetch(outside.url())
        assert response.body == TEXT
        assert not response.is_truncated
        cut = await fetcher.fetch(outside.url(), max_bytes=1_000)
        assert (cut.body, cut.is_truncated) == (TEXT[:1_000], True)
        whole = await fetcher.fetch(outside.url(), max_bytes=len(TEXT))
        assert (whole.body, whole.is_truncated) == (TEXT, False)


async def test_a_bomb_ends_at_the_limit() -> None:
    bomb = gzipped(bytes(200_000_000))
    async with listening(always(answer(body=bomb, Content_Encoding="gzip"))) as outside, outside_fetcher() as fetcher:
        await fetcher.fetch(outside.url(), max_bytes=10)
        start()
        try:
            response = await fetcher.fetch(outside.url(), max_bytes=1_000_000)
            assert get_traced_memory()[1] < 10_000_000
        finally:
            stop()
    assert response.body == bytes(1_000_000)
    assert response.is_truncated


@pytest.mark.parametrize("padding", [gzipped(b""), gzipped(b"")[:10] + b"\x00\x00\x00\xff\xff" * 2_000])
async def test_bytes_that_decode_to_nothing_come_to_an_end(padding: bytes) -> None:
    async def endless(_head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + padding[:10])
        while not writer.is_closing():
            writer.write((padding[10:] + padding[:10] if len(padding) < 100 else padding[10:]) * 10)
            await writer.drain()

    async with listening(endless) as outside, outside_fetcher() as fetcher:
        began = asyncio.get_running_loop().time()
        assert await failure(fetcher, outside.url(), max_bytes=100_000) is Failure.BAD_RESPONSE
        assert asyncio.get_running_loop().time() - began < 5
        await settled(lambda: outside.open == 0)


async def test_every_way_to_say_where_an_answer_ends() -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: x\r\n\r\n"
    for data, reused in ((chunked, True), (b"HTTP/1.1 204 None\r\n\r\n", True), (answer(body=b"abcde"), True)):
        async with listening(always(data)) as outside, outside_fetcher() as fetcher:
            for _ in range(3):
                response = await fetcher.fetch(outside.url())
                assert response.body == (b"" if response.status == 204 else b"abcde")
                assert "trailer" not in response.headers
            assert outside.connections == (1 if reused else 3)

    async def until_closed(_head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nabc")
        await writer.drain()
        writer.write(b"de")
        writer.close()

    async with listening(until_closed) as outside, outside_fetcher() as fetcher:
        assert (await fetcher.fetch(outside.url())).body == b"abcde"


async def test_the_answer_to_head_has_no_body_whatever_it_says() -> None:
    said = always(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
    async with listening(said) as outside, outside_fetcher() as fetcher:
        for _ in range(3):
            response = await fetcher.fetch(outside.url(), method="HEAD")
            assert (response.status, response.body, response.headers["content-length"]) == (200, b"", "5")
        assert outside.connections == 1
    async with listening(always(answer(body=b"never asked for"))) as outside, outside_fetcher() as fetcher:
        for _ in range(2):
            assert (await fetcher.fetch(outside.url(), method="HEAD")).body == b""
        assert outside.connections == 2  # a connection with bytes that nobody asked for carries nothing more


async def test_interim_answers_are_passed_over() -> None:
    data = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 8 + answer()
    async with listening(always(data)) as outside, outside_fetcher() as fetcher:
        response = await fetcher.fetch(outside.url())
        assert (response.status, response.body, "link" in response.headers) == (200, b"ok", False)
    async with listening(always(b"HTTP/1.1 100 Continue\r\n\r\n" * 9)) as outside, outside_fetcher() as fetcher:
        assert await failure(fetcher, outside.url()) is Failure.BAD_RESPONSE


async def test_headers_are_text_of_one_line() -> None:
    data = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-A: caf\xc3\xa9\r\nX-B: caf\xe9\r\nX-C: a\tb\r\n"
    data += b"Set-Cookie: a\r\nset-cookie: b\r\n\r\n"
    async with listening(always(data)) as outside, outside_fetcher() as fetcher:
        headers = (await fetcher.fetch(outside.url())).headers
    assert (headers["X-A"], headers["x-b"], headers["x-c"]) == ("café", "café", "a\tb")
    assert headers.all("set-cookie") == ["a", "b"]


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"\x00" * 100,
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000,
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 300 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + b"a" * 70_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: " + b"a" * 70_000,
        answer(body=b"no gzip", Content_Encoding="gzip"),
        answer(body=gzipped(TEXT)[:50] + b"\xff" * 500, Content_Encoding="gzip"),
    ],
)
async def test_what_is_no_answer_is_a_bad_response(data: bytes) -> None:
    async with listening(always(data)) as outside, outside_fetcher() as fetcher:
        error = await failing(fetcher, outside.url())
        assert error.failure is Failure.BAD_RESPONSE
        assert error.message == "The server's answer could not be read."
        await settled(lambda: outside.open == 0)


async def test_random_bytes_never_do_more_than_fail() -> None:
    seed = int.from_bytes(os.urandom(4))
    chance = random.Random(seed)
    pieces = [
        b"HTTP/1.1 200 OK\r\n",
        b"Content-Length: 3\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"\r\n",
        b"3\r\nabc\r\n",
    ]
    pieces += [b"0\r\n\r\n", b"abc", b"\x00", b"Content-Encoding: gzip\r\n", gzipped(b"abc"), b"HTTP/1.1 100 C\r\n\r\n"]

    async def garbage(_head: bytes, writer: asyncio.StreamWriter) -> None:
        for _ in range(chance.randrange(8)):
            writer.write(chance.choice(pieces))
            await writer.drain()
        writer.close()

    async with listening(garbage) as outside, outside_fetcher() as fetcher:
        for _ in range(300):
            try:
                ended: Failure | int = (await fetcher.fetch(outside.url(), deadline_seconds=5)).status
            except FetchError as error:
                ended = error.failure
            assert ended in {200, Failure.BAD_RESPONSE, Failure.CONNECTION_RESET}, f"seed {seed}"


async def test_a_slow_loris_ends_at_the_deadline_and_silence_before_it() -> None:
    async def drip(_head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.01)

    loop = asyncio.get_running_loop()
    async with listening(drip) as outside, outside_fetcher(silence_seconds=0.2) as fetcher:
        began = loop.time()
        assert await failure(fetcher, outside.url(), deadline_seconds=0.5) is Failure.TIMEOUT
        assert 0.5 <= loop.time() - began < 2
        await settled(lambda: outside.open == 0)
    async with listening(lambda _head, _writer: None) as outside, outside_fetcher(silence_seconds=0.1) as fetcher:
        began = loop.time()
        error = await failing(fetcher, outside.url())
        assert (error.failure, error.message) == (Failure.TIMEOUT, "The server did not answer in time.")
        assert loop.time() - began < 2
        await settled(lambda: outside.open == 0)
        quick = await failing(fetcher, outside.url(), silence_seconds=0.01)
        assert quick.failure is Failure.TIMEOUT


def reset(_head: bytes, writer: asyncio.StreamWriter) -> None:
    """Close without a word, by RST."""
    writer.transport.abort()


def half(_head: bytes, writer: asyncio.StreamWriter) -> None:
    """Close within the body."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")
    writer.close()


@pytest.mark.parametrize("serve", [reset, half, lambda _head, writer: writer.close()])
async def test_an_answer_that_breaks_off(serve: Callable[[bytes, asyncio.StreamWriter], None]) -> None:
    async with listening(serve) as outside, outside_fetcher() as fetcher:
        assert await failure(fetcher, outside.url()) is Failure.CONNECTION_RESET


async def test_nobody_there() -> None:
    async with listening(always(b"")) as outside:
        pass
    async with outside_fetcher() as fetcher:
        assert await failure(fetcher, outside.url()) is Failure.CONNECTION_REFUSED
