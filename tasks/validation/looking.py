"""Looking at one address: HEAD, then GET where it is needed, then the page, then perhaps a question to the server.

What comes out is an observation that every owner of the address may share: nothing in it is anybody's own.
"""

import asyncio
import hashlib
from dataclasses import dataclass
from datetime import datetime
from secrets import token_hex
from typing import Final

from db.validation import hosts
from db.validation.health import HealthRow
from db.validation.hosts import ProbeRow
from kit.clock import utcnow
from kit.errors import Unavailable
from kit.fetch import FetchError, Hop, Response
from kit.page import Page, PageReader, PageUnreadable
from kit.urls import locate
from services.validation import signs
from services.validation.answers import is_bomb, permanent_target, status_of, status_of_failure
from services.validation.asking import (
    PERMANENT_REDIRECTS,
    get_headers,
    head_headers,
    is_html,
    needs_get,
    needs_get_after,
    retry_at,
    validator,
)
from services.validation.content import is_same_text
from services.validation.recording import content_of, saved_of
from services.validation.signs import Reading
from services.validation.states import SUCCESSES, Fingerprint, LinkDetail, LinkStatus, Observation
from tasks.validation.visits import HostBusyError, HostClosedError, Visits

HEAD_SECONDS: Final = 10.0
GET_SECONDS: Final = 30.0
PROBE_DAYS: Final = 7
_DAY_SECONDS: Final = 86_400.0
_PROBE_BYTES: Final = 8
_READER_BUSY_SECONDS: Final = 1.0
_READER_TRIES: Final = 30
_WHOLE, _PART, _NOT_MODIFIED, _RANGE_REFUSED = 200, 206, 304, 416
_WITHOUT_BODY: Final = frozenset({204, 205})


