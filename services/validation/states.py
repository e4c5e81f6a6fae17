"""What a check of a link can find (the status), and what is believed of the link (the verdict).

A status says what one check saw. A verdict is drawn from several (services.validation.verdicts): a server that refuses
robots or is down for a day has a status that is no success, and is not dead.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from db.validation.states import LinkStatus, Verdict

__all__ = [
    "STRIKES",
    "SUCCESSES",
    "ContentState",
    "Fingerprint",
    "LinkDetail",
    "LinkStatus",
    "Observation",
    "Verdict",
]


class LinkDetail(StrEnum):
    """Why a check saw what it saw, where the status alone does not tell."""

    NXDOMAIN = "NXDOMAIN"
    RESOLVER_FAILED = "RESOLVER_FAILED"
    RESET = "RESET"
    UNREACHABLE = "UNREACHABLE"
    BAD_RESPONSE = "BAD_RESPONSE"
    EXPIRED = "EXPIRED"
    HOSTNAME = "HOSTNAME"
    SELF_SIGNED = "SELF_SIGNED"
    PROTOCOL = "PROTOCOL"
    PORT = "PORT"
    CAPTCHA = "CAPTCHA"
    LOGIN_WALL = "LOGIN_WALL"
    SAYS_NOT_FOUND = "SAYS_NOT_FOUND"
    REDIRECTED_TO_ROOT = "REDIRECTED_TO_ROOT"
    ERROR_PAGE = "ERROR_PAGE"
    SAME_AS_RANDOM = "SAME_AS_RANDOM"
    EMPTY = "EMPTY"


class ContentState(StrEnum):
    """How what the page says now compares with what it said when it was first read."""

    UNKNOWN = "UNKNOWN"
    UNCHANGED = "UNCHANGED"
    CHANGED = "CHANGED"
    REPLACED = "REPLACED"
    PARKED = "PARKED"
    EMPTIED = "EMPTIED"


SUCCESSES: Final = frozenset(
    {LinkStatus.OK, LinkStatus.REDIRECTED_TEMPORARY, LinkStatus.REDIRECTED_PERMANENT, LinkStatus.TOO_LARGE}
)
"""The page is there. One of more than we read is there too."""

STRIKES: Final = frozenset(
    {
        LinkStatus.NOT_FOUND,
        LinkStatus.GONE,
        LinkStatus.SOFT_404,
        LinkStatus.CLIENT_ERROR,
        LinkStatus.DNS_FAILURE,
        LinkStatus.CONNECTION_REFUSED,
        LinkStatus.PARKED,
        LinkStatus.TOO_MANY_REDIRECTS,
    }
)
"""Says that the page is not there; several of these over days make a link dead. All that is neither a success nor one
of these says nothing: whoever asked was refused, or could not ask."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What a page said: SHA-256 of its main text, 64-bit SimHash of it as a signed integer, and its words."""

    digest: bytes
    simhash: int
    words: int


@dataclass(frozen=True, slots=True)
class Observation:
    """What one check saw. Addresses are absolute.

    `permanent_url` is where the permanent redirects at the beginning of the way lead, None without any. `retry_at` is
    when the server allows the next request. `etag` and `last_modified` are validators to send next time; `body_digest`
    tells whether the same bytes came again. `is_unmodified`: the server said that nothing changed (304). `fetched_at`
    is when the server was asked: a check that shares another one's answer has its time.
    """

    status: LinkStatus
    fetched_at: datetime
    detail: LinkDetail | None = None
    http_status: int | None = None
    final_url: str | None = None
    permanent_url: str | None = None
    canonical_url: str | None = None
    retry_at: datetime | None = None
    etag: str | None = None
    last_modified: str | None = None
    body_digest: bytes | None = None
    fingerprint: Fingerprint | None = None
    is_unmodified: bool = field(default=False, compare=False)
    duration_ms: int = field(default=0, compare=False)

    @property
    def is_success(self) -> bool:
        """Whether the page is there."""
        return self.status in SUCCESSES
