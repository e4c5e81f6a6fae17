"""The table of addresses: every range closed to its last address, open just outside of it, in whatever spelling."""

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.fetch import Failure, FetchError, Gate
from kit.fetch.networks import CLOSED_V4, CLOSED_V6, GLOBAL_V6, IpAddress, is_public, plain
from tests.kit.fetch.outside import Names

GATE = Gate(Names())


@pytest.mark.parametrize("network", [*CLOSED_V4, *CLOSED_V6], ids=str)
def test_each_range_is_closed_to_its_edges(network: object) -> None:
    found = ip_network(str(network))
    assert not is_public(found[0])
    assert not is_public(found[-1])


@pytest.mark.parametrize(
    "address",
    [
        "1.0.0.0",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "168.63.129.15",
        "168.63.129.17",
        "169.253.255.255",
        "169.255.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "191.255.255.255",
        "192.0.1.0",
        "192.0.1.255",
        "192.0.3.0",
        "192.88.98.255",
        "192.88.100.0",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "198.51.99.255",
        "198.51.101.0",
        "203.0.112.255",
        "203.0.114.0",
        "223.255.255.255",
        "2000::",
        "2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "2001:200::",
        "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff",
        "2001:db9::",
        "2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "2003::",
        "3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "3fff:1000::",
        "3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    ],
)
def test_just_outside_it_is_open(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "::",
        "::1",
        "::8.8.8.8",
        "::ffff:0:8.8.8.8",
        "64:ff9b::8.8.8.8",
        "64:ff9b:1::1",
        "100::1",
        "100:0:0:1::1",
        "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "2001::1",
        "2001:2::1",
        "2001:10::1",
        "2001:20::1",
        "2002:808:808::1",
        "4000::",
        "5f00::1",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "255.255.255.255",
        "192.0.0.9",
        "192.0.0.192",
        "168.63.129.16",
        "100.100.100.200",
    ],
)
def test_what_is_special_is_closed(address: str) -> None:
    assert not is_public(ip_address(address))


def test_a_mapped_address_is_judged_as_what_is_dialled() -> None:
    assert plain(ip_address("::ffff:10.0.0.1")) == IPv4Address("10.0.0.1")
    assert plain(ip_address("::ffff:8.8.8.8")) == IPv4Address("8.8.8.8")
    assert plain(ip_address("2606:4700::1")) == IPv6Address("2606:4700::1")


def addresses(network: object) -> st.SearchStrategy[IpAddress]:
    """Draw from a range."""
    found = ip_network(str(network))
    kind = IPv4Address if found.version == 4 else IPv6Address
    return st.integers(int(found[0]), int(found[-1])).map(kind)


def _v4_spellings(address: IpAddress, draw: st.DataObject) -> str:
    """Spell an IPv4 address as WHATWG reads it: one to four numbers, each decimal, octal or hexadecimal, full-width."""
    number = int(address)
    parts = draw.draw(st.integers(1, 4))
    heads = [(number >> (24 - 8 * index)) & 0xFF for index in range(parts - 1)]
    tail = number & ((1 << (32 - 8 * (parts - 1))) - 1)
    styles: list[Callable[[int], str]] = [str, "0{:o}".format, "0x{:x}".format, "0X{:X}".format, "0x000{:x}".format]
    text = ".".join(draw.draw(st.sampled_from(styles))(part) for part in [*heads, tail])
    if draw.draw(st.booleans()):
        text = text.translate({ord(digit): ord("０") + int(digit) for digit in "0123456789"})
    dot = draw.draw(st.sampled_from([".", "。", "．", "｡", "%2e"]))
    return text.replace(".", dot) + draw.draw(st.sampled_from(["", "."]))


def _v6_spellings(address: IpAddress, draw: st.DataObject) -> str:
    """Spell an IPv6 address: short, long, in capitals, or with its end as IPv4."""
    exploded = IPv6Address(int(address))
    tail = IPv4Address(int(exploded) & 0xFFFFFFFF)
    head = exploded.exploded.rsplit(":", 2)[0]
    text = draw.draw(st.sampled_from([str(exploded), exploded.exploded, f"{head}:{tail}"]))
    return f"[{text.upper() if draw.draw(st.booleans()) else text}]"


CLOSED = st.one_of(*map(addresses, CLOSED_V4), *map(addresses, CLOSED_V6))
OUTSIDE_V6 = st.integers(0, 2**128 - 1).map(IPv6Address).filter(lambda found: found not in GLOBAL_V6)


@settings(max_examples=1_000, deadline=None)
@given(st.one_of(CLOSED, OUTSIDE_V6), st.data())
def test_a_closed_address_is_refused_in_every_spelling(address: IpAddress, draw: st.DataObject) -> None:
    if isinstance(address, IPv4Address):
        embeds = draw.draw(st.sampled_from(["", "::ffff:", "::", "64:ff9b::"]))
        host = _v4_spellings(address, draw) if not embeds else f"[{embeds}{address}]"
    else:
        if address.ipv4_mapped is not None and is_public(address.ipv4_mapped):
            return
        host = _v6_spellings(address, draw)
    login = draw.draw(st.sampled_from(["", "8.8.8.8@", "a:b@", "8.8.8.8:80@"]))
    scheme = draw.draw(st.sampled_from(["http://", "HTTPS://", "http:", "https:/", "http:\\\\"]))
    with pytest.raises(FetchError) as refused:
        GATE.admit(f"{scheme}{login}{host}/")
    assert refused.value.failure is Failure.BLOCKED_PRIVATE
