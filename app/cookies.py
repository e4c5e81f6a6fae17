"""Cookies of this server: for this host only, over TLS or on this machine, out of reach of scripts.

The prefix `__Host-` makes browsers refuse a cookie of that name which another host, a subdomain or plain HTTP sets
(RFC 6265bis §4.1.3.2). `SameSite=Lax` sends it along when a link leads here and with no other request of another site.
"""

from datetime import UTC, datetime

from litestar.datastructures import Cookie

from app.graphql.callers import COOKIE
from services.auth import SignedIn


def host_cookie(name: str, value: str, *, max_age_seconds: int) -> Cookie:
    """Return a cookie called `__Host-…`; 0 seconds remove it."""
    return Cookie(name, value=value, max_age=max_age_seconds, path="/", secure=True, httponly=True, samesite="lax")


def session_cookie(signed_in: SignedIn) -> Cookie:
    """Return what keeps a session in the browser until it ends in any case."""
    left = int((signed_in.expires_at - datetime.now(UTC)).total_seconds())
    return host_cookie(COOKIE, signed_in.token, max_age_seconds=max(0, left))
