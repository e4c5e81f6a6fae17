"""Cursors: those that earlier answers showed, by the order that they belong to, and ones that nobody was given."""

import base64
import random
import re
from collections import defaultdict
from datetime import UTC, datetime
from uuid import UUID

import orjson

from kit.paging import encode_cursor
from services.search.find import Query, SearchMode
from services.search.meaning import condition_of
from services.search.parser import parse

_LOOKS_LIKE_ONE = re.compile(rb'"([A-Za-z0-9_-]{40,2000})"')
_KEPT, _READ = 60, 12
SEARCHES = ("example", "rust OR python", "ex*", "is:unread", "-is:favorite", 'title:"long long"', "tag:plain", "#t say")
"""Queries of the search, of each kind of term."""


def order_of_search(query: str) -> str:
    """Return the name of the order that the cursors of a query belong to."""
    node = parse(query)
    return Query(node, condition_of(node), SearchMode.HYBRID).order


class Cursors:
    """A pool of cursors that grows with the answers."""

    def __init__(self) -> None:
        self._known: dict[str, list[str]] = defaultdict(list)
        self.searches = {order_of_search(query): query for query in SEARCHES}

    def harvest(self, body: bytes) -> None:
        """Remember some of the cursors in an answer."""
        for found in _LOOKS_LIKE_ONE.findall(body)[:_READ]:
            order = _order(found.decode())
            if order is not None:
                known = self._known[order]
                known.append(found.decode())
                del known[:-_KEPT]

    def orders(self, prefix: str) -> list[str]:
        """Return the orders whose cursors are known and whose names begin with `prefix`."""
        return [order for order in self._known if order.startswith(prefix)]

    def of(self, rng: random.Random, order: str) -> str:
        """Return a cursor of an order in `orders`."""
        return rng.choice(self._known[order])

    def wrong(self, rng: random.Random, order: str) -> str:
        """Return a cursor that is damaged, invented, of another order, or whole but with odd values."""
        kind = rng.randrange(5)
        known = self._known.get(order)
        if kind == 0 and known:
            cursor = rng.choice(known)
            place = rng.randrange(len(cursor))
            return cursor[:place] + rng.choice("Aa0_-=") + cursor[place + 1 :]
        if kind == 1 and self._known:
            return self.of(rng, rng.choice(list(self._known)))
        if kind == 2:
            return rng.choice(("", "x", "é", "AAAA", "=" * 9, "A" * 5000))
        value = rng.choice((None, 0, -1, 2**62, 1.5, "", "a", "\u0001", "2026-01-01", datetime(1, 1, 1, tzinfo=UTC)))
        last = rng.choice((UUID(int=0), UUID(int=2**128 - 1), None, "none"))
        return encode_cursor(order, (value, last) if kind == 3 else (last,))


def _order(cursor: str) -> str | None:
    """Return the name in a cursor, or None when the text is none."""
    try:
        body = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_")[4:]
        name, *values = orjson.loads(body)
    except ValueError:
        return None
    return name if isinstance(name, str) and values and encode_cursor(name, tuple(values)) == cursor else None
