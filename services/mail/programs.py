"""Naming the program behind a User-Agent header, from a list: the header itself is whatever its sender wrote."""

from typing import Final

from kit.user_agents import browser_of, system_of

MAX_HEADER_CHARS: Final = 300
_OTHERS: Final = (("curl/", "curl"), ("python", "a Python program"))


def program(user_agent: str) -> str:
    """Return a name such as `Firefox on Linux`; `a program of another kind` when nothing is known, '' for no header."""
    header = user_agent[:MAX_HEADER_CHARS]
    if not header:
        return ""
    named = browser_of(header) or next((name for mark, name in _OTHERS if mark in header), None)
    system = system_of(header)
    if named and system:
        return f"{named} on {system}"
    return named or (f"a program on {system}" if system else "a program of another kind")
