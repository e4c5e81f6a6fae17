"""Redirects: followed hop by hop, told as they were, ended where they lead nowhere, and never with what is secret."""

import asyncio
from collections.abc import Mapping

import pytest

from kit.fetch import Failure, Hop
from tests.kit.fetch.outside import Names, Outside, Serve, answer, failing, listening, outside_fetcher


def leading(ways: Mapping[str, tuple[int, str]]) -> Serve:
    """Redirect each path of `ways`, answer all others."""

    def serve(head: bytes, writer: asyncio.StreamWriter) -> None:
        path = head.split(b" ", 2)[1].decode()
        status, there = ways.get(path, (200, ""))
        writer.write(answer(status, path.encode(), Location=there) if there else answer(status, path.encode()))

    return serve


def requests(outside: Outside) -> list[str]:
    """Return method and path of everything that was asked."""
    return [head.split(b" HTTP")[0].decode() for head in outside.heads]


async def test_a_chain_is_followed_and_told() -> None:
    ways = {"/a": (301, "/b?x"), "/b?x": (307, "//public.test:{port}/c"), "/c": (308, "d#there")}
    async with listening(leading(ways)) as outside, outside_fetcher() as fetcher:
        ways["/b?x"] = (307, f"//public-2.test:{outside.port}/c")
        response = await fetcher.fetch(outside.url("/a#part"))
    b, c = outside.url("/b?x#part"), outside.url("/c#part", host="public-2.test")
    assert response.url == outside.url("/d#there", host="public-2.test")
    assert response.body == b"/d"
    assert response.hops == (
        Hop(outside.url("/a#part"), 301, b),
        Hop(b, 307, c),
        Hop(c, 308, response.url),
    )
    assert outside.connections == 2  # one for each name


@pytest.mark.parametrize(
    ("status", "method", "then"),
    [
        (301, "GET", "GET"),
        (302, "HEAD", "HEAD"),
        (303, "HEAD", "HEAD"),
        (301, "POST", "GET"),
        (302, "POST", "GET"),
        (303, "POST", "GET"),
        (303, "PUT", "GET"),
        (307, "POST", "POST"),
        (308, "POST", "POST"),
        (302, "PUT", "PUT"),
    ],
)
async def test_the_method_changes_as_in_browsers(status: int, method: str, then: str) -> None:
    async with listening(leading({"/a": (status, "/b")})) as outside, outside_fetcher() as fetcher:
        body = b"secret" if method in {"POST", "PUT"} else None
        headers = {"Content-Type": "text/plain"} if body else {}
        await fetcher.fetch(outside.url("/a"), method=method, body=body, headers=headers)
    assert requests(outside) == [f"{method} /a", f"{then} /b"]
    kept = then in {"POST", "PUT"}
    assert outside.bodies == [body or b"", b"secret" if kept else b""]
    assert (b"content-type" in outside.heads[1].lower()) is kept


async def test_secrets_stay_with_their_origin() -> None:
    headers = {
        "Authorization": "Bearer secret",
        "Cookie": "secret=1",
        "X-Api-Key": "secret",
        "Accept": "text/html",
        "Range": "bytes=0-9",
        "If-None-Match": '"x"',
    }
    ways = {"/a": (302, "/b")}
    async with listening(leading(ways)) as outside, outside_fetcher() as fetcher:
        ways["/b"] = (302, outside.url("/c", host="public-2.test"))
        ways["/c"] = (302, outside.url("/d"))  # back again, with nothing
        await fetcher.fetch(outside.url("/a"), headers=headers)
    first, second, third, fourth = (head.decode().lower() for head in outside.heads)
    assert first.count("secret") == second.count("secret") == 3
    assert "secret" not in third + fourth
    for head in (first, second, third, fourth):
        assert "\r\naccept: text/html\r\n" in head
        assert "\r\nrange: bytes=0-9\r\n" in head
        assert '\r\nif-none-match: "x"\r\n' in head
        assert "\r\nuser-agent: graphmark/test\r\n" in head


async def test_redirects_that_lead_nowhere() -> None:
    endless = {f"/{number}": (302, f"/{number + 1}") for number in range(20)}
    ways = {"/circle": (302, "/back"), "/back": (302, "/circle#again"), "/self": (301, "/self"), **endless}
    ways |= {"/empty": (302, " "), "/bad": (302, "http://[x"), "/long": (302, "/" + "x" * 9_000)}
    async with listening(leading(ways)) as outside, outside_fetcher() as fetcher:
        for path, hops in (("/circle", 2), ("/self", 1), ("/0", 10)):
            error = await failing(fetcher, outside.url(path))
            assert (error.failure, len(error.hops)) == (Failure.TOO_MANY_REDIRECTS, hops)
        assert (await failing(fetcher, outside.url("/0"), max_redirects=3)).url == outside.url("/3")
        for path in ("/bad", "/long"):
            error = await failing(fetcher, outside.url(path))
            assert (error.failure, error.hops, error.url) == (Failure.BAD_RESPONSE, (), outside.url(path))
        assert (await fetcher.fetch(outside.url("/10"), max_redirects=10)).url == outside.url("/20")


async def test_a_redirect_is_the_answer_when_none_is_followed_or_it_names_no_place() -> None:
    ways = {"/a": (302, "http://10.0.0.1/")}
    async with listening(leading({**ways, "/b": (302, "")})) as outside, outside_fetcher() as fetcher:
        response = await fetcher.fetch(outside.url("/a"), max_redirects=0)
        assert (response.status, response.headers["location"], response.hops) == (302, "http://10.0.0.1/", ())
        response = await fetcher.fetch(outside.url("/b"))
        assert (response.status, response.url) == (302, outside.url("/b"))


async def test_where_a_chain_fails_is_told_with_what_was_followed() -> None:
    names = Names({"public.test": ["127.0.0.2"], "private.test": ["192.168.0.1"]})
    ways = {"/a": (302, "http://private.test/x"), "/gone": (302, "http://nowhere.test/")}
    async with listening(leading(ways)) as outside, outside_fetcher(names) as fetcher:
        error = await failing(fetcher, outside.url("/a"))
        assert (error.failure, error.url) == (Failure.BLOCKED_PRIVATE, "http://private.test/x")
        assert error.hops == (Hop(outside.url("/a"), 302, "http://private.test/x"),)
        error = await failing(fetcher, outside.url("/gone"))
        assert (error.failure, error.url) == (Failure.DNS_NXDOMAIN, "http://nowhere.test/")
        assert len(error.hops) == 1
