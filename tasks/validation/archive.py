"""The nearest archived copy of a link that seems broken, by the Wayback availability API or whatever speaks like it.

The archive is asked through the same door as everything else, politely. When it cannot be reached it is left alone for
a while: checking links never waits for it.
"""

from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Any, Final
from urllib.parse import urlencode

import orjson

from kit.fetch import FetchError, Response
from kit.urls import MAX_URL_BYTES, RefusedUrl, locate
from tasks.validation.visits import HostBusyError, HostClosedError, Visits

ARCHIVE_SECONDS: Final = 10.0
AWAY_SECONDS: Final = 300.0
_OK: Final = 200


@dataclass
class Archive:
    """Asks the archive at `base`, an address; nothing is asked when it is empty. One for each worker process."""

    base: str
    _away_until: float = 0.0

    async def nearest(self, visits: Visits, url: str, saved_at: datetime) -> tuple[bool, str | None]:
        """Return whether the archive answered, and its copy of `url` nearest to `saved_at` if it has one.

        An address in a private network is told to nobody.
        """
        if not self.base or monotonic() < self._away_until:
            return False, None
        try:
            place, there = locate(self.base), locate(url)
            if there.is_private and not place.is_private:
                return False, None
            asked = urlencode({"url": there.without_fragment, "timestamp": f"{saved_at:%Y%m%d%H%M%S}"})
            response = await visits.walk(
                f"{place.without_fragment}{'&' if '?' in place.target else '?'}{asked}",
                method="GET",
                headers={"Accept": "application/json"},
                deadline_seconds=ARCHIVE_SECONDS,
                trusted=place.origin,
            )
        except HostBusyError:
            return False, None
        except (FetchError, HostClosedError, RefusedUrl):
            self._away_until = monotonic() + AWAY_SECONDS
            return False, None
        if response.status != _OK:
            self._away_until = monotonic() + AWAY_SECONDS
            return False, None
        return True, _copy_in(response)


def _copy_in(response: Response) -> str | None:
    """Return the address of the copy in an answer, None when it has none that can be opened."""
    try:
        answer: Any = orjson.loads(response.body)
        closest = answer["archived_snapshots"]["closest"]
        if not closest["available"] or not isinstance(closest["url"], str):
            return None
        url = locate(closest["url"]).url
    except (ValueError, KeyError, TypeError, RefusedUrl):
        return None
    if url.startswith("http://web.archive.org/"):
        url = "https" + url.removeprefix("http")
    return url if len(url) <= MAX_URL_BYTES else None
