"""The published SSRF cases, each with nothing dialled where it must not be; names that change their mind."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from kit.fetch import Failure, Fetcher
from tests.kit.fetch.outside import PUBLIC, Names, always, answer, failing, failure, listening, outside_fetcher

CASES: list[dict[str, Any]] = json.loads((Path(__file__).parents[2] / "data" / "ssrf_cases.json").read_text("utf-8"))[
    "cases"
]
LITERAL = [case for case in CASES if case["category"] not in {"redirect", "secondary-fetch"}]
REFUSALS = {
    "block": Failure.BLOCKED_PRIVATE,
    "reject_invalid": Failure.INVALID_URL,
    "reject_scheme": Failure.UNSUPPORTED_SCHEME,
    "reject_port": Failure.BLOCKED_PORT,
}


@pytest.fixture
def dialled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every address that this process tries to connect to. Nothing gets out: whatever is no loopback is refused."""
    tried: list[str] = []
    connect = socket.socket.connect

    def spy(sock: socket.socket, address: Any) -> None:
        if sock.family in {socket.AF_INET, socket.AF_INET6}:
            tried.append(address[0])
            if not address[0].startswith("127."):
                raise ConnectionRefusedError
        connect(sock, address)

    monkeypatch.setattr(socket.socket, "connect", spy)
    return tried


def written_out(case: dict[str, Any]) -> str:
    """Return the address of a case, made long where it says how."""
    return str(case.get("generate", case["input"])).replace("{a*64}", "a" * 64)


def test_every_published_case_is_asked() -> None:
    assert len(CASES) == 96
    assert {case["verdict"].partition(":")[0] for case in CASES} == {
        *REFUSALS,
        "allow",
        "allow_host",
        "allow_sanitised",
        "allow_stripped",
    }


@pytest.mark.parametrize("case", LITERAL, ids=[case["id"] for case in LITERAL])
async def test_published_cases(case: dict[str, Any], dialled: list[str]) -> None:
    names = Names({"example.com": ["93.184.216.34"]})
    if "stub_dns" in case:
        names = Names({case["input"].split("/")[2]: case["stub_dns"]})
    async with Fetcher(user_agent="Graphmark/test", resolver=names) as fetcher:
        error = await failing(fetcher, written_out(case))
    expected = REFUSALS.get(case["verdict"])
    if expected is not None:
        assert error.failure is expected
        assert not dialled
        assert bool(names.asked) is ("stub_dns" in case)  # a refused address is not even looked up
    else:  # it may be dialled, where it is refused by the fixture
        assert error.failure is Failure.CONNECTION_REFUSED
        host = case["verdict"].partition(":")[2] or "example.com"
        literal = case["input"].partition("//")[2].strip("/[]")
        assert dialled == ([literal] if case["category"] == "control" else ["93.184.216.34"])
        assert names.asked == ([] if case["category"] == "control" else [host])


@pytest.mark.parametrize(
    "case", [case for case in CASES if case["category"] == "redirect"], ids=lambda case: str(case["id"])
)
async def test_published_redirects(case: dict[str, Any], dialled: list[str]) -> None:
    chain: list[str] = case["redirect_chain"]
    hops = iter(chain[1:])

    def redirect(_head: bytes, writer: Any) -> None:
        there = next(hops).replace("public.test", f"public.test:{outside.port}")
        writer.write(answer(302, b"", Location=there))

    names = Names({"private-a.test": ["10.0.0.1"], "public.test": [PUBLIC]})
    async with listening(redirect) as outside, outside_fetcher(names) as fetcher:
        # s096 begins with https; what counts is that the hop to http is judged as well
        error = await failing(fetcher, outside.url("/" + chain[0].rpartition("/")[2]))
    gopher = case["id"] == "s099"
    assert error.failure is (Failure.UNSUPPORTED_SCHEME if gopher else Failure.BLOCKED_PRIVATE)
    assert dialled == [PUBLIC]  # one connection, used again
    assert outside.connections == 1
    assert len(error.hops) == len(chain) - 1
    assert error.hops[-1].status == 302
    assert "Location" not in error.message


async def test_what_a_page_names_passes_the_same_gate(dialled: list[str]) -> None:
    case = next(case for case in CASES if case["category"] == "secondary-fetch")
    async with listening(always(answer(body=case["body"].encode()))) as outside, outside_fetcher() as fetcher:
        page = await fetcher.fetch(outside.url("/og"))
        image = page.body.decode().split('"')[3]
        assert image.startswith("http://169.254.")
        assert await failure(fetcher, image) is Failure.BLOCKED_PRIVATE
    assert dialled == [PUBLIC]


async def test_credentials_and_line_breaks_do_not_reach_the_wire() -> None:
    async with listening(always(answer())) as outside, outside_fetcher() as fetcher:
        one = await fetcher.fetch(f"http://user:secret@public.test:{outside.port}/a")
        two = await fetcher.fetch(outside.url("/b\r\nX-Injected: 1"))
    assert one.url == outside.url("/a")
    assert two.url == outside.url("/bX-Injected:%201")
    first, second = (head.decode() for head in outside.heads)
    assert "secret" not in first
    assert "authorization" not in first.lower()
    assert second.startswith("GET /bX-Injected:%201 HTTP/1.1\r\nHost: public.test:")
    assert "\r\nX-Injected" not in second


