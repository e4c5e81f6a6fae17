"""The one door to the outside: fetching an address without being talked into the private network."""

from kit.fetch.answers import Failure, FetchError, Headers, Hop, Response
from kit.fetch.clients import gated_client
from kit.fetch.fetcher import Fetcher, open_fetcher
from kit.fetch.gate import DEFAULT_PORTS, Gate, Origin
from kit.fetch.networks import IpAddress, IpNetwork
from kit.fetch.proxy import GateProxy
from kit.fetch.resolving import Resolver

__all__ = [
    "DEFAULT_PORTS",
    "Failure",
    "FetchError",
    "Fetcher",
    "Gate",
    "GateProxy",
    "Headers",
    "Hop",
    "IpAddress",
    "IpNetwork",
    "Origin",
    "Resolver",
    "Response",
    "gated_client",
    "open_fetcher",
]
