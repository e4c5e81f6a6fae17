"""A library over the pages of the local web: a bookmark file, and what must become of each bookmark.

The same seed and size give the same library, whatever the ports: bookmarks are known by page and edition.
"""

import html
import random
from collections import Counter
from dataclasses import dataclass

from tests.fakes.web.addresses import Addresses
from tests.fakes.web.certificates import COPIES
from tests.fakes.web.markup import numbered
from tests.fakes.web.site import Site
from tests.fakes.web.table import SITES

PER_HOST = 2
"""How many bookmarks lie on one host."""

MOST_SLOW = 1
SLOW = frozenset({"slow-loris", "silent", "head-hangs", "nested", "tag-soup", "gzip-bomb", "endless"})
"""Pages that take somebody's time; a library has few of them, whatever its size."""

UNSORTED = "Unsorted"
_UNTITLED, _TAGGED = 0.3, 0.6


@dataclass(frozen=True)
class Entry:
    """A bookmark of the library: its page and edition, and how its owner keeps it. `title` is empty for some."""

    site: Site
    number: int
    copy: int
    title: str
    folder: str
    tags: tuple[str, ...]

    def url(self, web: Addresses) -> str:
        """Return its address in a running web."""
        return web.url(self.site.name, self.number, self.copy)


class Library:
    """Some `bookmarks` over all the pages that have a share, or over those called `names`, made from a seed."""

    def __init__(self, bookmarks: int, *, seed: int = 1, names: frozenset[str] | None = None) -> None:
        chance = random.Random(seed)
        sites = [site for site in SITES if (site.share if names is None else site.name in names)]
        counts = _shared_out(sites, bookmarks)
        self.entries = [_entry(site, number, chance) for site in sites for number in range(1, counts[site.name] + 1)]
        chance.shuffle(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def counts(self, what: str) -> Counter[str]:
        """Return how many bookmarks should have each `status` or each `verdict` after a first check."""
        return Counter(str(getattr(entry.site.check, what)) for entry in self.entries)

    def file(self, web: Addresses) -> str:
        """Return the library as a browser exports it."""
        lines = ["<!DOCTYPE NETSCAPE-Bookmark-file-1>", "<TITLE>Bookmarks</TITLE>", "<H1>Bookmarks</H1>", "<DL><p>"]
        for folder in sorted({entry.folder for entry in self.entries}):
            lines += [f"<DT><H3>{html.escape(folder)}</H3>", "<DL><p>"]
            lines += [_line(entry, web) for entry in self.entries if entry.folder == folder]
            lines.append("</DL><p>")
        return "\n".join([*lines, "</DL><p>", ""])


def _shared_out(sites: list[Site], bookmarks: int) -> dict[str, int]:
    """Return how many bookmarks each page gets: at least one, by its share, few of the slow ones; exact in sum."""
    if bookmarks < len(sites):
        raise ValueError(f"a library over {len(sites)} pages has at least as many bookmarks")
    weights = {site.name: max(site.share, 1) for site in sites}
    total = sum(weights.values())
    counts = {name: max(1, bookmarks * weight // total) for name, weight in weights.items()}
    for site in sites:
        if site.name in SLOW:
            counts[site.name] = MOST_SLOW
        elif site.listens != "http":
            counts[site.name] = min(counts[site.name], COPIES)
    rest = bookmarks - sum(counts.values())
    ordinary = [site.name for site in sites if site.share == max(weights.values())]
    for step in range(abs(rest)):
        counts[ordinary[step % len(ordinary)]] += 1 if rest > 0 else -1
    return counts


def _entry(site: Site, number: int, chance: random.Random) -> Entry:
    topic = site.topic
    name = numbered(topic.title if topic else f"A page called {site.name}", number)
    title = "" if chance.random() < _UNTITLED else name
    tags = topic.tags if topic and chance.random() < _TAGGED else ()
    copy = (number - 1) // PER_HOST + 1
    return Entry(site, number, copy, title, topic.category if topic else UNSORTED, tags)


def _line(entry: Entry, web: Addresses) -> str:
    tags = f' TAGS="{html.escape(",".join(entry.tags))}"' if entry.tags else ""
    return f'<DT><A HREF="{html.escape(entry.url(web))}"{tags}>{html.escape(entry.title)}</A>'
