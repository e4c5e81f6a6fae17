"""Naming the program behind a User-Agent header, from a list: the header itself is whatever its sender wrote."""

from typing import Final

MAX_HEADER_CHARS: Final = 300
# The first that fits counts: most browsers also claim to be the ones below them.
_PROGRAMS: Final = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
    ("python", "a Python program"),
)
_SYSTEMS: Final = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def program(user_agent: str) -> str:
    """Return a name such as `Firefox on Linux`; `a program of another kind` when nothing is known, '' for no header."""
    header = user_agent[:MAX_HEADER_CHARS]
    if not header:
        return ""
    named = _first(header, _PROGRAMS)
    system = _first(header, _SYSTEMS)
    if named and system:
        return f"{named} on {system}"
    return named or (f"a program on {system}" if system else "a program of another kind")


def _first(header: str, known: tuple[tuple[str, str], ...]) -> str:
    return next((name for mark, name in known if mark in header), "")
