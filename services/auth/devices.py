"""What a device is called: a short name made of what a browser or program says of itself."""

import re

_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
# In this order: most browsers also claim to be those further down.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Vivaldi/", "Vivaldi"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("HeadlessChrome/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_PROGRAM = re.compile(r"[0-9A-Za-z][0-9A-Za-z ._-]{0,39}")
UNKNOWN = "Unknown device"


def device_name(user_agent: str) -> str:
    """Return how a device is shown, such as `Firefox on Linux` or `curl`: at most 60 printable characters.

    It is what the device says, so it helps people to know their own again and proves nothing.
    """
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), None)
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), None)
    if browser is None:
        program = _PROGRAM.match(user_agent.partition("/")[0])
        browser = program.group().strip() if program is not None and not user_agent.startswith("Mozilla") else None
    if browser is None:
        return system or UNKNOWN
    return browser if system is None else f"{browser} on {system}"
