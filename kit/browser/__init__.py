"""A browser for pages that need JavaScript: optional, capped, behind the same gate as `kit.fetch`."""

from kit.browser.pool import Browser, Rendered

__all__ = ["Browser", "Rendered"]
