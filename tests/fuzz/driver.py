"""Runs a property for a moment in the suite, and for as long as it is told in `make fuzz`.

`GRAPHMARK_FUZZ_SECONDS=600` is how long each property is tried. What fails is printed as hypothesis has made it small;
add it as an `@example`, or to the tests beside what broke.
"""

import itertools
import os
from collections.abc import Callable
from time import monotonic
from typing import Any, Final, TypeVar

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

SECONDS: Final = float(os.environ.get("GRAPHMARK_FUZZ_SECONDS", "0"))
FEW, MANY = 60, 2_000
T = TypeVar("T")
E = TypeVar("E", bound=Exception)


def fuzz(values: st.SearchStrategy[T], check: Callable[[T], Any]) -> int:
    """Let `check` look at values until the time is over; return how many it has seen. What it raises is a failure."""
    seen = 0

    def look(value: T) -> None:
        nonlocal seen
        seen += 1
        check(value)

    patient = settings(
        max_examples=MANY if SECONDS else FEW,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    until = monotonic() + SECONDS
    for number in itertools.count(int(monotonic()) if SECONDS else 0):
        seed(number)(patient(given(values)(look)))()
        if monotonic() >= until:
            print(f"{seen:,} values")  # noqa: T201  what a long run tells
            return seen
    raise AssertionError("unreachable")


def tried(kind: type[E], work: Callable[..., T], *arguments: Any) -> tuple[T | None, E | None]:
    """Return what came of `work`, or how it was refused by an error of `kind`; any other error is a failure."""
    try:
        return work(*arguments), None
    except kind as refusal:
        return None, refusal


ODD: Final = [
    *(b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\r\n"),
    *(b'"', b"\\", b"{", b"}", b"[", b"<", b"&#0;", b"--"),
]


def mutated(samples: list[bytes]) -> st.SearchStrategy[bytes]:
    """Return pieces of samples, cut, repeated, joined and mixed with bytes that mean something to parsers."""
    sample, odd, place = st.sampled_from(samples), st.sampled_from(ODD), st.integers(0, 400)
    cut = st.builds(lambda text, begin, end: text[min(begin, end) : max(begin, end)], sample, place, place)
    often = st.builds(lambda one, times: one * times, odd, st.integers(1, 300))
    piece = st.one_of(sample, cut, cut, odd, st.binary(max_size=20), often)
    return st.lists(piece, max_size=12).map(b"".join)
