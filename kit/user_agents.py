"""Which browser and system a User-Agent header claims to be, out of those known here. It proves nothing."""

from typing import Final

_SYSTEMS: Final = (
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
_BROWSERS: Final = (
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


def browser_of(user_agent: str) -> str | None:
    """Return the name of a browser, or None for none that is known."""
    return next((name for mark, name in _BROWSERS if mark in user_agent), None)


def system_of(user_agent: str) -> str | None:
    """Return the name of a system, or None for none that is known."""
    return next((name for mark, name in _SYSTEMS if mark in user_agent), None)
