"""A small web on this machine's loopback: good pages, moved ones, hostile ones, in several languages.

    async with Web() as web:
        web.url("bread", 7)             # http://127.10.0.1:PORT/articles/bread?n=7
        web.journal.most_in_flight()    # what was asked, and how politely

Every page is declared in `table.SITES` with what a link check and a reader should find. Its hosts are 127.X.Y.Z, where
X is the page; fetching them needs ALLOW_PRIVATE_NETWORKS=127.0.0.0/8. `python -m tests.fakes.web` serves the same from
a process of its own; see `process.web_process`.
"""

from tests.fakes.web.addresses import Addresses
from tests.fakes.web.journal import Asked, Journal
from tests.fakes.web.server import Web
from tests.fakes.web.site import Check, Reading, Site
from tests.fakes.web.table import BY_NAME, SITES

__all__ = ["BY_NAME", "SITES", "Addresses", "Asked", "Check", "Journal", "Reading", "Site", "Web"]
