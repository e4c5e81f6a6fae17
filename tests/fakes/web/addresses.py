"""Where the pages of a running local web lie."""

from collections.abc import Mapping

from tests.fakes.web.site import Site, host_of
from tests.fakes.web.table import BY_NAME


class Addresses:
    """The ports of a local web by what listens there. Its hosts are 127.X.Y.Z, one or more for each page."""

    def __init__(self, ports: Mapping[str, int]) -> None:
        self.ports = dict(ports)

    def host(self, name: str, copy: int = 1) -> str:
        """Return a host of the page called `name`; copies count from 1, and each is a server to be polite to."""
        index, _ = BY_NAME[name]
        return host_of(index, copy)

    def origin(self, name: str, copy: int = 1) -> str:
        """Return scheme, host and port of a page."""
        site = the_site(name)
        scheme = "http" if site.listens in {"http", "closed"} else "https"
        return f"{scheme}://{self.host(name, copy)}:{self.ports[site.listens]}"

    def url(self, name: str, number: int = 0, copy: int = 1, *, path: str | None = None) -> str:
        """Return the address of an edition of a page, or of another path of its host."""
        query = f"?n={number}" if number else ""
        return f"{self.origin(name, copy)}{the_site(name).path if path is None else path}{query}"

    @property
    def control(self) -> str:
        """Where a web that runs in another process tells its journal and takes its switches."""
        return f"http://127.0.0.1:{self.ports['http']}"


def the_site(name: str) -> Site:
    """Return the page called `name`."""
    return BY_NAME[name][1]
