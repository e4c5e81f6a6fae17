"""Cookies of this server: for this host only, over TLS or on this machine, out of reach of scripts.

The prefix `__Host-` makes browsers refuse a cookie of that name which another host, a subdomain or plain HTTP sets
(RFC 6265bis §4.1.3.2). `SameSite=Lax` sends it along when a link leads here and with no other request of another site.
"""

from datetime import datetime

from litestar.datastructures import Cookie

from app.graphql.callers import COOKIE
from kit.clock import utcnow
from resolvers.context import SetCookie
from services.auth import SignedIn


def host_cookie(name: str, value: str, *, max_age_seconds: int | None) -> Cookie:
    """Return a cookie called `__Host-…`; 0 seconds remove it, None keeps it as long as the browser runs."""
    return Cookie(name, value=value, max_age=max_age_seconds, path="/", secure=True, httponly=True, samesite="lax")


def session_cookie(signed_in: SignedIn) -> Cookie:
    """Return what keeps a session in the browser until it ends in any case."""
    return host_cookie(COOKIE, signed_in.token, max_age_seconds=_seconds_until(signed_in.expires_at))


def set_cookie_header(cookie: SetCookie) -> str:
    """Return the `Set-Cookie` that hands over a session, or takes it back."""
    seconds = None if cookie.until is None else _seconds_until(cookie.until)
    return host_cookie(COOKIE, cookie.token, max_age_seconds=seconds if cookie.token else 0).to_header(header="")


def _seconds_until(moment: datetime) -> int:
    return max(0, int((moment - utcnow()).total_seconds()))
