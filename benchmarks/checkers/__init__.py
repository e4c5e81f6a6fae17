"""Link checkers to compare, each run in a process of its own: what checks, and the little web that is checked.

    python -m benchmarks.checkers serve            # the web; prints its port
    python -m benchmarks.checkers check NAME PORT  # checks it once; prints what came out as JSON

Every checker asks HEAD of the same addresses, as many at once, and has to find the same ones broken.
"""

from dataclasses import dataclass
from typing import Final

LATENCY_SECONDS: Final = 0.05
"""How long the server thinks about each link."""
BROKEN_EVERY: Final = 50
"""One link in so many is answered with 404."""
PYTHON: Final = ("kit.fetch", "httpx2 on kit.fetch", "aiohttp", "httpx")
"""The checkers of `python.py`, in the order of the table."""
HOST: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Checked:
    """What a checker found, and in how many seconds of the clock and of its processor."""

    links: int
    broken: int
    seconds: float
    cpu_seconds: float


def links_of(port: int, count: int) -> list[str]:
    """Return the addresses of the links."""
    return [f"http://{HOST}:{port}/links/{number}" for number in range(count)]


def broken_of(count: int) -> int:
    """Return how many of them are broken."""
    return len(range(0, count, BROKEN_EVERY))
