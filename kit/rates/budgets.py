"""Budgets: an amount in a time, kept by the generic cell rate algorithm.

Of a budget one number is remembered: until when it is used up, as if everything that was taken were handed out evenly.
Nothing has to be counted back, and one comparison decides.
"""

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, ip_address

_IPV4_BYTES, _IPV6_BYTES = 3, 8
_MAX_CHARS = 64


@dataclass(frozen=True, slots=True)
class Budget:
    """`amount` in `seconds`: all of it at once for whoever took nothing before, and evenly from then on.

    An `amount` of 0 means that there is no limit.
    """

    name: str
    amount: int
    seconds: float

    @property
    def interval(self) -> float:
        """Seconds until one unit has come back."""
        return self.seconds / self.amount


@dataclass(frozen=True, slots=True)
class Charge:
    """What is to be taken from the budget called `key`, in seconds of its time."""

    key: str
    seconds: float


@lru_cache(4_096)
def network_of(address: str) -> str:
    """Return the network that an address counts as: IPv4 /24, IPv6 /64. What is no address stands for itself.

    Providers hand out a /64 to each customer, and neighbours in a /24 are mostly one organisation.
    """
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address[:_MAX_CHARS]
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is None:
            return f"{IPv6Address(parsed.packed[:_IPV6_BYTES].ljust(16, bytes(1)))}/64"
        parsed = parsed.ipv4_mapped
    return ".".join(map(str, parsed.packed[:_IPV4_BYTES])) + ".0/24"
