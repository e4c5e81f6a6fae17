"""What a generator is asked to do and what it reports: plain values that travel as JSON."""

import base64
from dataclasses import dataclass, field
from typing import Any, TypeVar

import orjson

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpJob:
    """Send one and the same request over `concurrency` kept-alive connections, each waiting for its answer.

    After `warm_up_seconds` that do not count, everything answered within `seconds` counts. `processes` names process
    trees by the id of their root; their CPU time is taken over the same seconds. `request` is base64, see `encoded`.
    """

    port: int
    request: str
    concurrency: int
    seconds: float
    warm_up_seconds: float = 0.5
    processes: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpResult:
    """What `HttpJob` found: `faults` are answers that were no 200 or whose body differed from the first one's."""

    answers: int
    faults: int
    seconds: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    body_bytes: int
    cpu_seconds: dict[str, float]

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return self.answers / self.seconds

    def cpu_ms(self, name: str) -> float:
        """CPU milliseconds that the process tree `name` spent on one answer."""
        return self.cpu_seconds[name] * 1000 / self.answers if self.answers else float("nan")


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketJob:
    """Subscribe over `sockets` connections, make something happen again and again, and count what is delivered.

    Events are made on the database `dsn` by running `statement` with a running number as its only argument, with at
    most `window` of them not delivered to everybody yet. They are made for `seconds`, or until there were `events`;
    then `drain_seconds` remain for the rest to arrive. Connecting and subscribing may take `connect_seconds`.
    `marker` is what every delivery must hold.
    """

    port: int
    path: str
    init: dict[str, Any]
    subscribe: dict[str, Any]
    marker: str
    sockets: int
    dsn: str
    statement: str
    seconds: float
    events: int = 1_000_000
    window: int = 8
    connect_seconds: float = 60.0
    drain_seconds: float = 60.0
    processes: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketResult:
    """What `SocketJob` found.

    `missing` deliveries did not come in time. `idle_bytes` is the memory that the first of the `processes` has gained
    for each subscribed socket when all have heard of an event and nothing goes on. `told` is what each socket was told,
    in its order: a socket that is told anything else, or anything twice, ends the job.
    """

    sockets: int
    events: int
    deliveries: int
    missing: int
    seconds: float
    idle_bytes: float
    cpu_seconds: dict[str, float]
    told: list[str]

    def per_cpu_second(self, name: str) -> float:
        """Deliveries for one second of CPU of the process tree `name`."""
        return self.deliveries / self.cpu_seconds[name] if self.cpu_seconds[name] else float("inf")


def encoded(method: str, path: str, headers: dict[str, str], body: bytes = b"") -> str:
    """Return an HTTP/1.1 request for `HttpJob.request`."""
    lines = [f"{method} {path} HTTP/1.1", "host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body:
        lines.append(f"content-length: {len(body)}")
    return base64.b64encode("\r\n".join([*lines, "", ""]).encode() + body).decode()


def from_json(kind: type[T], text: bytes) -> T:
    """Return a job or a result from its JSON."""
    return kind(**orjson.loads(text))
