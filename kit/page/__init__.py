"""Reading a page: what it says of itself, and its main text.

`PageReader` does it in child processes; `distance` tells how alike two pages are by their fingerprints.
"""

from kit.page.page import Page, PageUnreadable
from kit.page.reader import MAX_BODY_BYTES, PageReader, ReaderBusy
from kit.page.words import distance

__all__ = ["MAX_BODY_BYTES", "Page", "PageReader", "PageUnreadable", "ReaderBusy", "distance"]
