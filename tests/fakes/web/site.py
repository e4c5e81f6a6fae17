"""What is declared of a page: where it lies, how it behaves, and what a check and a reader should find."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.fakes.web.exchange import Answer, Exchange
from tests.fakes.web.markup import notice
from tests.fakes.web.topics import Topic

FIRST_OCTET = 10
"""The second octet of the first site's hosts."""

HOSTS = 65_000
"""How many hosts a site has at most."""


@dataclass(frozen=True)
class Check:
    """What a link check should say.

    `verdict` is the one after a first check, `later` that after the page was the same at each of several checks, days
    apart. `http_status` None: no answer came, or it is no matter. `final` is the path that the check ends at when it is
    another.
    """

    status: str
    verdict: str
    later: str
    http_status: int | None = 200
    final: str | None = None


@dataclass(frozen=True)
class Reading:
    """What a reader should find on the page; None: nothing is said, or it is no matter.

    `title` is without the edition's number when `is_numbered`. Addresses are paths on the page's own host.
    """

    title: str | None = None
    description: str | None = None
    author: str | None = None
    site_name: str | None = None
    language: str | None = None
    published: str | None = None
    image: str | None = None
    canonical: str | None = None
    keywords: tuple[str, ...] = ()
    is_numbered: bool = True
    is_script_only: bool = False


async def nowhere(exchange: Exchange) -> None:
    """Say that there is no such page, as it should be said."""
    await exchange.answer(404, notice("404 Not Found", "There is no such page on this server."))


async def start_page(exchange: Exchange) -> None:
    """Welcome whoever comes to the root of a host."""
    await exchange.answer(200, notice("Welcome", "This is where the host begins. Its pages lie elsewhere."))


@dataclass(frozen=True)
class Site:
    """One declared page and the hosts that serve it.

    `others` are further pages of the same hosts, `elsewhere` answers every other path. `share` is how often the page
    occurs in a library, beside 10 for an ordinary article; 0 keeps it out. `listens` names the port it is served at.
    `shown` is what somebody finds who follows signposts and runs scripts, where it is not the same as `reading`.
    """

    name: str
    answer: Answer
    check: Check
    reading: Reading | None = None
    topic: Topic | None = None
    path: str = "/page"
    others: Mapping[str, Answer] = field(default_factory=dict)
    elsewhere: Answer = nowhere
    share: int = 1
    listens: str = "http"
    shown: Reading | None = None

    def handler(self, path: str) -> Answer:
        """Return what answers a path of one of this site's hosts."""
        if path == self.path:
            return self.answer
        found = self.others.get(path)
        if found is None:
            found = start_page if path == "/" else self.elsewhere
        return found


def host_of(index: int, copy: int) -> str:
    """Return the address of a site's host; copies count from 1."""
    if not 1 <= copy <= HOSTS:
        raise ValueError(f"a site has hosts 1 to {HOSTS}, not {copy}")
    return f"127.{FIRST_OCTET + index}.{copy >> 8}.{copy & 255}"


def index_of(host: str) -> int:
    """Return which site a host belongs to, in the order of the table; negative for none."""
    return int(host.split(".")[1]) - FIRST_OCTET
