"""What an answer of a server, or its absence, means: its status. Nothing here looks at the text of a page."""

from typing import Final

from kit.fetch import Failure, Headers
from services.validation.asking import PERMANENT_REDIRECTS
from services.validation.states import LinkDetail, LinkStatus

Seen = tuple[LinkStatus, LinkDetail | None]

_FAILURES: Final[dict[Failure, Seen]] = {
    Failure.INVALID_URL: (LinkStatus.INVALID_URL, None),
    Failure.TOO_LONG: (LinkStatus.INVALID_URL, None),
    Failure.UNSUPPORTED_SCHEME: (LinkStatus.UNSUPPORTED_SCHEME, None),
    Failure.BLOCKED_PORT: (LinkStatus.BLOCKED_PRIVATE, LinkDetail.PORT),
    Failure.BLOCKED_PRIVATE: (LinkStatus.BLOCKED_PRIVATE, None),
    Failure.DNS_NXDOMAIN: (LinkStatus.DNS_FAILURE, LinkDetail.NXDOMAIN),
    Failure.DNS_FAILURE: (LinkStatus.DNS_FAILURE, LinkDetail.RESOLVER_FAILED),
    Failure.CONNECTION_REFUSED: (LinkStatus.CONNECTION_REFUSED, None),
    Failure.CONNECTION_RESET: (LinkStatus.SERVER_ERROR, LinkDetail.RESET),
    Failure.UNREACHABLE: (LinkStatus.TIMEOUT, LinkDetail.UNREACHABLE),
    Failure.TIMEOUT: (LinkStatus.TIMEOUT, None),
    Failure.TLS_EXPIRED: (LinkStatus.TLS_ERROR, LinkDetail.EXPIRED),
    Failure.TLS_HOSTNAME: (LinkStatus.TLS_ERROR, LinkDetail.HOSTNAME),
    Failure.TLS_SELF_SIGNED: (LinkStatus.TLS_ERROR, LinkDetail.SELF_SIGNED),
    Failure.TLS_PROTOCOL: (LinkStatus.TLS_ERROR, LinkDetail.PROTOCOL),
    Failure.TOO_MANY_REDIRECTS: (LinkStatus.TOO_MANY_REDIRECTS, None),
    Failure.BAD_RESPONSE: (LinkStatus.SERVER_ERROR, LinkDetail.BAD_RESPONSE),
}
_STATUSES: Final = {
    401: LinkStatus.AUTH_REQUIRED,
    402: LinkStatus.AUTH_REQUIRED,
    403: LinkStatus.FORBIDDEN_OR_BOT_BLOCKED,
    404: LinkStatus.NOT_FOUND,
    407: LinkStatus.AUTH_REQUIRED,
    408: LinkStatus.TIMEOUT,
    410: LinkStatus.GONE,
    425: LinkStatus.SERVER_ERROR,
    428: LinkStatus.FORBIDDEN_OR_BOT_BLOCKED,
    429: LinkStatus.RATE_LIMITED,
    440: LinkStatus.AUTH_REQUIRED,
    449: LinkStatus.AUTH_REQUIRED,
    999: LinkStatus.FORBIDDEN_OR_BOT_BLOCKED,
}
_OK, _REDIRECT, _CLIENT, _SERVER, _BEYOND = 200, 300, 400, 500, 600
_BOMB_RATIO: Final = 100
"""A body that grows so many times when it is decompressed is no page (gzip reaches about 1,000 on zeros)."""


def status_of_failure(failure: Failure) -> Seen:
    """Return what it means that nothing was fetched."""
    return _FAILURES[failure]


def status_of(code: int, headers: Headers, permanent: list[bool]) -> Seen:
    """Return what an answer means. `permanent` says of each redirect before it whether it was for ever."""
    if is_challenge(headers):
        return LinkStatus.FORBIDDEN_OR_BOT_BLOCKED, LinkDetail.CAPTCHA
    if code in _STATUSES:
        return _STATUSES[code], None
    if _OK <= code < _REDIRECT or code == 304:  # noqa: PLR2004  304 answers our own validators
        if not permanent:
            return LinkStatus.OK, None
        return (LinkStatus.REDIRECTED_PERMANENT if all(permanent) else LinkStatus.REDIRECTED_TEMPORARY), None
    if _CLIENT <= code < _SERVER:
        return LinkStatus.CLIENT_ERROR, None
    return LinkStatus.SERVER_ERROR, None if _SERVER <= code < _BEYOND else LinkDetail.BAD_RESPONSE


def is_challenge(headers: Headers) -> bool:
    """Tell whether a firewall wants proof of a person, whatever the status (Cloudflare, AWS WAF)."""
    return "challenge" in headers.get("cf-mitigated", "").lower() or headers.get("x-amzn-waf-action", "") in {
        "captcha",
        "challenge",
    }


def is_bomb(headers: Headers, body_bytes: int, *, is_truncated: bool) -> bool:
    """Tell whether a body that was cut grew so much when decompressed that it is meant to harm."""
    length = headers.get("content-length", "")
    if not is_truncated or headers.get("content-encoding", "identity").lower() in {"", "identity"}:
        return False
    return not length.isdigit() or body_bytes >= _BOMB_RATIO * int(length)


def permanent_target(hops: list[tuple[int, str]]) -> str | None:
    """Return where the permanent redirects at the beginning of `hops` (status, target) lead; None without any."""
    target = None
    for status, location in hops:
        if status not in PERMANENT_REDIRECTS:
            break
        target = location
    return target
