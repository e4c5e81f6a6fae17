"""What a device is called: a short name made of what a browser or program says of itself."""

import re

from kit.user_agents import browser_of, system_of

_PROGRAM = re.compile(r"[0-9A-Za-z][0-9A-Za-z ._-]{0,39}")
UNKNOWN = "Unknown device"


def device_name(user_agent: str) -> str:
    """Return how a device is shown, such as `Firefox on Linux` or `curl`: at most 60 printable characters.

    It is what the device says, so it helps people to know their own again and proves nothing.
    """
    browser, system = browser_of(user_agent), system_of(user_agent)
    if browser is None:
        program = _PROGRAM.match(user_agent.partition("/")[0])
        browser = program.group().strip() if program is not None and not user_agent.startswith("Mozilla") else None
    if browser is None:
        return system or UNKNOWN
    return browser if system is None else f"{browser} on {system}"
