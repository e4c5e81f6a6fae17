"""What fetching gives: an answer of a server, or the reason why there is none."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from kit.errors import ErrorCode, GraphmarkError


class Failure(StrEnum):
    """Why nothing was fetched. The first five are refused before a name is looked up or a byte is sent."""

    INVALID_URL = "INVALID_URL"
    TOO_LONG = "TOO_LONG"
    UNSUPPORTED_SCHEME = "UNSUPPORTED_SCHEME"
    BLOCKED_PORT = "BLOCKED_PORT"
    BLOCKED_PRIVATE = "BLOCKED_PRIVATE"
    DNS_NXDOMAIN = "DNS_NXDOMAIN"
    DNS_FAILURE = "DNS_FAILURE"
    CONNECTION_REFUSED = "CONNECTION_REFUSED"
    CONNECTION_RESET = "CONNECTION_RESET"
    UNREACHABLE = "UNREACHABLE"
    TIMEOUT = "TIMEOUT"
    TLS_EXPIRED = "TLS_EXPIRED"
    TLS_HOSTNAME = "TLS_HOSTNAME"
    TLS_SELF_SIGNED = "TLS_SELF_SIGNED"
    TLS_PROTOCOL = "TLS_PROTOCOL"
    TOO_MANY_REDIRECTS = "TOO_MANY_REDIRECTS"
    BAD_RESPONSE = "BAD_RESPONSE"


@dataclass(frozen=True, slots=True)
class Hop:
    """A redirect that was followed: where it stood, its status, and where it led (absolute)."""

    url: str
    status: int
    location: str


class Headers(Mapping[str, str]):
    """Headers of an answer, found by their name in any case. Of a repeated one the first; `all` gives every value."""

    __slots__ = ("_values",)

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            self._values.setdefault(name.lower(), []).append(value)

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()][0]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def all(self, name: str) -> list[str]:
        """Return every value of a header in the order of the answer."""
        return list(self._values.get(name.lower(), ()))


@dataclass(frozen=True, slots=True)
class Response:
    """What a server answered at the end of `hops`.

    `url` is the address that answered, `body` is decompressed and at most as long as was asked for: `is_truncated`
    says that there was more. `address` is the IP address that was spoken to, `elapsed_seconds` all hops together.
    """

    url: str
    status: int
    headers: Headers
    body: bytes
    is_truncated: bool
    hops: tuple[Hop, ...]
    address: str
    elapsed_seconds: float


class FetchError(GraphmarkError):
    """Nothing was fetched. `failure` says why, `hops` what was followed before, `url` where it ended.

    The message may be shown to whoever saved the address; it holds nothing that the other side sent.
    """

    code: ClassVar[ErrorCode] = ErrorCode.UNAVAILABLE

    def __init__(self, failure: Failure, message: str, *, url: str, hops: tuple[Hop, ...] = ()) -> None:
        super().__init__(message)
        self.failure = failure
        self.url = url
        self.hops = hops
