"""Reading a page: what it says of itself, and its main text."""

from kit.page.page import Page, PageUnreadable

__all__ = ["Page", "PageUnreadable"]
