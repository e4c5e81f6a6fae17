"""Asking hosts politely: every request of every worker waits for its turn, redirects included.

Redirects are followed here and not by the fetcher, because each hop may lead to another host with its own turn.

A turn is a moment of the database's clock, and the request is sent a little later. So a turn is booked for longer than
hosts are promised, by `LAG_SHARE`, and one that could not be used within that lag (the process was busy, the name
server slow) is booked anew, as is that of a request which a closing connection lost.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from math import inf
from time import monotonic
from typing import Final, Self
from uuid import UUID

from db.unit import Database
from db.validation import hosts
from db.validation.hosts import Pace
from kit.clock import utcnow
from kit.fetch import Failure, Fetcher, FetchError, Hop, Origin, Response
from kit.ids import new_id
from kit.settings import Settings
from kit.urls import RefusedUrl, UrlRefusal, WebAddress, locate
from services.validation.asking import MAX_BODY_BYTES, MAX_HOPS, REDIRECTS, retry_at

PATIENCE_SECONDS: Final = 8.0
"""So long a check waits for its turn; then it is put off, and others go on."""

CLOSED_SECONDS: Final = 60.0
"""A host that is not to be asked for longer than this has asked for patience itself; nobody just waits for it."""

LAG_SHARE: Final = 0.1
"""Between a turn and its request at most this share of the spacing passes."""

STRICT_SECONDS: Final = 0.2
"""Spacings below this are kept on average only: no process is always as quick as a tenth of them."""

_TURNS_ANEW: Final = 5
_ASK_FOR_PATIENCE: Final = frozenset({429, 503})
_NO_ADDRESS: Final = {
    UrlRefusal.EMPTY: Failure.INVALID_URL,
    UrlRefusal.INVALID_URL: Failure.INVALID_URL,
    UrlRefusal.TOO_LONG: Failure.TOO_LONG,
    UrlRefusal.UNSUPPORTED_SCHEME: Failure.UNSUPPORTED_SCHEME,
}


class HostBusyError(Exception):
    """It is not this check's turn yet: try again in `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"try again in {seconds:.1f} s")
        self.seconds = seconds