async def test_a_name_that_turns_private_is_refused_when_it_is_dialled_again(dialled: list[str]) -> None:
    names = Names({"rebind.test": [[PUBLIC], ["127.0.0.1"], [PUBLIC, "10.0.0.1"], ["::1"]]})
    closing = always(answer(Connection="close"))
    async with listening(closing) as outside, outside_fetcher(names) as fetcher:
        url = outside.url(host="rebind.test")
        assert (await fetcher.fetch(url)).address == PUBLIC
        for _ in range(3):
            assert await failure(fetcher, url) is Failure.BLOCKED_PRIVATE
    assert dialled == [PUBLIC]
    assert names.asked == ["rebind.test"] * 4


async def test_a_connection_that_waits_is_used_without_asking_for_the_name_again() -> None:
    names = Names({"rebind.test": [[PUBLIC], ["127.0.0.1"]]})
    async with listening(always(answer())) as outside, outside_fetcher(names) as fetcher:
        for _ in range(3):
            assert (await fetcher.fetch(outside.url(host="rebind.test"))).address == PUBLIC
    assert names.asked == ["rebind.test"]
    assert outside.connections == 1


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (socket.gaierror(socket.EAI_NONAME, "x"), Failure.DNS_NXDOMAIN),
        (socket.gaierror(socket.EAI_AGAIN, "x"), Failure.DNS_FAILURE),
        (socket.gaierror(socket.EAI_FAIL, "x"), Failure.DNS_FAILURE),
        (UnicodeError("x"), Failure.DNS_FAILURE),
        (TimeoutError(), Failure.DNS_FAILURE),
    ],
)
async def test_names_that_are_not_found(error: Exception, expected: Failure) -> None:
    async def resolve(_host: str) -> list[str]:
        raise error

    async with Fetcher(user_agent="t", resolver=resolve) as fetcher:
        assert await failure(fetcher, "http://example.com/") is expected


@pytest.mark.parametrize("found", [[], ["not an address"], ["1.1.1.1"] * 65])
async def test_answers_that_are_none(found: list[str], dialled: list[str]) -> None:
    async with Fetcher(user_agent="t", resolver=Names({"example.com": found})) as fetcher:
        assert await failure(fetcher, "http://example.com/") is Failure.DNS_FAILURE
    assert not dialled


async def test_an_opened_network_is_reached_on_any_port_and_by_local_names(dialled: list[str]) -> None:
    names = Names({"nas": [PUBLIC], "wiki.internal": [PUBLIC], "evil": ["93.184.216.34"], "odd.test": ["1.1.1.1"]})
    async with listening(always(answer())) as outside, outside_fetcher(names) as fetcher:
        for host in ("nas", "wiki.internal", PUBLIC):
            assert (await fetcher.fetch(outside.url(host=host))).status == 200
        assert await failure(fetcher, outside.url(host="127.0.0.1")) is Failure.BLOCKED_PRIVATE
        assert await failure(fetcher, outside.url(host="localhost")) is Failure.DNS_NXDOMAIN
        assert await failure(fetcher, "http://evil/") is Failure.BLOCKED_PRIVATE  # a local name of a public place
        assert await failure(fetcher, "http://odd.test:22/") is Failure.BLOCKED_PORT
    assert dialled == [PUBLIC] * 3


async def test_only_the_origin_that_is_trusted_is_reached_and_its_connections_serve_nobody_else() -> None:
    names = Names({"model.test": ["127.0.0.1"]})
    async with (
        listening(always(answer()), host="127.0.0.1") as outside,
        Fetcher(user_agent="t", resolver=names, ports=frozenset({80, outside.port})) as fetcher,
    ):
        url = outside.url(host="model.test")
        trusted = ("http", "model.test", outside.port)
        assert (await fetcher.fetch(url, trusted=trusted)).status == 200
        assert await failure(fetcher, url) is Failure.BLOCKED_PRIVATE
        assert await failure(fetcher, url, trusted=("https", "model.test", outside.port)) is Failure.BLOCKED_PRIVATE
        literal = outside.url(host="127.0.0.1")
        assert await failure(fetcher, literal, trusted=trusted) is Failure.BLOCKED_PRIVATE
    assert outside.connections == 1


async def test_vetting_says_where_an_address_may_be_opened() -> None:
    names = Names({"example.com": ["93.184.216.34", "2606:4700:4700::1111"], "bad.test": ["10.0.0.1"]})
    async with Fetcher(user_agent="t", resolver=names) as fetcher:
        address, found = await fetcher.vet("HTTPS://u:p@example.com/a#b")
        assert address.url == "https://example.com/a#b"
        assert list(map(str, found)) == ["93.184.216.34", "2606:4700:4700::1111"]
        with pytest.raises(Exception, match="private network"):
            await fetcher.vet("http://bad.test/")
