"""Which IP addresses are the public internet: a table of our own.

Python's `ipaddress.is_global` differs between versions and lets IPv4-embedding prefixes through. The table is the IANA
registries of special-purpose addresses (iana.org/assignments/iana-ipv4-special-registry and -ipv6-special-registry,
as of November 2025) with multicast and reserved space. Whatever carries an IPv4 address inside an IPv6 one is closed
as a whole, for only the network that unpacks it knows where it leads.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final

IpAddress = IPv4Address | IPv6Address
IpNetwork = IPv4Network | IPv6Network

CLOSED_V4: Final = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",  # this network (RFC 791); Linux dials 0.0.0.0 as loopback
            "10.0.0.0/8",  # private use (RFC 1918)
            "100.64.0.0/10",  # carrier-grade NAT (RFC 6598); Alibaba Cloud keeps its metadata here
            "127.0.0.0/8",  # loopback (RFC 1122)
            "168.63.129.16/32",  # public by number, but Azure's host answers it on every virtual machine
            "169.254.0.0/16",  # link-local (RFC 3927), metadata of most clouds
            "172.16.0.0/12",  # private use (RFC 1918)
            "192.0.0.0/24",  # IETF protocols (RFC 6890), metadata of Oracle Cloud
            "192.0.2.0/24",  # documentation (RFC 5737)
            "192.88.99.0/24",  # 6to4 relays (RFC 7526)
            "192.168.0.0/16",  # private use (RFC 1918)
            "198.18.0.0/15",  # benchmarks (RFC 2544)
            "198.51.100.0/24",  # documentation (RFC 5737)
            "203.0.113.0/24",  # documentation (RFC 5737)
            "224.0.0.0/4",  # multicast (RFC 5771)
            "240.0.0.0/4",  # reserved, and broadcast (RFC 1112)
        ),
    )
)
GLOBAL_V6: Final = IPv6Network("2000::/3")
"""All that IANA gives out as global unicast (RFC 4291). Outside of it lie loopback, ::/96 and ::ffff:0:0:0/96 (IPv4
inside), 64:ff9b::/96 and 64:ff9b:1::/48 (NAT64), 100::/64 (discard), 5f00::/16 (segment routing), fc00::/7 (unique
local), fe80::/10 (link-local), fec0::/10 (site-local), ff00::/8 (multicast), and what nobody has been given."""
CLOSED_V6: Final = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # IETF protocols (RFC 2928): Teredo, benchmarks, ORCHID
            "2001:db8::/32",  # documentation (RFC 3849)
            "2002::/16",  # 6to4 (RFC 3056), IPv4 inside
            "3fff::/20",  # documentation (RFC 9637)
        ),
    )
)


def plain(address: IpAddress) -> IpAddress:
    """Return the IPv4 address behind an IPv4-mapped one (::ffff:0:0/96): the system dials it as IPv4."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return address if mapped is None else mapped


def is_public(address: IpAddress) -> bool:
    """Tell whether an address, given `plain`, belongs to the public internet."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in CLOSED_V4)
    return address in GLOBAL_V6 and not any(address in network for network in CLOSED_V6)


def is_within(address: IpAddress, networks: Sequence[IpNetwork]) -> bool:
    """Tell whether an address, given `plain`, lies in one of `networks`."""
    return any(address in network for network in networks)