class HostClosedError(Exception):
    """The host asked to be left alone for `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"closed for {seconds:.0f} s")
        self.seconds = seconds


@dataclass
class Visits:
    """The requests of one check, as a context manager: at its end no host counts them any more.

    At one time it has a place at one host, which it keeps from request to request. `visit` is who visits: the same
    for a check that begins again because its worker has died, lest it waits for the place that it had itself.
    """

    fetcher: Fetcher
    database: Database
    pace: Pace
    visit: UUID = field(default_factory=new_id)
    _host: str | None = None
    _not_before: datetime | None = None
    _turn_at: float | None = None
    """When the turn was at the earliest, by this process's clock; None once it is used."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._leave()

    async def walk(
        self,
        url: str,
        *,
        method: str,
        headers: Mapping[str, str],
        deadline_seconds: float,
        hops: tuple[Hop, ...] = (),
        trusted: Origin | None = None,
    ) -> Response:
        """Return what `url` answers at the end of its redirects; `hops` are those that led to it already.

        Raises `FetchError` with every hop, `HostBusyError` and `HostClosedError`.
        """
        at, seen = _located(url, None, hops), {hop.url.partition("#")[0] for hop in hops}
        while True:
            if at.without_fragment in seen:
                raise FetchError(Failure.TOO_MANY_REDIRECTS, "It redirects in a circle.", url=at.url, hops=hops)
            seen.add(at.without_fragment)
            response = await self._ask(
                at, method=method, headers=headers, deadline_seconds=deadline_seconds, hops=hops, trusted=trusted
            )
            location = response.headers.get("location")
            if response.status not in REDIRECTS or location is None:
                return replace(response, hops=hops)
            if len(hops) == MAX_HOPS:
                message = f"It redirects more than {MAX_HOPS} times."
                raise FetchError(Failure.TOO_MANY_REDIRECTS, message, url=at.url, hops=hops)
            hop = Hop(at.without_fragment, response.status, location)
            at = _located(location, at, (*hops, hop))
            hops = (*hops, replace(hop, location=at.url))

    async def _ask(
        self,
        at: WebAddress,
        *,
        method: str,
        headers: Mapping[str, str],
        deadline_seconds: float,
        hops: tuple[Hop, ...],
        trusted: Origin | None,
    ) -> Response:
        await self._turn(at.authority)
        try:
            response = await self.fetcher.fetch(
                at.without_fragment,
                method=method,
                headers=headers,
                max_bytes=MAX_BODY_BYTES,
                deadline_seconds=deadline_seconds,
                max_redirects=0,
                trusted=trusted,
                before_asking=lambda: self.use_turn(at.authority),
            )
        except FetchError as error:
            error.hops = hops
            raise
        if response.status in _ASK_FOR_PATIENCE:
            self._not_before = retry_at(response.headers.get("retry-after"), utcnow()) or self._not_before
        return response

    async def wait_for(self, url: str) -> None:
        """Wait for a turn at the host of `url`, for whoever asks it by other means, such as a browser.

        Raises `FetchError` for what is no address, `HostBusyError` and `HostClosedError`.
        """
        host = _located(url, None, ()).authority
        await self._turn(host)
        await self.use_turn(host)

    async def use_turn(self, host: str) -> None:
        """Use the turn for a request that is sent at once; wait for another one where it is used or past.

        Raises `HostBusyError` when this process is too busy for any.
        """
        spacing = self.pace.spacing_seconds / (1 + LAG_SHARE)
        lag = LAG_SHARE * spacing if spacing >= STRICT_SECONDS else inf
        for _ in range(_TURNS_ANEW):
            if self._turn_at is not None and monotonic() - self._turn_at <= lag:
                break
            await self._go_on(host)
        else:
            raise HostBusyError(spacing)
        self._turn_at = None

    async def _turn(self, host: str) -> None:
        """Wait for the turn of one more request to `host`."""
        if host == self._host:
            await self._go_on(host)
            return
        await self._leave()
        waited, began = 0.0, monotonic()
        while (wait := await hosts.enter(self.database, host, self.visit, self.pace)) > 0.0:
            if wait > self._closed_seconds:
                raise HostClosedError(wait)
            waited += wait
            if waited > PATIENCE_SECONDS:
                raise HostBusyError(wait)
            await asyncio.sleep(wait)
            began = monotonic()
        self._host, self._turn_at = host, began

    async def _go_on(self, host: str) -> None:
        """Wait for the next turn at the host whose place we have; another visitor may have been told to come later."""
        began = monotonic()
        wait = await hosts.go_on(self.database, host, self.visit, self.pace)
        if wait > self._closed_seconds:
            raise HostClosedError(wait)
        await asyncio.sleep(wait)
        self._turn_at = began + wait

    @property
    def _closed_seconds(self) -> float:
        return max(CLOSED_SECONDS, 2 * self.pace.spacing_seconds)

    async def _leave(self) -> None:
        host, self._host = self._host, None
        not_before, self._not_before = self._not_before, None
        if host is not None:
            await hosts.leave(self.database, host, self.visit, not_before=not_before)


def pace_of(settings: Settings) -> Pace:
    """Return how often turns are booked, so that a host is asked no more often than it is set."""
    booked = settings.host_spacing_seconds * (1 + LAG_SHARE)
    return Pace(concurrency=settings.host_concurrency, spacing_seconds=booked)


def _located(url: str, base: WebAddress | None, hops: tuple[Hop, ...]) -> WebAddress:
    """Take an address apart. Raises `FetchError` for what is none."""
    try:
        return locate(url, base=base)
    except RefusedUrl as refused:
        failure = _NO_ADDRESS[refused.reason]
        if base is not None and failure is not Failure.UNSUPPORTED_SCHEME:
            message = "The server redirects to something that is no address."
            raise FetchError(Failure.BAD_RESPONSE, message, url=base.url, hops=hops[:-1]) from None
        raise FetchError(failure, refused.message, url=url, hops=hops) from None
