"""A browser for pages that need JavaScript: optional, capped, behind the same gate as `kit.fetch`.

Whoever opens one imports `kit.browser.opening`; this does not load what drives it.
"""

from kit.browser.finding import OFF, find_chromium
from kit.browser.pool import Browser, Rendered

__all__ = ["OFF", "Browser", "Rendered", "find_chromium"]