@dataclass(frozen=True)
class Look:
    """One look at the address `url`. `known` is what was known of it before, None the first time."""

    visits: Visits
    pages: PageReader
    url: str
    known: HealthRow | None

    async def observe(self) -> Observation:
        """Return what is to be seen. Raises `HostBusyError` when it is to be tried later."""
        began = utcnow()
        try:
            return await self._observe(began)
        except HostClosedError as closed:
            until = retry_at(str(int(closed.seconds) + 1), began)
            return Observation(LinkStatus.RATE_LIMITED, began, http_status=429, retry_at=until)
        except FetchError as error:
            status, detail = status_of_failure(error.failure)
            return Observation(status, began, detail, final_url=error.url, duration_ms=_since(began))

    async def _observe(self, began: datetime) -> Observation:
        response = await self._head()
        if response is not None and response.status == _NOT_MODIFIED and self.known is not None:
            return self._repeated(response, began, self.known)
        hops: tuple[Hop, ...] = ()
        at = self.url
        if response is not None and not needs_get(response.status, response.headers):
            told = self._told(response, began)
            if not (told.is_success and is_html(response.headers.get("content-type"))):
                return told
            hops, at = response.hops, response.url
        response = await self._get(at, hops)
        told = self._told(response, began)
        if not told.is_success or not is_html(response.headers.get("content-type")):
            return told
        return await self._read(response, told, began)

    async def _head(self) -> Response | None:
        """Return the answer to HEAD, None when GET has to tell. Validators go with it."""
        known, headers = self.known, {}
        if known is not None and known.http_status == _WHOLE:
            headers = head_headers(known.etag, known.last_modified)
        try:
            return await self.visits.walk(self.url, method="HEAD", headers=headers, deadline_seconds=HEAD_SECONDS)
        except FetchError as error:
            if needs_get_after(error.failure):
                return None
            raise

    async def _get(self, url: str, hops: tuple[Hop, ...]) -> Response:
        response = await self.visits.walk(
            url, method="GET", headers=get_headers(), deadline_seconds=GET_SECONDS, hops=hops
        )
        if response.status == _RANGE_REFUSED:  # what is empty has no first byte
            response = await self.visits.walk(
                response.url, method="GET", headers={}, deadline_seconds=GET_SECONDS, hops=response.hops
            )
        return response

    def _told(self, response: Response, began: datetime) -> Observation:
        """Return what an answer tells before its page is read."""
        status, detail = status_of(
            response.status, response.headers, [hop.status in PERMANENT_REDIRECTS for hop in response.hops]
        )
        if status in SUCCESSES and is_bomb(response.headers, len(response.body), is_truncated=response.is_truncated):
            status = LinkStatus.TOO_LARGE
        if status in SUCCESSES and response.hops:
            status, detail = signs.signs_of_address(self.url, response.url) or (status, detail)
        target = permanent_target([(hop.status, hop.location) for hop in response.hops])
        return Observation(
            status,
            began,
            detail,
            http_status=_WHOLE if response.status == _PART else response.status,
            final_url=response.url,
            permanent_url=target if status in SUCCESSES else None,
            retry_at=retry_at(response.headers.get("retry-after"), began),
            etag=validator(response.headers.get("etag")),
            last_modified=validator(response.headers.get("last-modified")),
            duration_ms=_since(began),
        )

    def _repeated(self, response: Response, began: datetime, known: HealthRow) -> Observation:
        """Return what was seen before, because nothing changed since: the same page, perhaps by another way."""
        told = self._told(response, began)
        status, detail = told.status, told.detail
        if told.is_success and LinkStatus(known.status) not in SUCCESSES:
            status, detail = LinkStatus(known.status), None if known.detail is None else LinkDetail(known.detail)
        return Observation(
            status,
            began,
            detail,
            http_status=known.http_status,
            final_url=told.final_url,
            permanent_url=told.permanent_url if status in SUCCESSES else None,
            canonical_url=known.canonical_url,
            etag=told.etag or known.etag,
            last_modified=told.last_modified or known.last_modified,
            body_digest=known.body_digest,
            fingerprint=content_of(known),
            is_unmodified=True,
            duration_ms=_since(began),
        )

    async def _read(self, response: Response, told: Observation, began: datetime) -> Observation:
        """Return what the page tells beyond the answer."""
        digest, known = hashlib.sha256(response.body).digest(), self.known
        if not response.body.strip() and response.status not in _WITHOUT_BODY and told.status in SUCCESSES:
            return _with(told, (LinkStatus.SOFT_404, LinkDetail.EMPTY), None, digest)
        is_same = known is not None and known.body_digest == digest and known.final_url == told.final_url
        if is_same and known is not None and known.http_status is not None and content_of(known) is not None:
            return self._repeated(response, began, known)
        page = await self._page(response)
        if page is None:
            return _with(told, (told.status, told.detail), None, digest)
        reading = Reading(self.url, response.url, page)
        found = (told.status, told.detail)
        if told.status is not LinkStatus.TOO_LARGE:
            found = signs.signs_of_page(reading) or found
            if found[0] in SUCCESSES and await self._is_error_page(reading, page):
                found = (LinkStatus.SOFT_404, LinkDetail.SAME_AS_RANDOM)
        return _with(told, found, page, digest)

    async def _page(self, response: Response) -> Page | None:
        """Return the page of an answer, None where there is none to be read. Waits while the readers are busy."""
        content_type = response.headers.get("content-type")
        for _ in range(_READER_TRIES):
            try:
                return await self.pages.read(response.body, url=response.url, content_type=content_type)
            except PageUnreadable:
                return None
            except Unavailable:
                await asyncio.sleep(_READER_BUSY_SECONDS)
        raise HostBusyError(_READER_BUSY_SECONDS)

    async def _is_error_page(self, reading: Reading, page: Page) -> bool:
        """Tell whether the server shows the same page for an address that cannot exist."""
        saved = saved_of(self.known)
        is_unlike = saved is not None and not is_same_text(saved, signs.fingerprint_of(page))
        if not signs.is_suspicious(reading, is_unlike_saved=is_unlike):
            return False
        host, database = locate(reading.final_url).authority, self.visits.database
        lately = PROBE_DAYS * _DAY_SECONDS
        # Nobody waits for somebody else's probe: who has a place at the host may ask it once more, at worst twice for
        # nothing, and a worker that dies in the middle leaves no gap.
        if await hosts.probe_of(database, host, within_seconds=lately) is None:
            shown = await self._probe(reading.final_url)
            await hosts.keep_probe(
                database,
                host,
                title=None if shown is None else signs.title_of(shown),
                digest=None if shown is None else shown.digest,
                simhash=None if shown is None else shown.fingerprint,
                words=None if shown is None else shown.word_count,
            )
        return _matches(page, await hosts.probe_of(database, host, within_seconds=lately))

    async def _probe(self, url: str) -> Page | None:
        """Ask a server for a neighbour of `url` that cannot exist; return the page that it shows, if any."""
        neighbour = signs.sibling(url, token_hex(_PROBE_BYTES))
        try:
            response = await self.visits.walk(
                neighbour, method="GET", headers=get_headers(), deadline_seconds=GET_SECONDS
            )
        except (FetchError, HostClosedError):
            return None
        told = self._told(response, utcnow())
        if not told.is_success or not is_html(response.headers.get("content-type")):
            return None
        return await self._page(response)


def _with(
    told: Observation, found: tuple[LinkStatus, LinkDetail | None], page: Page | None, digest: bytes
) -> Observation:
    status, detail = found
    return Observation(
        status,
        told.fetched_at,
        detail,
        http_status=told.http_status,
        final_url=told.final_url,
        permanent_url=told.permanent_url if status in SUCCESSES else None,
        canonical_url=None if page is None else page.canonical_url,
        retry_at=told.retry_at,
        etag=told.etag,
        last_modified=told.last_modified,
        body_digest=digest,
        fingerprint=None if page is None else signs.fingerprint_of(page),
        duration_ms=_since(told.fetched_at),
    )


def _matches(page: Page, probe: ProbeRow | None) -> bool:
    if probe is None or probe.digest is None or probe.simhash is None or probe.words is None:
        return False
    return signs.is_like_random(page, probe.title, Fingerprint(probe.digest, probe.simhash, probe.words))


def _since(began: datetime) -> int:
    return round((utcnow() - began).total_seconds() * 1_000)
